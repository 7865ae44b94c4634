#include "oneproxy/engine/search/exchange.h"

#include <algorithm>
#include <optional>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/score/reduce_range.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Digits = std::vector<std::uint32_t>;

constexpr std::int64_t kMaxCounted = std::int64_t{1} << 20;  // one by one; more exchanges are counted as a whole

// Bounds on the errors of scores over the whole part: they hold in every part of it.
ReductionSettings settings_of(const Evaluator& evaluator, std::size_t limits) {
  const auto& question = evaluator.question();
  const KernelProblem& kernels = evaluator.kernels();
  const Scorer scorer(kernels.code(), kernels.models(), question.backend, question.precision);
  return kernels.reduction(scorer, std::span(&question.limits[limits], 1), false, 1);
}

std::int64_t n_exchanges(const SubSpace& part, int a, int b) {
  return static_cast<std::int64_t>(part.radices()[a]) * (a == b ? 1 : part.radices()[b]);
}

// Every value of digits a and b (the same: of one digit), the others as they are.
void count_exchanges(Evaluator& evaluator, const Digits& fixed, int a, int b) {
  const auto radices = evaluator.problem().part.radices();
  const std::int64_t n = n_exchanges(evaluator.problem().part, a, b);
  if (n > kMaxCounted) return evaluator.count_untracked(n);
  Digits digits = fixed;
  for (digits[a] = 0; digits[a] < radices[a]; ++digits[a]) {
    if (a == b) {
      evaluator.count(encode_digits(digits.data(), radices.data(), static_cast<int>(digits.size())));
      continue;
    }
    for (digits[b] = 0; digits[b] < radices[b]; ++digits[b])
      evaluator.count(encode_digits(digits.data(), radices.data(), static_cast<int>(digits.size())));
  }
}

// The best solution within the limits of a part, by definition.
std::optional<Solution> best_in(const Evaluator& evaluator, const SubSpace& part, std::size_t limits,
                                const ReductionSettings& settings, ExchangeResult& result) {
  const SearchProblem& problem = evaluator.problem();
  const auto& question = evaluator.question();
  const KernelProblem kernels(problem, part);
  const Scorer scorer(part.code(), kernels.models(), question.backend, question.precision);
  const Reduction reduction =
      reduce_range(scorer, {0, static_cast<std::uint64_t>(part.size())}, settings, "", {}, "exchanges");
  result.exact = result.exact && !reduction.gave_up_margins();
  result.n_certificate += static_cast<std::int64_t>(part.size());
  auto candidates = reduction.best(0);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.index < b.index; });
  std::vector<std::uint8_t> choices;
  for (const auto& candidate : candidates) {
    const auto own = part.choices(candidate.index);
    choices.insert(choices.end(), own.begin(), own.end());
  }
  auto best = best_of(problem, solve(problem, choices), std::span(&question.limits[limits], 1), 1).front();
  return best.empty() ? std::nullopt : std::optional(std::move(best.front()));
}

}  // namespace

ExchangeResult improve_by_exchange(Evaluator& evaluator, const Solution& start, std::size_t limits, int digits) {
  ONEPROXY_ASSERT(evaluator.problem().has_kernels() && (digits == 1 || digits == 2));
  const SubSpace& part = evaluator.problem().part;
  ExchangeResult result;
  result.solution = start;
  result.digits = digits;
  const ReductionSettings settings = settings_of(evaluator, limits);
  // Sets of digits to exchange; a set that found nothing since the last improvement need not be tried again.
  std::vector<std::pair<int, int>> sets;
  for (int a = 0; a < part.n_digits(); ++a)
    for (int b = digits == 1 ? a : a + 1; b < (digits == 1 ? a + 1 : part.n_digits()); ++b) sets.push_back({a, b});
  std::size_t in_vain = 0;
  for (std::size_t at = 0; in_vain < sets.size(); at = (at + 1) % sets.size()) {
    check_interrupt();
    const Digits fixed = part.digits(result.solution.choices);
    ONEPROXY_ASSERT(!fixed.empty());
    const auto [a, b] = sets[at];
    if (evaluator.evaluations_left(1) < n_exchanges(part, a, b)) {
      result.finished = false;
      break;
    }
    SubSpace exchanges = part;
    for (int d = 0; d < part.n_digits(); ++d)
      if (d != a && d != b)
        exchanges.restrict_digit(
            d, [&](std::uint32_t value) { return value == part.values(d)[fixed[d]]; }, "exchange");
    count_exchanges(evaluator, fixed, a, b);
    const auto best = best_in(evaluator, exchanges, limits, settings, result);
    if (best && better(evaluator.problem(), *best, result.solution)) {
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
