#pragma once
// A target whose latency is a weight vector on the sources' features: a mixture of the sources' functions, in ms.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/method.h"

namespace oneproxy {

class AdaptedMixture : public AdaptedPredictor {
 public:
  // latency: on features->reference()'s kind of rows, in ms (its median_ms is 1).
  AdaptedMixture(std::shared_ptr<const ArchitectureFeatures> features, SourcePredictor latency,
                 std::vector<Remark> remarks, std::string why_not_adapted);

  std::vector<double> latency_ms(const Architectures& at) const override;
  Predictor predictor() const override;
  std::string why_not_adapted() const override { return why_not_adapted_; }
  std::vector<Remark> remarks() const override { return remarks_; }

 private:
  std::shared_ptr<const ArchitectureFeatures> features_;
  SourcePredictor latency_;
  std::vector<Remark> remarks_;
  std::string why_not_adapted_;
};

// The measurements that did not fail. Error: one outside device/value_range.h (`method` is named).
Samples known_samples(const TargetSamples& measured, const std::string& method);

// `function` brought to the scale of the measurements: their mean and, from three on, their deviation, where both sides
// have any. Latencies are in ms; measured may be empty.
SourcePredictor on_scale_of(const Samples& measured, const ArchitectureFeatures& features, SourcePredictor function);

}  // namespace oneproxy
