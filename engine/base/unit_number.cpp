#include "oneproxy/engine/base/unit_number.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// As powers of ten of a millisecond: the decimal point moves, so that 0.0301 s is 30.1 ms and not 30.099999999999998.
constexpr std::pair<std::string_view, int> kTimes[] = {{"s", 3}, {"ms", 0}, {"us", -3}, {"\xC2\xB5s", -3}, {"ns", -6}};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The number that begins the text, and where it ends; the end is its begin where there is none.
std::pair<double, const char*> number_at(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return {value, error == std::errc() && std::isfinite(value) ? end : text.data()};
}

}  // namespace

UnitNumber parse_unit_number(std::string_view text, const std::string& where) {
  const auto whole = trimmed(text);
  const auto [value, end] = number_at(whole);
  if (end == whole.data() || whole.empty())
    throw Error(where + ": '" + std::string(text) +
                "' is no finite number; write for example 25, or with its unit 25ms");
  const std::string_view digits = whole.substr(0, static_cast<std::size_t>(end - whole.data()));
  const auto unit = trimmed(whole.substr(digits.size()));
  for (const auto& [name, power] : kTimes) {
    if (unit != name) continue;
    if (power == 0) return {value, "ms"};
    const auto e = digits.find_first_of("eE");
    long exponent = power;
    if (e != std::string_view::npos) exponent += std::stol(std::string(digits.substr(e + 1)));
    return {number_at(std::string(digits.substr(0, e)) + "e" + std::to_string(exponent)).first, "ms"};
  }
  return {value, std::string(unit)};
}

std::string common_unit(std::span<const UnitNumber> numbers, const std::string& where) {
  std::string unit;
  for (const auto& number : numbers) {
    if (!unit.empty() && !number.unit.empty() && number.unit != unit)
      throw Error(where + ": one limit is in " + unit + ", another in " + number.unit + "; write them in one unit");
    if (unit.empty()) unit = number.unit;
  }
  return unit;
}

std::vector<double> values_in_unit(std::span<const UnitNumber> numbers, const std::string& unit,
                                   const std::string& where) {
  std::vector<double> values;
  for (const auto& [value, own] : numbers) {
    if (!own.empty() && own != unit)
      throw Error(where + ": the limit " + plain(value) + " " + own + " is on what is " +
                  (unit.empty() ? "a number without a unit; write the number alone" : "in " + unit));
    values.push_back(value);
  }
  return values;
}

std::vector<double> values_in_unit(std::span<const std::string> texts, const std::string& unit,
                                   const std::string& where) {
  std::vector<UnitNumber> numbers;
  for (const auto& text : texts) numbers.push_back(parse_unit_number(text, where));
  return values_in_unit(numbers, unit, where);
}

}  // namespace oneproxy
