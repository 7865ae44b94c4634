#pragma once
// Whether latencies are in the unit that they are taken for, by what is known of the space on other devices.
#include <optional>
#include <span>
#include <string>

#include "oneproxy/engine/data/store.h"

namespace oneproxy {

struct KnownLatencies {
  double low_ms = 0, high_ms = 0;  // lowest and highest median of a device
};
// Of all devices that the store has of the space; nothing where it has none.
std::optional<KnownLatencies> known_latencies(const Store& store, const std::string& space);

// Error where the median (NaN: failed) is beyond three times that range, and would be within it as seconds or as
// microseconds; `where` begins it. The remedy is --unit, either way.
void check_latency_unit(std::span<const double> latency_ms, const KnownLatencies& known, const std::string& where);

}  // namespace oneproxy
