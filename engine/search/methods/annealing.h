#pragma once
// Simulated annealing under latency limits (Kirkpatrick, Gelatt, Vecchi, Science 1983) with many chains a limit, scored
// in batches by the kernels, then joint exchanges from the best of them (search/methods/joint_exchange.h). "Best
// found", never "optimal": that many chains agree proves nothing.
#include "oneproxy/engine/search/method.h"

namespace oneproxy {

struct AnnealingSettings {
  int chains = 60;   // for each of the limits
  int steps = 4000;  // of each chain, where there is no budget; the temperature falls over all of them, or over it
};

// Ends with a descent by exchange (search/exchange.h): no change of one digit improves a result. The objectives must
// cover the space, by kernels (Error).
class AnnealingSearch : public SearchMethod {
 public:
  explicit AnnealingSearch(const AnnealingSettings& settings = {}) : settings_(settings) {}
  SearchResult search(Evaluator& evaluator) const override;

 private:
  AnnealingSettings settings_;
};

SearchMethodKind annealing_method();

}  // namespace oneproxy
