#include "oneproxy/engine/adapt/methods/adapted_mixture.h"

#include <cmath>
#include <utility>

#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/engine/predictor/tabulation.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kMinForDeviation = 3;
constexpr double kNoSpread = 1e-9;  // of the mean

struct Scale {
  double mean = 0, deviation = 0;
};

Scale scale_of(const std::vector<double>& values) {
  Scale scale;
  const auto n = static_cast<double>(values.size());
  for (const double v : values) scale.mean += v / n;
  for (const double v : values) scale.deviation += (v - scale.mean) * (v - scale.mean) / n;
  scale.deviation = std::sqrt(scale.deviation);
  return scale;
}

}  // namespace

AdaptedMixture::AdaptedMixture(std::shared_ptr<const ArchitectureFeatures> features, SourcePredictor latency,
                               std::vector<Remark> remarks, std::string why_not_adapted)
    : features_(std::move(features)),
      latency_(std::move(latency)),
      remarks_(std::move(remarks)),
      why_not_adapted_(std::move(why_not_adapted)) {}

std::vector<double> AdaptedMixture::latency_ms(const Architectures& at) const { return latency_.predict(at.rows); }

Predictor AdaptedMixture::predictor() const {
  const Tabulation tabulation(features_->space(), features_->physics().additive());
  return tabulation.predictor(
      [&](std::span<const std::uint8_t> choices) { return latency_.predict(features_->rows(choices)); }, "ms");
}

Samples known_samples(const TargetSamples& measured, const std::string& method) {
  Samples known;
  const auto decisions = measured.n() > 0 ? measured.choices.size() / measured.values.size() : 0;
  for (std::int64_t i = 0; i < measured.n(); ++i) {
    if (std::isnan(measured.values[i])) continue;
    check_value(measured.values[i], "", method + ": the value of target sample " + std::to_string(i));
    known.add(std::span(measured.choices).subspan(i * decisions, decisions), measured.values[i]);
  }
  return known;
}

SourcePredictor on_scale_of(const Samples& measured, const ArchitectureFeatures& features, SourcePredictor function) {
  if (measured.n() == 0) return function;
  const Scale own = scale_of(measured.values), its = scale_of(function.predict(features.rows(measured.choices)));
  const bool both = measured.n() >= kMinForDeviation && own.deviation > kNoSpread * own.mean &&
                    its.deviation > kNoSpread * std::abs(its.mean);
  const double ratio = both ? own.deviation / its.deviation : its.mean > 0 ? own.mean / its.mean : 1;
  for (double& weight : function.weights) weight *= ratio;
  function.bias = own.mean + ratio * (function.bias - its.mean);
  return function;
}

}  // namespace oneproxy
