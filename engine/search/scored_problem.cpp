#include "oneproxy/engine/search/scored_problem.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/predictor/predictor.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kWorst = -std::numeric_limits<double>::infinity();
constexpr std::size_t kBatch = 4096;  // scored at once: the clock of a budget in seconds is looked at between them

}  // namespace

ScoredProblem::ScoredProblem(Evaluator& evaluator)
    : evaluator_(evaluator),
      part_(evaluator.problem().part),
      n_costs_(evaluator.problem().objectives.size() - 1),
      covers_space_(evaluator.problem().covers_space()),
      has_kernels_(evaluator.problem().has_kernels()) {
  const SearchProblem& problem = evaluator.problem();
  for (const auto& own : evaluator.limits()) {
    Costs bounds{};
    for (std::size_t c = 0; c < n_costs_; ++c) {
      const double bound = own.bounds[c + 1];
      bounds[c] = std::isnan(bound)                       ? std::numeric_limits<double>::infinity()
                  : problem.objectives[c + 1].maximised() ? -bound
                                                          : bound;
    }
    limits_.push_back(bounds);
    best_.push_back({{}, kWorst});
  }
  if (covers_space_) return;
  const auto choices = choices_of_rows(problem);
  const std::size_t width = part_.space().n_decisions();
  for (std::size_t at = 0; at < choices.size(); at += width)
    rows_.push_back(part_.digits(std::span(choices).subspan(at, width)));
  if (rows_.empty()) throw Error("no row of the set lies in " + part_.describe() + "; fix less, or use predictors");
  // All at once, as one by one they take as long as a whole search.
  row_costs_.resize(rows_.size());
  std::vector<double> values(rows_.size());
  for (std::size_t c = 0; c < n_costs_; ++c) {
    problem.objectives[c + 1].evaluate(choices, values);
    for (std::size_t i = 0; i < rows_.size(); ++i)
      row_costs_[i][c] = problem.objectives[c + 1].maximised() ? -values[i] : values[i];
  }
}

std::size_t ScoredProblem::IndexHash::operator()(ArchIndex index) const {
  return shuffle_mix(static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(index >> 64));
}

ArchIndex ScoredProblem::index_of(const Digits& digits) const {
  return encode_digits(digits.data(), part_.radices().data(), part_.n_digits());
}

ScoredProblem::Costs ScoredProblem::costs(const Digits& digits) const {
  Costs costs{};
  for (std::size_t c = 0; c < n_costs_; ++c) {
    costs[c] = evaluator_.cost_score(c + 1, digits);
    if (!has_kernels_) continue;
    const Objective& objective = evaluator_.problem().objectives[c + 1];  // whose kernel's score may be a logarithm
    costs[c] = objective.maximised() ? -value_of_score(*objective.model, -costs[c])
                                     : value_of_score(*objective.model, costs[c]);
  }
  return costs;
}

bool ScoredProblem::within(const Costs& costs, std::size_t limits) const {
  for (std::size_t c = 0; c < n_costs_; ++c)
    if (!(costs[c] <= limits_[limits][c])) return false;
  return true;
}

void ScoredProblem::evaluate(std::span<const Digits> list) {
  std::vector<std::uint32_t> digits;
  for (const auto& own : list) digits.insert(digits.end(), own.begin(), own.end());
  auto scores = evaluator_.scores(digits);
  for (double& score : scores)
    if (std::isnan(score)) score = kWorst;
  for (std::size_t i = 0; i < list.size(); ++i) {
    scores_[index_of(list[i])] = scores[i];
    const Costs own = costs(list[i]);
    for (std::size_t l = 0; l < limits_.size(); ++l)
      if (scores[i] > best_[l].goal && within(own, l)) best_[l] = {list[i], scores[i]};
  }
}

std::vector<double> ScoredProblem::goals(std::span<const Digits> list, double share) {
  std::vector<Digits> fresh;
  const auto flush = [&] {
    if (!fresh.empty()) evaluate(fresh);
    fresh.clear();
  };
  std::vector<ArchIndex> indices;
  for (const auto& digits : list) indices.push_back(index_of(digits));
  std::int64_t left = spent(share) ? 0 : evaluator_.evaluations_left(share);
  for (std::size_t i = 0; i < list.size() && left > 0; ++i) {
    if (!scores_.try_emplace(indices[i], kWorst).second) continue;
    fresh.push_back(list[i]);
    --left;
    if (fresh.size() < kBatch) continue;
    flush();
    if (spent(share)) left = 0;
  }
  flush();
  std::vector<double> scores;
  for (const auto index : indices) {
    const auto found = scores_.find(index);
    scores.push_back(found == scores_.end() ? kWorst : found->second);
  }
  return scores;
}

}  // namespace oneproxy
