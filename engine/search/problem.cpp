#include "oneproxy/engine/search/problem.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/front/pareto.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kRandomForLimits = 10000;

// Values of one objective, so that less is better.
double minimised(const SearchProblem& problem, const Solution& solution, std::size_t objective) {
  const double value = solution.values[objective];
  return problem.objectives[objective].maximised() ? -value : value;
}

}  // namespace

bool SearchProblem::covers_space() const {
  return std::all_of(objectives.begin(), objectives.end(), [](const Objective& o) { return o.covers_space(); });
}

bool SearchProblem::has_kernels() const {
  return std::all_of(objectives.begin(), objectives.end(),
                     [](const Objective& o) { return why_no_kernels(o).empty(); });
}

bool SearchProblem::is_computed() const {
  return std::any_of(objectives.begin(), objectives.end(), [](const Objective& o) { return o.is_computed; });
}

bool Limits::allow(const SearchProblem& problem, std::span<const double> values) const {
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (std::isnan(bounds[i])) continue;
    if (!(problem.objectives[i].maximised() ? values[i] >= bounds[i] : values[i] <= bounds[i])) return false;
  }
  return true;
}

std::string Limits::text() const {
  std::string text;
  for (std::size_t i = 1; i <= bounds.size(); ++i) {
    const double bound = bounds[i % bounds.size()];  // that of the goal last
    if (!std::isnan(bound)) text += (text.empty() ? "" : "_") + key_number(bound);
  }
  return text.empty() ? "none" : text;
}

bool better(const SearchProblem& problem, const Solution& a, const Solution& b) {
  for (std::size_t i = 0; i < problem.objectives.size(); ++i)
    if (a.values[i] != b.values[i]) return minimised(problem, a, i) < minimised(problem, b, i);
  return false;
}

const Solution* SearchResult::best_of(std::size_t limits) const {
  return best[limits].empty() ? nullptr : &best[limits].front();
}

std::vector<Solution> solve(const SearchProblem& problem, std::span<const std::uint8_t> choices) {
  const std::size_t width = problem.part.space().n_decisions(), n = choices.size() / width;
  std::vector<std::vector<double>> values;
  for (const auto& objective : problem.objectives) objective.evaluate(choices, values.emplace_back(n));
  std::vector<Solution> solutions;
  for (std::size_t i = 0; i < n; ++i) {
    Solution solution{{choices.begin() + i * width, choices.begin() + (i + 1) * width}, {}};
    for (const auto& column : values) solution.values.push_back(column[i]);
    if (std::none_of(solution.values.begin(), solution.values.end(), [](double v) { return std::isnan(v); }))
      solutions.push_back(std::move(solution));
  }
  return solutions;
}

std::vector<Solution> front_of(const SearchProblem& problem, const std::vector<Solution>& solutions, Backend backend) {
  const std::size_t m = problem.objectives.size();
  std::vector<std::vector<double>> columns(m);
  for (const auto& solution : solutions)
    for (std::size_t i = 0; i < m; ++i) columns[i].push_back(minimised(problem, solution, i));
  for (double& value : columns[0]) value = -value;  // the kernels maximise it
  const auto indices =
      m == 2 ? pareto_front(columns[1], columns[0], backend) : pareto_front(columns[1], columns[0], columns[2]);
  std::vector<Solution> front;
  for (const auto i : indices) front.push_back(solutions[i]);
  return front;
}

std::vector<std::vector<Solution>> best_of(const SearchProblem& problem, const std::vector<Solution>& solutions,
                                           std::span<const Limits> limits, int n_best) {
  std::vector<std::vector<Solution>> best;
  for (const auto& one : limits) {
    std::vector<std::size_t> within;
    for (std::size_t i = 0; i < solutions.size(); ++i)
      if (one.allow(problem, solutions[i].values)) within.push_back(i);
    const auto count = std::min(within.size(), static_cast<std::size_t>(n_best));
    std::partial_sort(within.begin(), within.begin() + static_cast<std::ptrdiff_t>(count), within.end(),
                      [&](std::size_t a, std::size_t b) {
                        if (better(problem, solutions[a], solutions[b])) return true;
                        return !better(problem, solutions[b], solutions[a]) && a < b;
                      });
    best.emplace_back();
    for (std::size_t i = 0; i < count; ++i) best.back().push_back(solutions[within[i]]);
  }
  return best;
}

std::vector<std::int64_t> rows_of(const SearchProblem& problem) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < problem.data->n(); ++i)
    if (problem.part.is_whole() || !problem.part.digits(problem.data->rows().row(i)).empty()) rows.push_back(i);
  return rows;
}

std::vector<std::uint8_t> choices_of_rows(const SearchProblem& problem) {
  std::vector<std::uint8_t> choices;
  for (const auto i : rows_of(problem)) {
    const auto row = problem.data->rows().row(i);
    choices.insert(choices.end(), row.begin(), row.end());
  }
  return choices;
}

std::vector<double> limits_at(const SearchProblem& problem, std::span<const double> shares, std::uint64_t seed) {
  const auto choices = problem.data && problem.part.is_whole() ? problem.data->rows().choices
                                                               : random_architectures(problem, kRandomForLimits, seed);
  const Objective& cost = problem.objectives[1];
  std::vector<double> values(choices.size() / problem.part.space().n_decisions()), limits;
  cost.evaluate(choices, values);
  for (const double share : shares) limits.push_back(quantile(values, cost.maximised() ? 1 - share : share));
  return limits;
}

std::vector<std::uint8_t> random_architectures(const SearchProblem& problem, std::int64_t n, std::uint64_t seed) {
  const Philox random = random_stream(seed, Draws::random_architectures, 0);
  std::vector<std::uint8_t> all;
  std::uint64_t draw = 0;
  const auto rows = problem.covers_space() ? std::vector<std::int64_t>{} : rows_of(problem);
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<std::uint8_t> choices;
    if (problem.covers_space()) {
      std::vector<std::uint32_t> digits;
      for (const auto radix : problem.part.radices())
        digits.push_back(static_cast<std::uint32_t>(random.below(draw++, radix)));
      choices = problem.part.choices(digits);
    } else if (!rows.empty()) {
      const auto row = problem.data->rows().row(rows[random.below(draw++, rows.size())]);
      choices.assign(row.begin(), row.end());
    }
    all.insert(all.end(), choices.begin(), choices.end());
  }
  return all;
}

}  // namespace oneproxy
