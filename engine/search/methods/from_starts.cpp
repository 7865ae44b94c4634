#include "oneproxy/engine/search/methods/from_starts.h"

#include <algorithm>
#include <numeric>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/search/joint_changes.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Digits = ScoredProblem::Digits;

// Of one of the limits: the starts that keep it, best first.
std::vector<Digits> good_starts(ScoredProblem& problem, std::size_t limits, double share) {
  const auto& question = problem.evaluator().question();
  std::vector<Digits> starts;
  for (const auto& choices : question.starts[limits]) {
    auto digits = problem.part().digits(choices);  // empty: not in the part that is searched
    if (!digits.empty() && problem.within(problem.costs(digits), limits)) starts.push_back(std::move(digits));
  }
  const auto goals = problem.goals(starts, share);
  std::vector<std::size_t> order(starts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return goals[a] > goals[b]; });
  std::vector<Digits> best;
  for (const auto i : order) best.push_back(starts[i]);
  return best;
}

}  // namespace

SearchResult FromStarts::search(Evaluator& evaluator) const {
  const auto& question = evaluator.question();
  for (std::size_t l = 0; l < question.limits.size(); ++l)
    if (question.starts.size() <= l || question.starts[l].empty())
      throw Error(
          "method = \"from_starts\" begins from architectures that are given; name an optimizer that proposes "
          "them (optimizer = FILE), or take method = \"coordinate_descent\"");
  ScoredProblem problem(evaluator);
  const DigitChoices choices(problem.part());
  const DecisionMoves moves(choices);
  for (std::size_t l = 0; l < question.limits.size(); ++l) {
    check_interrupt();
    const double from = evaluator.has_budget() ? evaluator.spent() : 0, until = evaluator.share_until(l);
    const auto starts = good_starts(problem, l, until);
    // Half of what these limits have, shared out; the other half around the best.
    const auto climbs = std::min(std::ssize(starts), static_cast<std::ptrdiff_t>(settings_.climbs));
    for (std::ptrdiff_t i = 0; i < climbs; ++i) {
      const double share = from + (until - from) * 0.5 * static_cast<double>(i + 1) / static_cast<double>(climbs);
      improve_by_joint_changes(problem, moves, starts[i], l, share);
    }
    RandomDraws draws(random_stream(question.seed, Draws::restarts_from_starts, static_cast<std::uint32_t>(l)));
    improve_by_restarts(problem, moves, l, settings_.exchanges, until, draws);
  }
  return evaluator.found("best found: local search from " +
                         std::to_string(question.starts.empty() ? 0 : question.starts.front().size()) +
                         " proposed architectures a limit");
}

SearchMethodKind from_starts_method() {
  return {"from_starts",
          "local search from the proposals of a trained optimizer (key optimizer)",
          false,
          true,
          true,
          [](Config& config) {
            FromStartsSettings settings;
            settings.climbs = static_cast<int>(
                config.integer("climbs", 16, 1, 1 << 20, "from_starts: of each limit, from its best starts"));
            return std::make_unique<FromStarts>(settings);
          }};
}

}  // namespace oneproxy
