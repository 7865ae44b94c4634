#pragma once
// How much is still to gain: what all candidates, measured once, would add to what is attained.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/front_loop/belief.h"
#include "oneproxy/engine/front_loop/candidate_pool.h"
#include "oneproxy/engine/front_loop/goal.h"

namespace oneproxy {

// Mean over posterior draws (weights and the noise of each candidate's one measurement; 32, the same for the same seed)
// of the goal's share that the first candidates of the pool, as many as `open` has and those that it says, would add to
// `points` [n, m]. A maximum over noisy values, so mostly above the true gap.
double remaining_gain(const CandidatePool& pool, std::span<const Belief> beliefs, std::span<const char> open,
                      const LoopGoal& goal, std::span<const double> points, std::uint64_t seed);

}  // namespace oneproxy
