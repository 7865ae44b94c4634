#pragma once
// Candidates with all that a step looks up of them, best quality first.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/gaussian_process/bayes.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

struct CandidatePool {
  std::vector<std::uint8_t> choices;      // [n, n_decisions]
  std::vector<double> quality;            // [n] minimised (of a maximised one its negative), ascending
  std::vector<double> quality_deviation;  // [n] 0: known
  std::vector<std::vector<double>> z;     // [n_measured][n, columns of the model]

  std::int64_t n() const { return static_cast<std::int64_t>(quality.size()); }
};

// Values to be minimised, whatever the objective's direction, [n]; NaN where it is not known.
std::vector<double> minimised_values(const Objective& objective, std::span<const std::uint8_t> choices,
                                     std::size_t n_decisions);

// Without those whose quality is not known.
CandidatePool make_pool(const std::vector<const GaussianProcess*>& models, const Objective& quality,
                        std::span<const std::uint8_t> choices);

}  // namespace oneproxy
