#pragma once
// Networks among which the loop chooses what to measure.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/design/candidates.h"
#include "oneproxy/engine/predictor/predictor.h"
#include "oneproxy/engine/search/objective.h"
#include "oneproxy/engine/space/subspace.h"

namespace oneproxy {

class LoopCandidates {
 public:
  virtual ~LoopCandidates() = default;

  // Where all of them are known beforehand: choices [n, n_decisions]; else empty.
  virtual const std::vector<std::uint8_t>& listed() const = 0;
  // Else, from what the measured quantities may be: drawn [n_draws][n_measured] predictors of each quantity, the mean
  // among them. -> choices [n, n_decisions], each once.
  virtual std::vector<std::uint8_t> search(const std::vector<std::vector<Predictor>>& drawn) const = 0;
  // In a random order, for a design; refers to this object.
  virtual std::unique_ptr<Candidates> in_random_order(std::uint64_t seed) const = 0;
  // Qualities of random networks, for the floor.
  virtual std::vector<double> sample_quality() const = 0;
  virtual std::string describe() const = 0;  // "all of nasbench201", "fronts of drawn predictors over all of fbnet"
};

// choices [n, n_decisions]; those without a quality are left out. Error: none has one.
std::shared_ptr<const LoopCandidates> listed_candidates(const SearchSpace& space, std::vector<std::uint8_t> choices,
                                                        const Objective& quality, std::string description);

// Of a part of a space that nobody can enumerate: networks of the fronts of quality against each of the drawn
// predictors, by the method that `auto` search takes (exact where all adds up over decisions). Of two measured
// quantities the fronts against their weighted sums. Error: a quality that does not cover the space.
std::shared_ptr<const LoopCandidates> searched_candidates(const SubSpace& part, const Objective& quality,
                                                          std::uint64_t seed);

}  // namespace oneproxy
