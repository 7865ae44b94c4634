#include "oneproxy/engine/optimizer/answer.h"

#include <limits>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

double value_of(const std::shared_ptr<const Predictor>& predictor, std::span<const std::uint8_t> choices) {
  double value = 0;
  if (predictor) predict(*predictor, choices, std::span(&value, 1));
  return value;
}

}  // namespace

OptimizerAnswer ask(const Policy& policy, const AskedDevice& asked, const OptimizerQuery& query,
                    const Objective& quality, double spread, int proposals, std::uint64_t seed) {
  std::vector<std::vector<std::uint8_t>> proposed;
  if (proposals == 1)
    proposed.push_back(policy.answer(asked.device, asked.costs, query));
  else
    for (auto& one : policy.propose(asked.device, asked.costs, query, proposals, seed))
      proposed.push_back(std::move(one.choices));
  OptimizerAnswer best;
  double best_score = -std::numeric_limits<double>::infinity();
  for (auto& choices : proposed) {
    OptimizerAnswer one;
    quality.evaluate(choices, std::span(&one.quality, 1));
    one.latency = value_of(asked.device.latency, choices);
    one.energy = value_of(asked.device.energy, choices);
    const auto& [of_quality, of_latency, of_energy] = query.preference;
    const double score = query.limit
                             ? one.quality
                             : of_quality * one.quality / spread - of_latency * one.latency - of_energy * one.energy;
    const bool kept = proposals == 1 || !query.limit || one.latency <= *query.limit;
    if (!kept || !(best.choices.empty() || score > best_score)) continue;
    best = std::move(one);
    best.choices = std::move(choices);
    best_score = score;
  }
  best.n_proposals = static_cast<int>(proposed.size());
  return best;
}

Predictor in_standard_units(const Predictor& predictor, double mean, double deviation) {
  if (const auto* table = std::get_if<IndexTable>(&predictor)) {
    IndexTable scaled = *table;
    for (double& value : scaled.values) value = (value - mean) / deviation;
    scaled.unit = "standard deviations";
    return scaled;
  }
  if (const auto* table = std::get_if<AdditivePredictor>(&predictor)) {
    AdditivePredictor scaled = *table;
    for (double& weight : scaled.weights) weight /= deviation;
    for (double& bias : scaled.bias) bias = (bias - mean) / deviation;
    scaled.unit = "standard deviations";
    return scaled;
  }
  throw Error("a network's values in standard units are no network of this form; give the device as a table");
}

}  // namespace oneproxy
