#pragma once
// What a search looks for: architectures of a space, or of a part of it, with two or three objectives, and under limits
// on them.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/search/objective.h"
#include "oneproxy/engine/space/subspace.h"

namespace oneproxy {

inline constexpr std::size_t kMaxObjectives = 3;

struct SearchProblem {
  const SubSpace& part;
  const Measurements* data;  // null where all objectives cover the space
  // The first is the goal: the best architecture under limits is the one that is best in it. Ties: the others, in
  // order.
  std::vector<Objective> objectives;  // [2 or 3]

  const Objective& goal() const { return objectives.front(); }
  bool covers_space() const;  // all objectives are known for every architecture
  bool has_kernels() const;   // and the scoring kernels can run them
  bool is_computed() const;   // a function is called for at least one of them
};

// One question: a bound on each objective, an upper one where it is minimised, a lower one where it is maximised. NaN:
// none.
struct Limits {
  std::vector<double> bounds;  // [n_objectives]

  bool allow(const SearchProblem& problem, std::span<const double> values) const;
  std::string text() const;  // the bounds that there are, "25" or "25_40", as results name them
};

// A solution: an architecture with its objectives, by their definition in fp64.
struct Solution {
  std::vector<std::uint8_t> choices;
  std::vector<double> values;  // [n_objectives]
};

// Better in the goal, else in the other objectives, in order.
bool better(const SearchProblem& problem, const Solution& a, const Solution& b);

struct SearchResult {
  std::vector<Solution> front;  // ascending in the second objective (descending where it is maximised)
  // For each of the limits the best solutions within them, best first, at most as many as were asked for; empty where
  // none was found. Ties go to the better second objective, then to the first in order.
  std::vector<std::vector<Solution>> best;
  std::string certainty;  // how sure: "exact: ...", "exact among ..." (of a part alone), "best found: ..."
  // How many architectures of the part the result is about, where that is not as many as were evaluated: bounds cover
  // some that nobody evaluated, and a search with a confidence evaluates some twice.
  std::optional<ArchIndex> n_covered = std::nullopt;

  const Solution* best_of(std::size_t limits) const;  // nullptr: none found
};

// choices [n, n_decisions] -> solutions by definition, in order; what has a NaN is left out.
std::vector<Solution> solve(const SearchProblem& problem, std::span<const std::uint8_t> choices);
// Pareto front and best of solutions; of equal ones the first counts.
std::vector<Solution> front_of(const SearchProblem& problem, const std::vector<Solution>& solutions, Backend backend);
std::vector<std::vector<Solution>> best_of(const SearchProblem& problem, const std::vector<Solution>& solutions,
                                           std::span<const Limits> limits, int n_best);

// Rows of the set that lie in the part, ascending.
std::vector<std::int64_t> rows_of(const SearchProblem& problem);
// Their architectures, choices [n, n_decisions].
std::vector<std::uint8_t> choices_of_rows(const SearchProblem& problem);

// Architectures drawn evenly, choices [n, n_decisions]: of the part where the problem covers the space, else rows of
// the set that lie in it.
std::vector<std::uint8_t> random_architectures(const SearchProblem& problem, std::int64_t n, std::uint64_t seed);

// Limits where nobody gave any: bounds on the second objective that such shares of the architectures keep, of the set
// where the part is the whole space, else of 10,000 random ones.
std::vector<double> limits_at(const SearchProblem& problem, std::span<const double> shares, std::uint64_t seed);

}  // namespace oneproxy
