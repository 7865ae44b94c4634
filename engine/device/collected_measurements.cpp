#include "oneproxy/engine/device/collected_measurements.h"

#include <cmath>
#include <limits>
#include <map>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

MeasuredArchitectures collect_measurements(const SearchSpace& space, std::span<const std::uint8_t> choices,
                                           std::span<const double> latency_ms) {
  const std::size_t width = space.n_decisions();
  if (choices.size() != latency_ms.size() * width)
    throw Error(std::to_string(choices.size() / width) + " architectures have " + std::to_string(latency_ms.size()) +
                " latencies; give one for each");
  MeasuredArchitectures measured;
  std::map<std::vector<std::uint8_t>, std::size_t> numbers;
  for (std::size_t i = 0; i < latency_ms.size(); ++i) {
    const auto one = choices.subspan(i * width, width);
    if (const auto fault = space.fault(one); !fault.empty())
      throw Error("measurement " + std::to_string(i) + ": " + fault);
    const auto [found, fresh] = numbers.emplace(std::vector(one.begin(), one.end()), numbers.size());
    if (fresh) {
      measured.choices.insert(measured.choices.end(), one.begin(), one.end());
      measured.repeats.emplace_back();
      measured.lines.emplace_back();
    }
    const double value = latency_ms[i];
    if (std::isnan(value)) {
      ++measured.n_failed;
      continue;
    }
    const std::string what = "latency_ms[" + std::to_string(i) + "] = " + plain(value);
    if (!(value > 0) || std::isinf(value))
      throw Error(what + " should be a positive number of milliseconds; NaN stands for a failed measurement");
    check_measured(value, measured.quantity, what);
    measured.repeats[found->second].push_back(value);
    measured.lines[found->second].push_back(static_cast<std::int64_t>(i));
  }
  for (const auto& own : measured.repeats)
    measured.latency_ms.push_back(own.empty() ? std::numeric_limits<double>::quiet_NaN() : median_of(own));
  return measured;
}

}  // namespace oneproxy
