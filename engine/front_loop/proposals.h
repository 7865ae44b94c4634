#pragma once
// Which candidates to measure next.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/front_loop/belief.h"
#include "oneproxy/engine/front_loop/candidate_pool.h"
#include "oneproxy/engine/front_loop/goal.h"

namespace oneproxy {

struct ProposedCandidate {
  std::int64_t candidate = 0;
  double gain = 0;  // expected, of the goal
};

// At most n of the first candidates of the pool that `open` says, each of the largest expected gain over what was
// measured, `points` [.., m], and over those before it, which are believed to come out at their means. Fewer where
// nothing more is expected to be gained.
std::vector<ProposedCandidate> propose(const CandidatePool& pool, std::span<const Belief> beliefs,
                                       std::span<const char> open, const LoopGoal& goal, std::vector<double> points,
                                       int n);

}  // namespace oneproxy
