#pragma once
// A descent that changes several digits at once. What single exchanges gain is known exactly (all of them are scored);
// what joint ones gain is predicted to be the sum, and the most promising are scored: so a stage may give up the
// milliseconds that another one makes better use of, which no single exchange does at a latency limit.
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "oneproxy/kernels/score/models.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {

class JointExchange {
 public:
  using Digits = std::vector<std::uint32_t>;

  // latency: a table over the code's digits. quality: one model over the same code. Both outlive this object.
  // `scored` hears of everything that was scored and lies within the limit.
  JointExchange(const DigitCode& code, const AdditiveTable<double>& latency, const Scorer& quality,
                std::function<void(const Digits& digits, double latency, double quality)> scored);

  // From `start` (within the limit) to a better one, again and again until none is found or `go_on` says no.
  // Scores are those of `quality`; deterministic.
  Digits improve(Digits start, double limit, const std::function<bool()>& go_on);

  std::int64_t n_scored() const { return n_scored_; }

 private:
  // One exchange: digit d gets value v.
  struct Single {
    std::uint32_t value;
    double latency, gain;  // what it adds
  };
  double latency_of(const Digits& digits) const;
  std::vector<std::vector<Single>> singles(const Digits& start, double limit, Digits& best, double& best_quality);
  std::vector<Digits> promising(const Digits& start, const std::vector<std::vector<Single>>& singles,
                                double room) const;
  std::vector<double> score(const std::vector<Digits>& list, double limit);

  DigitCode code_;
  AdditiveTable<double> latency_;
  const Scorer& quality_;
  std::function<void(const Digits&, double, double)> scored_;
  std::int64_t n_scored_ = 0;
};

}  // namespace oneproxy
