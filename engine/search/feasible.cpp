#include "oneproxy/engine/search/feasible.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Digits = std::vector<std::uint32_t>;

constexpr int kSteps = 20000;  // towards lower costs, from one draw
constexpr int kDraws = 3;      // until it is given up

// The digits whose table entries sum to the least, for the best of several tables.
Digits least_sum(const AdditiveTable<double>& table, const SubSpace& part, double sign) {
  double best = std::numeric_limits<double>::infinity();
  Digits best_digits;
  for (std::size_t t = 0; t < table.n_tables(); ++t) {
    const double* weights = table.weights_of(t);
    double sum = sign * table.bias[t];
    Digits digits;
    for (int d = 0; d < part.n_digits(); ++d) {
      const std::uint32_t radix = part.radices()[d];
      // Where digit 0 selects the table it is given.
      std::uint32_t least = d == 0 && table.n_tables() > 1 ? static_cast<std::uint32_t>(t) : 0;
      if (d > 0 || table.n_tables() == 1)
        for (std::uint32_t value = 1; value < radix; ++value)
          if (sign * weights[value] < sign * weights[least]) least = value;
      sum += sign * weights[least];
      digits.push_back(least);
      weights += radix;
    }
    if (sum < best) best = sum, best_digits = digits;
  }
  return best_digits;
}

Solution at(const SearchProblem& problem, std::span<const std::uint8_t> choices) {
  Solution solution{{choices.begin(), choices.end()}, {}};
  for (const auto& objective : problem.objectives) {
    solution.values.push_back(0);
    objective.evaluate(choices, std::span(&solution.values.back(), 1));
  }
  return solution;
}

// The least of all that a set or a table holds.
std::optional<Solution> least_of(const SearchProblem& problem, std::size_t objective,
                                 std::span<const std::uint8_t> choices) {
  const std::size_t width = problem.part.space().n_decisions(), n = choices.size() / width;
  const double sign = problem.objectives[objective].maximised() ? -1 : 1;
  std::vector<double> values(n);
  problem.objectives[objective].evaluate(choices, values);
  std::size_t least = n;
  for (std::size_t i = 0; i < n; ++i)
    if (!std::isnan(values[i]) && (least == n || sign * values[i] < sign * values[least])) least = i;
  if (least == n) return {};
  return at(problem, choices.subspan(least * width, width));
}

}  // namespace

Feasible::Feasible(const Evaluator& evaluator, std::size_t limits) : evaluator_(evaluator) {
  const SearchProblem& problem = evaluator.problem();
  for (std::size_t objective = 1; objective < problem.objectives.size(); ++objective)
    bounds_.push_back(evaluator.cost_limit(limits, objective));
  if (problem.covers_space()) {
    for (std::size_t objective = 1; objective < problem.objectives.size(); ++objective)
      if (const auto least = cheapest(problem, objective)) {
        cheapest_.push_back(problem.part.digits(least->choices));
        none_ = none_ || evaluator.cost_score(objective, cheapest_.back()) > bounds_[objective - 1];
      }
    return;
  }
  const auto choices = choices_of_rows(problem);
  const std::size_t width = problem.part.space().n_decisions(), n = choices.size() / width;
  if (n == 0) throw Error("no row of the set lies in " + problem.part.describe() + "; fix less, or use predictors");
  Limits costs = evaluator.limits()[limits];
  costs.bounds[0] = std::nan("");
  std::vector<std::vector<double>> columns;
  for (const auto& objective : problem.objectives) objective.evaluate(choices, columns.emplace_back(n));
  for (std::size_t i = 0; i < n; ++i) {
    rows_.push_back(problem.part.digits(std::span(choices).subspan(i * width, width)));
    std::vector<double> values;
    for (const auto& column : columns) values.push_back(column[i]);
    const bool known = std::none_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
    if (known && costs.allow(problem, values)) rows_within_.push_back(rows_.back());
  }
}

double Feasible::excess(std::span<const std::uint32_t> digits) const {
  double sum = 0;
  for (std::size_t c = 0; c < bounds_.size(); ++c) {
    const double cost = evaluator_.cost_score(c + 1, digits);
    if (std::isnan(cost)) return std::numeric_limits<double>::infinity();
    if (cost > bounds_[c]) sum += (cost - bounds_[c]) / std::max(1e-300, std::abs(bounds_[c]));
  }
  return sum;
}

Digits Feasible::any(RandomDraws& draws) const {
  if (!rows_.empty()) return rows_[draws.below(rows_.size())];
  Digits digits;
  for (const auto radix : evaluator_.problem().part.radices())
    digits.push_back(static_cast<std::uint32_t>(draws.below(radix)));
  return digits;
}

std::optional<Digits> Feasible::draw(RandomDraws& draws) {
  if (none_) return {};
  if (!rows_.empty()) {
    if (rows_within_.empty()) return {};
    return rows_within_[draws.below(rows_within_.size())];
  }
  const SubSpace& part = evaluator_.problem().part;
  for (int i = 0; i < kDraws; ++i) {
    Digits digits = any(draws);
    double beyond = excess(digits);
    for (int step = 0; step < kSteps && beyond > 0; ++step) {
      const auto d = static_cast<std::size_t>(draws.below(digits.size()));
      const std::uint32_t before = digits[d];
      digits[d] = static_cast<std::uint32_t>(draws.below(part.radices()[d]));
      const double after = excess(digits);
      if (after <= beyond)
        beyond = after;
      else
        digits[d] = before;
    }
    if (beyond <= 0) return digits;
    // Within one limit no walk can get lower than this.
    for (const auto& own : cheapest_)
      if (holds(own)) return own;
  }
  none_ = true;
  return {};
}

std::optional<Solution> cheapest(const SearchProblem& problem, std::size_t objective) {
  const Objective& own = problem.objectives[objective];
  const SubSpace& part = problem.part;
  if (!problem.covers_space()) return least_of(problem, objective, choices_of_rows(problem));
  if (!own.model) return {};
  if (std::holds_alternative<IndexTable>(*own.model)) {
    std::vector<std::uint8_t> choices;
    for (ArchIndex i = 0; i < part.size(); ++i) {
      const auto next = part.choices(i);
      choices.insert(choices.end(), next.begin(), next.end());
    }
    return least_of(problem, objective, choices);
  }
  const PredictorKernel kernel(*own.model, part);
  const ScoreFunction view = kernel.view();
  const auto* table = std::get_if<AdditiveTable<double>>(&view);
  if (!table) return {};
  return at(problem, part.choices(least_sum(*table, part, own.maximised() ? -1 : 1)));
}

}  // namespace oneproxy
