#include "oneproxy/engine/base/numbers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace oneproxy {

std::string fixed(double value, int digits) {
  if (std::isnan(value)) return "n/a";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string brief(double value) {
  if (std::isnan(value)) return "n/a";
  char text[64];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

double number_of(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return end != text.c_str() && *end == '\0' ? value : std::nan("");
}

std::string plain(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

std::string key_number(double value) {
  if (std::round(value) == value && std::abs(value) < 1e10) return plain(value + 0.0);  // -0 is 0
  char text[64];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::optional<std::string> whole_digits(std::string_view text) {
  constexpr long most = 39;
  std::string digits;
  long scale = 0;  // powers of ten that the digits lack
  std::size_t at = 0;
  for (bool fraction = false; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    if (text[at] == '.' && !fraction) {
      fraction = true;
      continue;
    }
    if (text[at] < '0' || text[at] > '9') return std::nullopt;
    digits += text[at];
    scale -= fraction;
  }
  if (digits.empty() || digits.size() > static_cast<std::size_t>(2 * most)) return std::nullopt;
  if (at < text.size()) {
    std::string_view exponent = text.substr(at + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    if (exponent.empty() || exponent.size() > 3) return std::nullopt;
    long value = 0;
    for (const char c : exponent) {
      if (c < '0' || c > '9') return std::nullopt;
      value = 10 * value + (c - '0');
    }
    scale += value;
  }
  for (; scale < 0 && digits.back() == '0' && digits.size() > 1; ++scale) digits.pop_back();
  const auto first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  digits.erase(0, first);
  if (digits == "0") return digits;
  if (scale < 0 || static_cast<long>(digits.size()) + scale > most) return std::nullopt;
  return digits + std::string(static_cast<std::size_t>(scale), '0');
}

std::string time_span(double seconds) {
  if (!(seconds >= 0) || seconds > 3.2e9) return "more than a century";
  const auto whole = static_cast<long long>(std::llround(seconds));
  const long long sizes[] = {86400, 3600, 60, 1};
  const char* const names[] = {" d", " h", " min", " s"};
  for (int i = 0; i < 3; ++i)
    if (whole >= sizes[i]) {
      const long long parts = whole % sizes[i] / sizes[i + 1];
      return std::to_string(whole / sizes[i]) + names[i] +
             (parts ? " " + std::to_string(parts) + names[i + 1] : std::string());
    }
  return std::to_string(whole) + " s";
}

std::string exact(double value) {
  if (std::isnan(value)) return "";
  char text[32];
  for (int digits = 15; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  return text;
}

}  // namespace oneproxy
