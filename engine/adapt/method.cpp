#include "oneproxy/engine/adapt/method.h"

#include <limits>

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::span<const std::uint8_t> Architectures::row(std::int64_t i) const {
  const auto decisions = features->space().radices().size();
  return std::span(choices).subspan(i * decisions, decisions);
}

std::vector<double> AdaptedPredictor::deviation_ms(const Architectures& at) const {
  return std::vector<double>(at.n(), kNan);
}

ExpectedSrcc AdaptedPredictor::expected_srcc() const { return {kNan, kNan, kNan, {}}; }

}  // namespace oneproxy
