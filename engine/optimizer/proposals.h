#pragma once
// What a trained optimizer proposes for the limits of a search, as its starts (search/methods/from_starts.h).
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/optimizer/policy_file.h"
#include "oneproxy/engine/search/problem.h"

namespace oneproxy {

// Choices [n_limits][at most n][n_decisions] for limits on the second objective, most probable first. `quality`: which
// of the optimizer's is asked, by its name; "" where it was trained for one. `where` names the file in errors. Errors:
// those of Optimizer, a search that is not of a latency with a predictor, an optimizer that weighs energies too, no
// limit, one on another objective, one below the cheapest architecture.
std::vector<std::vector<std::vector<std::uint8_t>>> proposals_for(const SearchProblem& problem,
                                                                  std::span<const Limits> limits,
                                                                  const SavedOptimizer& optimizer,
                                                                  const std::string& quality, int n, std::uint64_t seed,
                                                                  const std::string& where);

}  // namespace oneproxy
