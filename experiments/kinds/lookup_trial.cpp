#include "experiments/kinds/lookup_trial.h"

#include <chrono>
#include <cmath>

namespace oneproxy {

LookupTrial::LookupTrial(const Architectures& archs, const Sources& sources, const MethodSettings& settings,
                         const LearnedFromSources& learned, const DesignSettings& design, std::uint64_t seed, int trial)
    : archs_(archs),
      design_(design),
      seed_(seed),
      trial_(trial),
      features_(sources.features),
      method_(settings.make(sources, learned, seed + static_cast<std::uint64_t>(trial))) {
  if (!method_->model()) default_blocks_.emplace(default_design_model(sources));
}

std::vector<std::int64_t> LookupTrial::measuring_order(int k) const {
  const BayesModel& blocks = default_blocks_ ? *default_blocks_ : *method_->model();
  return oneproxy::measuring_order(blocks, archs_.choices, design_, k, seed_, static_cast<std::uint32_t>(trial_));
}

LookupTrial::Result LookupTrial::adapt(const Series& target, std::span<const std::int64_t> order, int k) const {
  Result result;
  TargetSamples measured;
  for (const auto row : order) {
    if (measured.n() == k) break;
    if (std::isnan(target.values[row])) continue;
    result.rows.push_back(row);
    measured.add(archs_.row(row), target.values[row]);
  }
  const auto start = std::chrono::steady_clock::now();
  result.predictor = method_->adapt(measured);
  result.latency_ms = result.predictor->latency_ms(archs_);
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  result.milliseconds = spent.count();
  return result;
}

}  // namespace oneproxy
