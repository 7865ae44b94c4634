#pragma once
// The exact answers that the optimizer learns from and is judged by: of one device the best architectures for many
// queries at once. Of a small space, whose values are all known, by looking at every architecture; where latency and
// qualities add up over decisions, by dynamic programming (kernels/additive/front.h). A preference is a weighted sum
//   l_0 quality / spread - l_1 latency - l_2 energy,     latency and energy in standard units
// with the spread of a quality, its best value minus its median, as its unit.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/optimizer/query.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

struct Optimum {
  std::vector<std::uint8_t> choices;  // empty: nothing keeps the limit
  double quality = 0;
};

class Optima {
 public:
  virtual ~Optima() = default;
  // For each query the best, best first, at most k; dynamic programming gives the best alone. `energy` may be null
  // where no preference weighs it. Predictors are in standard units. Thread-safe. Errors: a predictor that does not add
  // up over the decisions of a large space.
  virtual std::vector<std::vector<Optimum>> find(const Predictor& latency, const Predictor* energy,
                                                 std::span<const OptimizerQuery> queries, int k) const = 0;
  // Smallest and largest value of a device's function over the space.
  struct Range {
    double low = 0, high = 0;
  };
  virtual Range range(const Predictor& device) const = 0;
  // The unit of a quality.
  virtual double spread(int quality) const = 0;
  // 1 where the answers are those of the quality itself. Of one that does not add up over the decisions of a large
  // space they are the exact answers of the sum over decisions that comes nearest to it (least squares over the
  // reference): then the share of its variance that the sum explains.
  virtual double explained(int /*quality*/) const { return 1; }
};

// Whichever is exact for these qualities. `reference` [n, n_decisions]: architectures whose median quality is taken,
// and on which sums are fitted. Errors: a quality that is to be minimised, one that is known of no architecture of a
// small space, one that is no predictor on a large one.
std::unique_ptr<Optima> make_optima(const SearchSpace& space, std::span<const Objective> qualities,
                                    std::span<const std::uint8_t> reference);

}  // namespace oneproxy
