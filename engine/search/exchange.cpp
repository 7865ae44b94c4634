#include "oneproxy/engine/search/exchange.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/score/score_run.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Digits = std::vector<std::uint32_t>;

bool better(const Solution& a, const Solution& b) {
  return a.quality != b.quality ? a.quality > b.quality : a.latency_ms < b.latency_ms;
}

// Bounds on the errors of scores over the whole part: they hold in every part of it.
struct Margins {
  Margins(const SearchProblem& problem, Precision precision, Backend backend) {
    const KernelModel of_latency(*problem.latency.model, problem.part),
        of_quality(*problem.quality.model, problem.part);
    const Model models[] = {of_latency.view(), of_quality.view()};
    const Scorer scorer(problem.part.code(), models, backend, precision);
    latency = scorer.error_bound(0);
    quality = scorer.error_bound(1);
  }
  double latency, quality;
};

// The best solution within the limit of a part, by definition.
std::optional<Solution> best_of(const SearchProblem& problem, const SubSpace& part, double limit_ms,
                                const Margins& margins, Precision precision, Backend backend, ExchangeResult& result) {
  const KernelModel latency(*problem.latency.model, part), quality(*problem.quality.model, part);
  const Model models[] = {latency.view(), quality.view()};
  const Scorer scorer(part.code(), models, backend, precision);
  ReductionSettings settings;
  settings.front = false;
  settings.best = 1;
  settings.limits = {score_of_value(*problem.latency.model, limit_ms)};
  settings.latency_margin = margins.latency;
  settings.quality_margin = margins.quality;
  const Reduction reduction =
      reduce_run(scorer, {0, static_cast<std::uint64_t>(part.size())}, settings, {}, "exchanges");
  result.exact = result.exact && !reduction.gave_up_margins();
  result.n_scored += static_cast<std::int64_t>(part.size());
  result.n_certificate += static_cast<std::int64_t>(part.size());
  std::optional<Solution> best;
  auto candidates = reduction.best(0);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.index < b.index; });
  std::vector<std::uint8_t> choices;
  for (const auto& candidate : candidates) {
    const auto own = part.choices(candidate.index);
    choices.insert(choices.end(), own.begin(), own.end());
  }
  std::vector<double> latencies(candidates.size()), qualities(candidates.size());
  problem.latency.evaluate(choices, latencies);
  problem.quality.evaluate(choices, qualities);
  const std::size_t width = problem.part.space().n_decisions();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!(latencies[i] <= limit_ms)) continue;
    Solution solution{{choices.begin() + i * width, choices.begin() + (i + 1) * width}, latencies[i], qualities[i]};
    if (!best || better(solution, *best)) best = std::move(solution);
  }
  return best;
}

}  // namespace

ExchangeResult improve_by_exchange(const SearchProblem& problem, const Solution& start, double limit_ms, int digits,
                                   Precision precision, Backend backend) {
  ONEPROXY_ASSERT(problem.covers_space() && (digits == 1 || digits == 2));
  const SubSpace& part = problem.part;
  ExchangeResult result;
  result.solution = start;
  result.digits = digits;
  const Margins margins(problem, precision, backend);
  // Sets of digits to exchange; a set that found nothing since the last improvement need not be tried again.
  std::vector<std::pair<int, int>> sets;
  for (int a = 0; a < part.n_digits(); ++a)
    for (int b = digits == 1 ? a : a + 1; b < (digits == 1 ? a + 1 : part.n_digits()); ++b) sets.push_back({a, b});
  std::size_t in_vain = 0;
  for (std::size_t at = 0; in_vain < sets.size(); at = (at + 1) % sets.size()) {
    check_interrupt();
    const Digits fixed = part.digits(result.solution.choices);
    ONEPROXY_ASSERT(!fixed.empty());
    SubSpace exchanges = part;
    for (int d = 0; d < part.n_digits(); ++d)
      if (d != sets[at].first && d != sets[at].second)
        exchanges.keep(
            d, [&](std::uint32_t value) { return value == part.values(d)[fixed[d]]; }, "exchange");
    const auto best = best_of(problem, exchanges, limit_ms, margins, precision, backend, result);
    if (best && better(*best, result.solution)) {
      result.solution = *best;
      ++result.improvements;
      in_vain = 0;
      result.n_certificate = static_cast<std::int64_t>(exchanges.size());  // the best of these is the new one
    }
    ++in_vain;
  }
  return result;
}

}  // namespace oneproxy
