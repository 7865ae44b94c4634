#include "oneproxy/engine/device/collected_measurements.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// What adds up over the parts of a network, for a predictor; or the values themselves, which may be 0.
enum class Values { additive, as_they_are };

void check_one(double value, const Quantity& quantity, Values values, const std::string& what) {
  if (values == Values::as_they_are && value == 0) return;
  const std::string unit = quantity.name == latency_quantity().name ? "milliseconds" : quantity.unit;
  if (!(value > 0) || std::isinf(value))
    throw Error(what + " should be a positive number of " + unit + "; NaN stands for a failed measurement");
  check_measured(value, quantity, what);
}

MeasuredArchitectures collect(const SearchSpace& space, std::span<const std::uint8_t> choices,
                              std::span<const double> all, const Quantity& quantity, Values values) {
  const std::size_t width = space.n_decisions();
  if (choices.size() != all.size() * width)
    throw Error(std::to_string(choices.size() / width) + " architectures have " + std::to_string(all.size()) +
                (quantity.name == latency_quantity().name ? " latencies" : " values") + "; give one for each");
  MeasuredArchitectures measured;
  measured.quantity = quantity;
  double largest = 0;
  std::map<std::vector<std::uint8_t>, std::size_t> numbers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto one = choices.subspan(i * width, width);
    if (const auto fault = space.fault(one); !fault.empty())
      throw Error("measurement " + std::to_string(i) + ": " + fault);
    const auto [found, fresh] = numbers.emplace(std::vector(one.begin(), one.end()), numbers.size());
    if (fresh) {
      measured.choices.insert(measured.choices.end(), one.begin(), one.end());
      measured.repeats.emplace_back();
      measured.lines.emplace_back();
    }
    if (std::isnan(all[i])) {
      ++measured.n_failed;
      continue;
    }
    check_one(all[i], quantity, values, quantity.name + "[" + std::to_string(i) + "] = " + plain(all[i]));
    largest = std::max(largest, all[i]);
    measured.repeats[found->second].push_back(values == Values::additive ? as_additive(quantity, all[i]) : all[i]);
    measured.lines[found->second].push_back(static_cast<std::int64_t>(i));
  }
  if (quantity.unit == "%" && largest > 0 && largest <= 1)
    throw Error(quantity.name +
                ": no value is above 1, which would be less than 1 %; if these are fractions the unit "
                "is \"fraction\"");
  for (const auto& own : measured.repeats)
    measured.latency_ms.push_back(own.empty() ? std::numeric_limits<double>::quiet_NaN() : median_of(own));
  return measured;
}

}  // namespace

MeasuredArchitectures collect_measurements(const SearchSpace& space, std::span<const std::uint8_t> choices,
                                           std::span<const double> values, const Quantity& quantity) {
  return collect(space, choices, values, quantity, Values::additive);
}

MeasuredArchitectures collect_metric(const SearchSpace& space, std::span<const std::uint8_t> choices,
                                     std::span<const double> values, const Quantity& quantity) {
  return collect(space, choices, values, quantity, Values::as_they_are);
}

}  // namespace oneproxy
