#pragma once
// Which numbers are measurements. Outside these ranges a value is a slip (another unit, a lost exponent, a damaged
// file), and the models that are fitted on it would leave the numbers of a computer.
#include <string>

#include "oneproxy/engine/device/quantity.h"

namespace oneproxy {

inline constexpr double kMinLatencyMs = 1e-9;  // a picosecond
inline constexpr double kMaxLatencyMs = 1e9;   // 11 days
inline constexpr double kMinValue = 1e-12, kMaxValue = 1e15;

// Error where `latency_ms` is no number of this range; `what` names the value and its place: "latency 3 of device x".
void check_latency(double latency_ms, const std::string& what);

// The same of any other quantity, in its unit ("" where the caller does not know it).
void check_value(double value, const std::string& unit, const std::string& what);

// A measurement of the quantity as users give it: a latency in ms, or any other. A share is at most 1, a percentage at
// most 100.
void check_measured(double value, const Quantity& quantity, const std::string& what);

}  // namespace oneproxy
