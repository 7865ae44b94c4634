#include "experiments/kinds/scaling_up/judge.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/search/front.h"

namespace oneproxy::scaling_up {
namespace {

constexpr int kFrontLimits = 400;  // where the front is too large to be made whole

}  // namespace

Judge::Judge(const SearchSpace& space, const Optima& optima, const Objective& quality, int quality_number,
             Predictor truth, double worst_quality)
    : space_(space),
      optima_(optima),
      quality_(quality),
      quality_number_(quality_number),
      truth_(std::move(truth)),
      worst_quality_(worst_quality) {
  const auto range = optima_.range(truth_);
  slowest_ = range.high;
  std::vector<std::uint8_t> front;
  if (std::holds_alternative<IndexTable>(truth_)) {
    for (ArchIndex i = 0; i < space.size(); ++i) {
      const auto one = space.choices(i);
      front.insert(front.end(), one.begin(), one.end());
    }
  } else {
    std::vector<OptimizerQuery> queries;
    for (int i = 1; i <= kFrontLimits; ++i) {
      const double u = static_cast<double>(i) / kFrontLimits;
      queries.push_back({quality_number, range.low + u * u * (range.high - range.low), {}});
    }
    for (const auto& found : optima_.find(truth_, nullptr, queries, 1))
      if (!found.empty()) front.insert(front.end(), found[0].choices.begin(), found[0].choices.end());
  }
  if (std::isnan(worst_quality_)) {
    std::vector<double> values(front.size() / space.n_decisions());
    quality.evaluate(front, values);
    worst_quality_ = *std::min_element(values.begin(), values.end());
  }
  true_hypervolume_ = hypervolume_of(front);
}

Verdict Judge::judge(std::span<const std::uint8_t> choices, double limit) const {
  Verdict verdict;
  if (choices.empty()) return verdict;
  verdict.answered = true;
  quality_.evaluate(choices, std::span(&verdict.quality, 1));
  predict(truth_, choices, std::span(&verdict.latency, 1));
  verdict.over = std::max(0.0, verdict.latency / limit - 1);
  const OptimizerQuery query{quality_number_, std::max(limit, verdict.latency), {}};
  const auto best = optima_.find(truth_, nullptr, std::span(&query, 1), 1);
  verdict.regret = best[0].empty() ? 0 : std::max(0.0, best[0][0].quality - verdict.quality);
  return verdict;
}

double Judge::hypervolume_of(std::span<const std::uint8_t> choices) const {
  const std::size_t n = choices.size() / space_.n_decisions();
  std::vector<double> latency(n), quality(n);
  predict(truth_, choices, latency);
  quality_.evaluate(choices, quality);
  for (double& value : quality)
    if (!(value >= worst_quality_)) value = std::nan("");
  return hypervolume(exact_front(latency, quality, Backend::cpu), {slowest_, worst_quality_});
}

double Judge::hypervolume_share(std::span<const std::uint8_t> answers) const {
  return hypervolume_of(answers) / true_hypervolume_;
}

}  // namespace oneproxy::scaling_up
