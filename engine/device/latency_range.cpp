#include "oneproxy/engine/device/latency_range.h"

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

void check_latency(double latency_ms, const std::string& what) {
  if (latency_ms >= kMinLatencyMs && latency_ms <= kMaxLatencyMs) return;  // a NaN is not
  throw Error(what + " is " + brief(latency_ms) + " ms and should be positive, from " + brief(kMinLatencyMs) + " to " +
              brief(kMaxLatencyMs) + " ms; is the unit right? Leave failed measurements out");
}

}  // namespace oneproxy
