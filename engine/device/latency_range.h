#pragma once
// Which numbers are latencies. Outside this range a value is a slip (another unit, a lost exponent, a damaged file),
// and the models that are fitted on it would leave the numbers of a computer.
#include <string>

namespace oneproxy {

inline constexpr double kMinLatencyMs = 1e-9;  // a picosecond
inline constexpr double kMaxLatencyMs = 1e9;   // 11 days

// Error where `latency_ms` is no number of this range; `what` names the value and its place: "latency 3 of device x".
void check_latency(double latency_ms, const std::string& what);

}  // namespace oneproxy
