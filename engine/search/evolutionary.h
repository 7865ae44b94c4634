#pragma once
// Evolutionary search under latency limits, the other search of the OneProxy paper (after Cai et al.,
// "Once-for-All", ICLR 2020): a population within the limit, the best become parents, children come from
// mutation and crossover. "Best found", never "optimal".
#include <cstdint>
#include <span>

#include "oneproxy/engine/search/problem.h"

namespace oneproxy {

struct EvolutionSettings {
  int population = 100;
  int generations = 50;
  double parent_share = 0.25;   // of the population, the best ones
  double mutation_share = 0.5;  // of the children; the others come from crossover
  double mutation_rate = 0.1;   // for each decision of a mutated child
  int patience = 50;            // batches without a feasible child before a limit is given up
  std::uint64_t seed = 1;
};

// One population a limit, each with its own stream of draws. The front is that of all that was evaluated.
// The same seed gives the same result on any number of threads.
SearchResult search_evolutionarily(const SearchProblem& problem, std::span<const double> limits_ms,
                                   const EvolutionSettings& settings, Backend backend);

}  // namespace oneproxy
