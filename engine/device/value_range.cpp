#include "oneproxy/engine/device/value_range.h"

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

void check_range(double value, double low, double high, const std::string& unit, const std::string& what) {
  if (value >= low && value <= high) return;  // a NaN is not
  const std::string of_unit = unit.empty() ? "" : " " + unit;
  throw Error(what + " is " + brief(value) + of_unit + " and should be positive, from " + brief(low) + " to " +
              brief(high) + of_unit + "; is the unit right? Leave failed measurements out");
}

}  // namespace

void check_latency(double latency_ms, const std::string& what) {
  check_range(latency_ms, kMinLatencyMs, kMaxLatencyMs, "ms", what);
}

void check_value(double value, const std::string& unit, const std::string& what) {
  check_range(value, kMinValue, kMaxValue, unit, what);
}

void check_measured(double value, const Quantity& quantity, const std::string& what) {
  if (quantity.unit == "ms") return check_latency(value, what);
  check_value(value, quantity.unit, what);
  if (quantity.unit == "fraction" && value > 1)
    throw Error(what + " is " + brief(value) +
                ", and a fraction is at most 1; divide by 100, or say that the unit is %");
  if (quantity.unit == "%" && value > 100)
    throw Error(what + " is " + brief(value) + " %, and a percentage is at most 100; is the unit right?");
}

}  // namespace oneproxy
