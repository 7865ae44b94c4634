#include "oneproxy/engine/search/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kSpareBest = 8;  // beyond those asked for: fast scores may order close ones wrongly

// As the kernels see a value: the goal is maximised, the others are minimised.
double as_score(const SearchProblem& problem, std::size_t objective, double value) {
  return problem.objectives[objective].maximised() == (objective == 0) ? value : -value;
}

}  // namespace

Evaluator::Evaluator(const SearchProblem& problem, SearchQuestion question)
    : problem_(problem), question_(std::move(question)), distinct_(problem.part.size()) {
  ONEPROXY_ASSERT(problem.objectives.size() >= 2 && problem.objectives.size() <= kMaxObjectives);
  for (const auto& limits : question_.limits) ONEPROXY_ASSERT(limits.bounds.size() == problem.objectives.size());
  ReductionSettings record;
  const bool three = problem.objectives.size() > 2;
  record.third = three ? 2 : -1;
  record.best = question_.n_best + kSpareBest;
  if (problem.has_kernels()) {
    kernels_ = std::make_unique<KernelProblem>(problem, problem.part);
    for (std::size_t i = 0; i < problem.objectives.size(); ++i)
      scorers_.push_back(std::make_unique<Scorer>(kernels_->code(), std::span(&kernels_->model(i), 1),
                                                  question_.backend, i == 0 ? question_.precision : Precision::fp64));
  }
  for (std::size_t l = 0; l < question_.limits.size(); ++l) {
    record.limits.push_back(cost_limit(l, 1));
    if (three) record.third_limits.push_back(cost_limit(l, 2));
  }
  record_ = std::make_unique<Reduction>(record);
}

ArchIndex Evaluator::index_of(std::span<const std::uint32_t> digits) const {
  return encode_digits(digits.data(), problem_.part.radices().data(), problem_.part.n_digits());
}

std::vector<std::vector<double>> Evaluator::evaluate(std::span<const std::uint8_t> choices) {
  const std::size_t width = problem_.part.space().n_decisions(), n = choices.size() / width;
  std::vector<std::vector<double>> values;
  for (const auto& objective : problem_.objectives) objective.evaluate(choices, values.emplace_back(n));
  for (std::size_t i = 0; i < n; ++i) {
    if (std::any_of(values.begin(), values.end(), [&](const auto& column) { return std::isnan(column[i]); })) continue;
    const auto digits = problem_.part.digits(choices.subspan(i * width, width));
    if (digits.empty()) continue;
    const auto score = [&](std::size_t objective) {
      const double value = values[objective][i];
      return as_score(problem_, objective,
                      kernels_ ? score_of_value(*problem_.objectives[objective].model, value) : value);
    };
    const ArchIndex index = index_of(digits);
    const std::scoped_lock lock(mutex_);
    distinct_.add(index);
    record_->add({index, score(1), score(0), values.size() > 2 ? score(2) : 0});
  }
  report();
  return values;
}

const KernelProblem& Evaluator::kernels() const {
  ONEPROXY_ASSERT(kernels_);
  return *kernels_;
}

double Evaluator::cost_limit(std::size_t limits, std::size_t objective) const {
  const Limits& own = question_.limits[limits];
  if (kernels_) return kernels_->score_limit(own, objective);
  const double bound = own.bounds[objective];
  return std::isnan(bound) ? std::numeric_limits<double>::infinity() : as_score(problem_, objective, bound);
}

bool Evaluator::seen(std::span<const std::uint32_t> digits) const {
  const std::scoped_lock lock(mutex_);
  return distinct_.contains(index_of(digits));
}

std::vector<double> Evaluator::scores(std::span<const std::uint32_t> digits) {
  const std::size_t width = problem_.part.n_digits(), n = digits.size() / width;
  if (kernels_) {
    std::vector<std::vector<double>> costs(problem_.objectives.size() - 1, std::vector<double>(n));
    for (std::size_t c = 0; c < costs.size(); ++c)
      for (std::size_t i = 0; i < n; ++i) costs[c][i] = cost_score(c + 1, digits.subspan(i * width, width));
    auto scores = goal_scores(digits, costs);
    report();
    return scores;
  }
  std::vector<std::uint8_t> choices;
  for (std::size_t i = 0; i < n; ++i) {
    const auto own = problem_.part.choices(digits.subspan(i * width, width));
    choices.insert(choices.end(), own.begin(), own.end());
  }
  const auto values = evaluate(choices);
  std::vector<double> scores(n);
  for (std::size_t i = 0; i < n; ++i) {
    const bool known = std::none_of(values.begin(), values.end(), [&](const auto& own) { return std::isnan(own[i]); });
    scores[i] = known ? as_score(problem_, 0, values[0][i]) : std::nan("");
  }
  return scores;
}

double Evaluator::cost_score(std::size_t objective, std::span<const std::uint32_t> digits) const {
  if (!kernels_) {
    double value = 0;
    problem_.objectives[objective].evaluate(problem_.part.choices(digits), std::span(&value, 1));
    return as_score(problem_, objective, value);
  }
  const ScoreFunction& model = kernels_->model(objective);
  if (std::holds_alternative<AdditiveTable<double>>(model))
    return score_by_definition(model, kernels_->code(), digits.data());
  double score = 0;
  scorers_[objective]->score_list(digits, std::span(&score, 1));
  return score;
}

std::vector<double> Evaluator::goal_scores(std::span<const std::uint32_t> digits,
                                           const std::vector<std::vector<double>>& cost_scores) {
  const std::size_t width = problem_.part.n_digits(), n = digits.size() / width;
  ONEPROXY_ASSERT(kernels_ && cost_scores.size() + 1 == problem_.objectives.size());
  std::vector<double> scores(n);
  scorers_[0]->score_list(digits, scores);
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < n; ++i) {
    const ArchIndex index = index_of(digits.subspan(i * width, width));
    distinct_.add(index);
    record_->add({index, cost_scores[0][i], scores[i], cost_scores.size() > 1 ? cost_scores[1][i] : 0});
  }
  return scores;
}

void Evaluator::count(ArchIndex index) {
  const std::scoped_lock lock(mutex_);
  distinct_.add(index);
}

void Evaluator::count_untracked(std::int64_t n) {
  const std::scoped_lock lock(mutex_);
  distinct_.add_untracked(n);
}

void Evaluator::report() const {
  if (question_.on_progress)
    question_.on_progress(n_evaluated(), question_.budget.evaluations > 0 ? question_.budget.evaluations : expected_);
}

double Evaluator::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

double Evaluator::spent() const {
  const auto& budget = question_.budget;
  double share = 0;
  if (budget.evaluations > 0) share = static_cast<double>(n_evaluated()) / static_cast<double>(budget.evaluations);
  if (budget.seconds > 0) share = std::max(share, seconds() / budget.seconds);
  return share;
}

std::int64_t Evaluator::evaluations_left(double share) const {
  if (question_.budget.evaluations == 0) return std::numeric_limits<std::int64_t>::max();
  const auto all = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(question_.budget.evaluations)));
  return std::max<std::int64_t>(1, all - n_evaluated());
}

SearchResult Evaluator::found(std::string certainty) const {
  std::vector<Candidate> candidates = record_->front();
  for (std::size_t i = 0; i < question_.limits.size(); ++i)
    for (const auto& candidate : record_->best(static_cast<int>(i))) candidates.push_back(candidate);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.index < b.index; });
  std::vector<std::uint8_t> choices;
  const Candidate* before = nullptr;
  for (const auto& candidate : candidates) {
    if (before && before->index == candidate.index) continue;
    before = &candidate;
    const auto own = problem_.part.choices(candidate.index);
    choices.insert(choices.end(), own.begin(), own.end());
  }
  const auto solutions = solve(problem_, choices);
  return {front_of(problem_, solutions, question_.backend),
          best_of(problem_, solutions, question_.limits, question_.n_best), std::move(certainty)};
}

}  // namespace oneproxy
