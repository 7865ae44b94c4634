#include "oneproxy/engine/base/statistics.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double quantile(std::span<const double> values, double q) {
  std::vector<double> sorted;
  for (const double value : values)
    if (!std::isnan(value)) sorted.push_back(value);
  if (sorted.empty()) throw Error("a quantile of no values was asked for");
  std::sort(sorted.begin(), sorted.end());
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

// By bisection: it is called a few hundred times, and is then the same to the last bit everywhere.
double normal_quantile(double p) {
  double low = -9, high = 9;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

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
