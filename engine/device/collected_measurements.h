#pragma once
// A person's measurements of a device as a program hands them over: what measurement_csv.h reads from files.
#include <cstdint>
#include <span>

#include "oneproxy/engine/device/measurement_csv.h"

namespace oneproxy {

// Latencies in ms, one a measurement, in order of time: choices [n, n_decisions], latency_ms [n]. Several of one
// architecture are repeats; NaN is a failed measurement. Errors, which name the measurement: a latency that is no
// positive number or none of a device (device/value_range.h), choices that are no architecture.
MeasuredArchitectures collect_measurements(const SearchSpace& space, std::span<const std::uint8_t> choices,
                                           std::span<const double> latency_ms);

}  // namespace oneproxy
