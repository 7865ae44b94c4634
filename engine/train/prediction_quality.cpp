#include "oneproxy/engine/train/prediction_quality.h"

#include <cmath>

namespace oneproxy {

PredictionQuality prediction_quality(std::span<const double> predicted, std::span<const double> measured,
                                     Backend backend) {
  PredictionQuality quality;
  quality.srcc = spearman(predicted, measured, backend);
  quality.kendall = kendall_tau_b(predicted, measured, backend);
  double squares = 0, relative = 0, within_5 = 0, within_10 = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const double error = std::abs(predicted[i] - measured[i]);
    if (std::isnan(error)) continue;
    ++quality.n;
    squares += error * error;
    const double share = measured[i] == 0 ? std::nan("") : error / std::abs(measured[i]);
    relative += share;
    within_5 += share <= 0.05;
    within_10 += share <= 0.10;
  }
  const auto n = static_cast<double>(quality.n);  // 0 / 0 is NaN
  quality.rmse = std::sqrt(squares / n);
  quality.mape = relative / n;
  quality.within_5 = std::isnan(quality.mape) ? quality.mape : within_5 / n;
  quality.within_10 = std::isnan(quality.mape) ? quality.mape : within_10 / n;
  return quality;
}

}  // namespace oneproxy
