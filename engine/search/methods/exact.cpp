#include "oneproxy/engine/search/methods/exact.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

#include "oneproxy/engine/search/methods/fixed_point.h"
#include "oneproxy/engine/search/methods/k_best.h"
#include "oneproxy/kernels/additive/front.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::string ExactCertificate::text() const {
  char text[400];
  std::snprintf(
      text, sizeof(text),
      "%s in fixed point: steps of %.3g (latency) and %.3g (quality), rounding of the tables at most %.3g and "
      "%.3g a sum",
      exact() ? "exact" : "thinned, certified", latency_step, quality_step, latency_error, quality_error);
  std::string sentence = text;
  if (exact()) return sentence;
  std::snprintf(text, sizeof(text), "; memory_gb thinned the front: no quality is more than %.6g above it",
                quality_gap);
  return sentence + text;
}

namespace {

// The front's best within limits on two objectives beside the quality: f64 decides.
std::vector<ExactSolution> best_of_three(const std::vector<ExactSolution>& front, const ExactLimits& limits) {
  const ExactSolution* best = nullptr;
  for (const auto& point : front)  // ascending latency: ties go to the lower one
    if (point.latency <= limits.latency && point.third <= limits.third && (!best || point.quality > best->quality))
      best = &point;
  return best ? std::vector<ExactSolution>{*best} : std::vector<ExactSolution>{};
}

}  // namespace

ExactResult search_exactly(const ExactProblem& problem, std::span<const ExactLimits> limits,
                           const ExactSettings& settings) {
  const auto radices = problem.radices;
  check_table(problem.latency, radices, "exact search: the latency table");
  check_table(problem.quality, radices, "exact search: the quality table");
  if (problem.third) check_table(*problem.third, radices, "exact search: the third table");
  if (problem.third && settings.n_best > 1)
    throw Error("exact search: the " + std::to_string(settings.n_best) +
                " best within limits are had for two objectives; ask for one, or use method = \"exhaustive\"");

  const std::size_t width = std::accumulate(radices.begin(), radices.end(), std::size_t{0});
  const bool conditional = problem.latency.bias.size() > 1 || problem.quality.bias.size() > 1 ||
                           (problem.third && problem.third->bias.size() > 1);
  std::vector<std::uint8_t> allowed(width * (conditional ? radices[0] : 1), 1);
  mask_missing(problem.latency, radices, allowed);
  mask_missing(problem.quality, radices, allowed);
  if (problem.third) mask_missing(*problem.third, radices, allowed);
  const FixedTable latency = to_fixed(problem.latency, radices), quality = to_fixed(problem.quality, radices);
  FixedTable third;
  AdditiveProblem fixed{radices, latency.view(), quality.view(), {}, allowed};
  if (problem.third) {
    third = to_fixed(*problem.third, radices);
    fixed.third = third.view();
  }

  auto solution = [&](std::vector<std::uint32_t> digits) {
    ExactSolution made{std::move(digits), 0, 0, 0};
    made.latency = additive_score(problem.latency, radices, made.digits.data());
    made.quality = additive_score(problem.quality, radices, made.digits.data());
    if (problem.third) made.third = additive_score(*problem.third, radices, made.digits.data());
    return made;
  };
  const AdditiveFront front = additive_front(fixed, {settings.memory_bytes});
  ExactResult result;
  const std::vector<std::uint32_t> all = front.all_digits();
  for (std::int64_t i = 0; i < front.size(); ++i) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i * radices.size());
    result.front.push_back(solution({begin, begin + static_cast<std::ptrdiff_t>(radices.size())}));
  }
  result.certificate = {latency.step(),
                        quality.step(),
                        problem.third ? third.step() : 0.0,
                        latency.error,
                        quality.error,
                        third.error,
                        static_cast<double>(front.gap()) * quality.step(),
                        front.size(),
                        front.stored_points(),
                        front.peak_bytes()};
  result.best.resize(limits.size());
  if (problem.third) {
    for (std::size_t l = 0; l < limits.size(); ++l) result.best[l] = best_of_three(result.front, limits[l]);
    return result;
  }
  // Rounding may move a latency across the limit: f64 decides among what is within it by a margin.
  const auto margin = latency.margin();
  for (std::size_t l = 0; l < limits.size(); ++l) {
    const std::int64_t limit = latency.in_steps(limits[l].latency);
    auto& best = result.best[l];
    if (settings.n_best > 1 || front.gap() > 0) {
      for (int asked = settings.n_best, had = 0;; asked *= 2) {
        const auto within = k_best(fixed, limit == INT64_MIN ? INT64_MIN : limit + margin, asked);
        had = static_cast<int>(within.size());
        best.clear();
        for (const auto& digits : within)
          if (auto one = solution(digits); one.latency <= limits[l].latency && std::ssize(best) < settings.n_best)
            best.push_back(std::move(one));
        if (std::ssize(best) == settings.n_best || had < asked) break;
      }
      continue;
    }
    std::int64_t i = front.last_within(limit == INT64_MIN ? INT64_MIN : limit + margin);
    while (i >= 0 && !(result.front[i].latency <= limits[l].latency)) --i;
    if (i >= 0) best.push_back(result.front[i]);
  }
  return result;
}

namespace {

bool is_table(const Objective& objective) {
  return objective.model && std::holds_alternative<AdditivePredictor>(*objective.model);
}

}  // namespace

bool adds_up(const SearchProblem& problem) {
  return std::all_of(problem.objectives.begin(), problem.objectives.end(), is_table);
}

SearchResult ExactSearch::search(Evaluator& evaluator) const {
  const SearchProblem& problem = evaluator.problem();
  for (const Objective& objective : problem.objectives)
    if (!is_table(objective))
      throw Error("method = \"exact\" needs objectives that add up over decisions (proxy:, table:, model:); \"" +
                  objective.label + "\" " + (objective.is_computed ? why_no_kernels(objective) : "does not") +
                  ": use method = \"" +
                  (problem.covers_space() && !problem.has_kernels() ? "exhaustive" : "annealing") +
                  "\" or \"evolutionary\"");
  const KernelProblem& kernels = evaluator.kernels();
  const auto table = [&](std::size_t objective) { return std::get<AdditiveTable<double>>(kernels.model(objective)); };
  const bool three = problem.objectives.size() > 2;
  std::vector<ExactLimits> limits;
  for (const auto& one : evaluator.limits())
    limits.push_back(
        {kernels.score_limit(one, 1), three ? kernels.score_limit(one, 2) : std::numeric_limits<double>::infinity()});
  const SubSpace& part = problem.part;
  const ExactResult found = search_exactly(
      {part.radices(), table(1), table(0), three ? std::optional<AdditiveTable<double>>(table(2)) : std::nullopt},
      limits, {memory_bytes_, evaluator.question().n_best});
  evaluator.count_untracked(found.certificate.stored_points);
  const auto to_solution = [&](const ExactSolution& s) {
    Solution solution{part.choices(s.digits), {s.quality, s.latency}};
    if (three) solution.values.push_back(s.third);
    for (std::size_t i = 0; i < solution.values.size(); ++i) {
      const Objective& own = problem.objectives[i];
      const double sign = own.maximised() == (i == 0) ? 1 : -1;  // of the kernels' scores
      solution.values[i] = value_of_score(*own.model, sign * solution.values[i]);
    }
    return solution;
  };
  // Fixed point tells apart what fp64 does not.
  std::vector<Solution> front;
  for (const ExactSolution& s : found.front) front.push_back(to_solution(s));
  SearchResult result;
  result.front = front_of(problem, front, evaluator.question().backend);
  for (std::size_t l = 0; l < found.best.size(); ++l) {
    auto& best = result.best.emplace_back();
    for (const ExactSolution& s : found.best[l]) {
      best.push_back(to_solution(s));
      if (!evaluator.limits()[l].allow(problem, best.back().values)) best.pop_back();  // a limit on the goal itself
    }
  }
  result.certainty = found.certificate.text();
  result.n_covered = problem.part.size();
  return result;
}

SearchMethodKind exact_method() {
  return {"exact",
          "dynamic programming over objectives that add up over decisions",
          true,
          false,
          false,
          [](Config& config) {
            const double gigabytes =
                config.number("memory_gb", 4, 1e-3, 1e6,
                              "exact: memory of the front, GiB; beyond it the front is thinned and says so");
            return std::make_unique<ExactSearch>(static_cast<std::int64_t>(gigabytes * 0x1p30));
          }};
}

}  // namespace oneproxy
