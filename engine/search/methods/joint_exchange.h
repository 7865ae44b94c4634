#pragma once
// A descent that changes several digits at once. What single exchanges gain is known exactly (all of them are scored);
// what joint ones gain is predicted to be the sum, and the most promising are scored: so a stage may give up the
// milliseconds that another one makes better use of, which no single exchange does at a latency limit.
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "oneproxy/engine/search/evaluator.h"

namespace oneproxy {

class JointExchange {
 public:
  using Digits = std::vector<std::uint32_t>;

  // For problems whose second objective is a table; `limits` is one of the evaluator's. A third objective is only
  // looked at: what passes its limit is not taken.
  JointExchange(Evaluator& evaluator, std::size_t limits);

  // From `start` (within the limits) to a better one, again and again until none is found or `go_on` says no.
  // Scores are the evaluator's fast ones; deterministic.
  Digits improve(Digits start, const std::function<bool()>& go_on);

 private:
  // One exchange: digit d gets value v.
  struct Single {
    std::uint32_t value;
    double latency, gain;  // what it adds
  };
  struct Scored {
    std::vector<std::vector<double>> costs;  // [n_objectives - 1][n]
    std::vector<double> quality;             // [n]
  };
  double latency_of(const Digits& digits) const { return evaluator_.cost_score(1, digits); }
  std::vector<std::vector<Single>> singles(const Digits& start, Digits& best, double& best_quality);
  std::vector<Digits> promising(const Digits& start, const std::vector<std::vector<Single>>& singles,
                                double room) const;
  Scored score(const std::vector<Digits>& list);
  bool within(const Scored& scored, std::size_t i) const;

  Evaluator& evaluator_;
  DigitCode code_;
  bool digit_0_selects_;              // the table: such an exchange changes what all others cost, and does not add up
  std::vector<double> score_limits_;  // of the objectives beside the goal
};

}  // namespace oneproxy
