#pragma once
// How well predictions agree with what was measured: ranks and relative errors.
#include <cstdint>
#include <span>

#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {

struct PredictionQuality {
  std::int64_t n = 0;  // pairs without NaN
  Correlation srcc, kendall;
  double rmse = 0;                     // in the unit of the values
  double mape = 0;                     // mean of |predicted - measured| / |measured|; NaN where a measured value is 0
  double within_5 = 0, within_10 = 0;  // shares with a relative error of at most 5 % and 10 %; NaN likewise
};

// predicted [n], measured [n]. All NaN where no pair is left.
PredictionQuality prediction_quality(std::span<const double> predicted, std::span<const double> measured,
                                     Backend backend);

}  // namespace oneproxy
