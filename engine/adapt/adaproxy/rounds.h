#pragma once
// Measuring in rounds until the adapted predictor ranks well enough (the flow chart of the paper).
//   1. Measure training + validation samples, adapt.
//   2. Measure fresh check samples: their SRCC with the adapted predictor decides. Samples that chose lambda do not
//      decide (with 10 of them, 18 % of "SRCC >= 0.9" was false in a trial).
//   3. Threshold reached: stop. Otherwise the check samples join the training samples; repeat until max_samples.
// The last batch of check samples may be smaller, down to kMinCheckSamples; with fewer there is no further round.
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/adaproxy/adaproxy.h"

namespace oneproxy {

inline constexpr int kMinCheckSamples = 5;

struct RoundsPlan {
  int training_samples = 60;
  int validation_samples = 10;
  int check_samples = 20;  // fresh ones a round
  int max_samples = 200;   // measurements in all, failed ones included: never passed
  double threshold = 0.9;  // SRCC on the check samples; an undefined one never reaches it
};

struct RoundsResult {
  AdaproxyResult adapted;              // trained on all but validation and the last check samples
  bool reached = false;                // threshold reached; otherwise stopped by max_samples or the last candidate
  double check_srcc = 0;               // of `adapted`; NaN when undefined, or where failures left too few check samples
  int rounds = 0;                      // predictors adapted
  std::vector<std::int64_t> measured;  // rows, in the order in which they were measured
};

// `candidates`: rows in the order in which to measure them. `choices_of(row)` gives the n_decisions choices of a row;
// `measure(rows)` returns their latencies in ms, NaN for a failed measurement (it is replaced by the next candidate and
// still counts as measured). Only measured rows are asked for their choices. Errors: fewer candidates or max_samples
// than training + validation + check samples, failures that leave fewer than training + validation samples, a plan out
// of range, a wrong number of choices or latencies.
RoundsResult adapt_in_rounds(const AdditivePredictor& proxy, double proxy_deviation, Norm norm, const RoundsPlan& plan,
                             std::span<const std::int64_t> candidates,
                             const std::function<std::span<const std::uint8_t>(std::int64_t)>& choices_of,
                             const std::function<std::vector<double>(std::span<const std::int64_t>)>& measure);

}  // namespace oneproxy
