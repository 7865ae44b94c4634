#include "experiments/kinds/statistics.h"

#include <cmath>
#include <iterator>

#include "oneproxy/engine/search/front.h"

namespace oneproxy {

TrialStatistics statistics(std::span<const double> trials) {
  double sum = 0;
  int count = 0;
  for (const double value : trials) {
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  if (count == 0)
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN(),
            std::numeric_limits<double>::quiet_NaN()};
  return {sum / count, quantile(trials, 0.1), quantile(trials, 0.9)};
}

MeanInterval mean_interval(std::span<const double> values) {
  // Quantiles of 97.5 % for 1, 2, ... degrees of freedom.
  static constexpr double t975[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                    2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093};
  MeanInterval result;
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  result.mean = 0;
  for (const double x : values) result.mean += x / n;
  if (values.size() < 2) return result;
  double squares = 0;
  for (const double x : values) squares += (x - result.mean) * (x - result.mean);
  const double t = values.size() - 2 < std::size(t975) ? t975[values.size() - 2] : 1.96 + 2.4 / (n - 1);
  result.half = t * std::sqrt(squares / (n - 1) / n);
  return result;
}

}  // namespace oneproxy
