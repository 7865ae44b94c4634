#include "oneproxy/engine/search/asked_objectives.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/search/confidence.h"
#include "oneproxy/engine/search/feasible.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::string begin(const std::string& place) { return place.empty() ? "" : place + ": "; }

std::size_t most_limits(std::span<const AskedObjective> asked) {
  std::size_t n = 0;
  for (const auto& one : asked) n = std::max(n, one.limits.size());
  return n;
}

}  // namespace

void check_objectives(std::span<const AskedObjective> asked) {
  const std::size_t n_limits = most_limits(asked);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (asked[i].limits.size() > 1 && asked[i].limits.size() != n_limits)
      throw Error(begin(asked[i].place) + asked[i].name + " has " + std::to_string(asked[i].limits.size()) +
                  " limits, another objective has " + std::to_string(n_limits) +
                  "; give each one, or as many as the other");
    for (std::size_t j = 0; j < i; ++j)
      if (asked[i].name == asked[j].name)
        throw Error(begin(asked[i].place) + "two objectives are called " + asked[i].name +
                    "; results could not tell them apart");
  }
}

std::vector<Objective> make_objectives(ObjectiveSources sources, std::span<const AskedObjective> asked) {
  std::vector<Objective> objectives;
  for (const auto& one : asked) {
    sources.folder = one.folder;
    if (one.compute)
      objectives.push_back(computed_objective({one.name, one.name, one.unit, one.direction.value()},
                                              sources.space.n_decisions(), one.compute));
    else
      objectives.push_back(make_objective(sources, one.what, one.key, one.direction));
    objectives.back().name = one.name;
    if (!one.limit_unit.empty() && one.limit_unit != objectives.back().unit)
      throw Error(begin(one.place) + "the limits on " + one.what + " are in " + one.limit_unit + ", and it is " +
                  (objectives.back().unit.empty() ? "a number without a unit; write the limits without one"
                                                  : "in " + objectives.back().unit));
    // A cost as the goal stands for what nobody measured; as a limit it is itself.
    if (objectives.size() > 1) objectives.back().is_stand_in = false;
  }
  calibrate_for_space(objectives);
  return objectives;
}

std::string stand_in_warning(const Objective& goal, const std::string& what) {
  if (!goal.is_stand_in) return "";
  return "the goal is " + what + ": " + goal.label +
         ", a stand-in for accuracy that nobody measured; docs/search.md says how well it ranks";
}

std::vector<Limits> limits_of(std::span<const AskedObjective> asked) {
  std::vector<Limits> all;
  for (std::size_t l = 0; l < most_limits(asked); ++l) {
    Limits limits;
    for (const auto& one : asked)
      limits.bounds.push_back(one.limits.empty() ? std::nan("") : one.limits[one.limits.size() == 1 ? 0 : l]);
    const auto same = [&](const Limits& other) { return other.text() == limits.text(); };
    if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(limits));
  }
  return all;
}

void require_possible(const SearchProblem& problem, std::span<const Limits> limits,
                      std::span<const AskedObjective> asked) {
  for (std::size_t i = 1; i < problem.objectives.size(); ++i) {
    const Objective& objective = problem.objectives[i];
    const bool bounded =
        std::any_of(limits.begin(), limits.end(), [&](const Limits& one) { return !std::isnan(one.bounds[i]); });
    const auto least = bounded ? cheapest(problem, i) : std::nullopt;
    if (!least) continue;
    for (const auto& one : limits) {
      const double bound = one.bounds[i], value = least->values[i];
      if (std::isnan(bound) || (objective.maximised() ? value >= bound : value <= bound)) continue;
      throw Error(begin(asked[i].place) + "no architecture of " + problem.part.describe() + " has " + objective.label +
                  (objective.maximised() ? " >= " : " <= ") + plain(bound) + "; the " +
                  (objective.maximised() ? "largest" : "smallest") + " has " + plain(value) + ": " +
                  problem.part.space().to_string(least->choices) + "; " + (objective.maximised() ? "lower" : "raise") +
                  " the limit");
    }
  }
}

void require_budget(const SearchMethodKind& method, const SearchBudget& budget, const std::string& place_of_seconds,
                    const std::string& place_of_evaluations) {
  const std::string why =
      ": method " + method.name + " keeps to no budget, it ends by itself; remove it, or use another method";
  if (budget.seconds > 0 && !method.takes_seconds)
    throw Error(begin(place_of_seconds) + "seconds = " + plain(budget.seconds) + why);
  if (budget.evaluations > 0 && !method.takes_evaluations)
    throw Error(begin(place_of_evaluations) + "evaluations = " + std::to_string(budget.evaluations) + why);
}

}  // namespace oneproxy
