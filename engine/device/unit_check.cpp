#include "oneproxy/engine/device/unit_check.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kMargin = 3;  // a device may be so much faster or slower than all that are known

std::vector<double> successes(std::span<const double> latency_ms) {
  std::vector<double> known;
  for (const double latency : latency_ms)
    if (!std::isnan(latency)) known.push_back(latency);
  return known;
}

}  // namespace

std::optional<KnownLatencies> known_latencies(const Store& store, const std::string& space) {
  const auto spaces = store.spaces();
  if (std::find(spaces.begin(), spaces.end(), space) == spaces.end()) return std::nullopt;
  std::optional<KnownLatencies> range;
  for (const auto& set : store.sets(space))
    for (const auto& device : store.devices(space, set)) {
      const auto known = successes(store.latency(space, set, device).values);
      if (known.empty()) continue;
      const double median = median_of(known);
      if (!range) range = {median, median};
      range = {std::min(range->low_ms, median), std::max(range->high_ms, median)};
    }
  return range;
}

void check_latency_unit(std::span<const double> latency_ms, const KnownLatencies& known, const std::string& where) {
  const auto measured = successes(latency_ms);
  if (measured.empty()) return;
  const double median = median_of(measured), low = known.low_ms / kMargin, high = known.high_ms * kMargin;
  const auto refuse = [&](const std::string& unit, const std::string& name) {
    throw Error(where + ": the latencies look like " + name + ": as milliseconds their median is " + brief(median) +
                " ms, and devices in the store take " + brief(known.low_ms) + " to " + brief(known.high_ms) +
                " ms; say --unit " + unit + ", or --unit ms if that is what they are");
  };
  const auto within = [&](double value) { return value >= low && value <= high; };
  if (median < low && within(median * 1000)) refuse("s", "seconds");
  if (median > high && within(median / 1000)) refuse("us", "microseconds");
}

}  // namespace oneproxy
