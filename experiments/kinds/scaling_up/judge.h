#pragma once
// What an answer is worth on the device as it is: quality lost and limits broken are always said together, because who
// breaks a limit loses no quality.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/optimizer/optima.h"

namespace oneproxy::scaling_up {

struct Verdict {
  bool answered = false;
  double quality = 0, latency = 0;
  double over = 0;    // share by which the limit is broken; 0 where it is kept
  double regret = 0;  // quality of the best that is as fast as the answer, or keeps the limit, minus the answer's
};

// One device's truth.
class Judge {
 public:
  // truth: the latency of every architecture, in the unit of the limits. Refers to the others. `worst_quality`:
  // architectures below it are not on the front, and it is the hypervolume's corner. NaN: the worst there is.
  Judge(const SearchSpace& space, const Optima& optima, const Objective& quality, int quality_number, Predictor truth,
        double worst_quality);

  const Predictor& truth() const { return truth_; }
  Verdict judge(std::span<const std::uint8_t> choices, double limit) const;  // choices empty: no answer
  // Of what the answers [n, n_decisions] dominate, the share of what the true front dominates.
  double hypervolume_share(std::span<const std::uint8_t> answers) const;

 private:
  double hypervolume_of(std::span<const std::uint8_t> choices) const;

  const SearchSpace& space_;
  const Optima& optima_;
  const Objective& quality_;
  int quality_number_;
  Predictor truth_;
  double slowest_ = 0, worst_quality_ = 0, true_hypervolume_ = 0;
};

}  // namespace oneproxy::scaling_up
