#pragma once
// One trial of an experiment on a store, as a person would go about it: a method made from source devices, an order in
// which to measure, and targets whose measurements are looked up.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/device/measurements.h"

namespace oneproxy {

class LookupTrial {
 public:
  // Refers to the architectures, which are those of a set. Trial number `trial` of a seed measures in one order on all
  // targets; the method's own draws are of seed + trial.
  LookupTrial(const Architectures& archs, const Sources& sources, const MethodSettings& settings,
              const LearnedFromSources& learned, const DesignSettings& design, std::uint64_t seed, int trial);

  std::vector<std::int64_t> measuring_order(int k) const;
  const AdaptationMethod& method() const { return *method_; }

  struct Result {
    std::vector<std::int64_t> rows;               // that were measured
    std::unique_ptr<AdaptedPredictor> predictor;  // from them
    std::vector<double> latency_ms;               // of all architectures, predicted
    double milliseconds = 0;                      // that adapting and predicting took
  };
  // With the first k rows of the order that the target has.
  Result adapt(const Series& target, std::span<const std::int64_t> order, int k) const;

 private:
  const Architectures& archs_;
  DesignSettings design_;
  std::uint64_t seed_;
  int trial_;
  std::shared_ptr<const ArchitectureFeatures> features_;
  std::unique_ptr<AdaptationMethod> method_;
  std::optional<BayesModel> default_blocks_;  // where the method has none of its own
};

}  // namespace oneproxy
