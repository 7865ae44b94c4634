#pragma once
// What a report says about repeated trials.
#include <limits>
#include <span>

namespace oneproxy {

// Mean and 10-90 % range of trials, NaN left out.
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
