#pragma once
// A person's measurements of a device as a program hands them over: what measurement_csv.h reads from files.
#include <cstdint>
#include <span>

#include "oneproxy/engine/device/measurement_csv.h"

namespace oneproxy {

// Latencies in ms, or values of another quantity in its unit, one a measurement, in order of time: choices
// [n, n_decisions], values [n]. Several of one architecture are repeats; NaN is a failed measurement. Of a rate the
// repeats are times, as of files. Errors, which name the measurement: a value that is no positive number or none of a
// device (device/value_range.h), values <= 1 alone where the unit is %, choices that are no architecture.
MeasuredArchitectures collect_measurements(const SearchSpace& space, std::span<const std::uint8_t> choices,
                                           std::span<const double> values,
                                           const Quantity& quantity = latency_quantity());

// The same with repeats and medians of the values themselves, to be kept; they may be 0.
MeasuredArchitectures collect_metric(const SearchSpace& space, std::span<const std::uint8_t> choices,
                                     std::span<const double> values, const Quantity& quantity);

}  // namespace oneproxy
