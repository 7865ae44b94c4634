#pragma once
// The method that suits a problem: proven answers where they can be had, else the method that the comparison of
// docs/search.md shows to be the best for the budget. What was chosen is said, and stands in the result's certainty.
#include <memory>
#include <string>

#include "oneproxy/engine/search/method.h"

namespace oneproxy {

// "exact" where all objectives add up over decisions, for it evaluates none of them; "exhaustive" for at most kQuick
// architectures (kQuickComputed, where a function is called for each) that the budget allows; "from_starts" where
// somebody proposes starts, and few evaluations or none are named; "coordinate_descent" for few evaluations; else
// "annealing", or "evolutionary" for problems that the kernels do not run.
std::string suitable_method(const SearchProblem& problem, const SearchQuestion& question);

inline constexpr std::uint64_t kQuick = std::uint64_t{1} << 24;  // a minute on a core for an MLP, seconds for tables
inline constexpr std::uint64_t kQuickComputed = std::uint64_t{1} << 14;  // as many as NAS-Bench-201 has
inline constexpr std::int64_t kFewEvaluations = 30000;                   // a limit

// Reads the keys of all of them.
SearchMethodKind auto_method();

}  // namespace oneproxy
