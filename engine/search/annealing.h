#pragma once
// Simulated annealing under latency limits (Kirkpatrick, Gelatt, Vecchi, Science 1983) with many chains a limit, scored
// in batches by the kernels, then joint exchanges from the best of them (search/joint_exchange.h). "Best found", never
// "optimal": that many chains agree proves nothing.
#include <cstdint>
#include <span>

#include "oneproxy/engine/search/problem.h"
#include "oneproxy/kernels/base/precision.h"

namespace oneproxy {

struct AnnealingSettings {
  int chains = 60;                        // a limit
  int steps = 4000;                       // of each chain; the temperature falls over all of them
  double seconds = 0;                     // > 0: as many steps as fit (the result then depends on the machine's speed)
  Precision precision = Precision::fp32;  // of the scores that moves are accepted by; results are scored in fp64
  std::uint64_t seed = 1;
};

// Ends with a descent by exchange (search/exchange.h): no change of one digit improves a result. The front is that of
// all that was scored. Both objectives must cover the space (Error). Without `seconds` the same seed gives the same
// result on any number of threads.
SearchResult search_by_annealing(const SearchProblem& problem, std::span<const double> limits_ms,
                                 const AnnealingSettings& settings, Backend backend);

}  // namespace oneproxy
