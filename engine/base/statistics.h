#pragma once
// Medians, quantiles and intervals of repeated measurements and trials.
#include <limits>
#include <span>
#include <vector>

namespace oneproxy {

// Of an even number the mean of the middle two. `values` is not empty.
double median_of(std::vector<double> values);

// Linear interpolation between order statistics (numpy's default), NaN left out. q in [0, 1]. Error where nothing is
// left.
double quantile(std::span<const double> values, double q);

// The x below which a standard normal variable lies with probability p in (0, 1).
double normal_quantile(double p);

// Mean and 10-90 % range of trials, NaN left out. All NaN where nothing is left.
struct TrialStatistics {
  double mean = 0, q10 = 0, q90 = 0;
};
TrialStatistics statistics(std::span<const double> trials);

// Mean, and half of the 95 % interval of the mean (Student's t). NaN where undefined: of no values, half of one.
struct MeanInterval {
  double mean = std::numeric_limits<double>::quiet_NaN(), half = std::numeric_limits<double>::quiet_NaN();
};
MeanInterval mean_interval(std::span<const double> values);

}  // namespace oneproxy
