#pragma once
// A person's own measurements into a store of their own, from a file or from a program. The store that ships is never
// changed.
#include <cstdint>
#include <string>

#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// Where they go, and what is known of where they come from.
struct OwnMeasurements {
  std::string store, set;  // the store begins as a copy of the one that ships
  std::string source, licence, precision = "unknown";
  std::int64_t batch = 0;  // 0: unknown
};

// Error for a name that no device (or set) can have; `option` begins it.
void check_device_name(const std::string& device, const std::string& option);

// Adds latencies in ms, or replaces those of the device. Errors: no measurement that succeeded, names as above, the
// store that ships, a set of public data.
void add_own_device(const OwnMeasurements& into, const SearchSpace& space, const std::string& device,
                    const MeasuredArchitectures& measured);

// Likewise values of measured.quantity in its unit, under its name.
void add_own_metric(const OwnMeasurements& into, const SearchSpace& space, const MeasuredArchitectures& measured);

}  // namespace oneproxy
