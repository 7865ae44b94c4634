#pragma once
// How far from a limit to stay so that it holds with a confidence, learnt from errors at the answers of searches.
#include <cstdint>
#include <vector>

namespace oneproxy {

// Errors (measured - predicted) / spread at the answers of searches, where another predictor of the same making said
// what to take. A search takes what looks fast, so they are larger than over random architectures.
// Source: split conformal prediction, Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World" (2005).
struct LimitCalibration {
  std::vector<double> errors;  // [m >= 1] ascending
  std::int64_t n_devices = 0;  // that showed them; 0: none, they are stated (stated_calibration)

  // Spreads to keep from a limit, at least 0. Error for a confidence outside [kLeastConfidence, m / (m + 1)].
  double spreads(double confidence) const;
  // That a value so many spreads within a limit keeps it, in (0, 1).
  double probability(double margin) const;
};

// Among the rows of a set a search seldom has an architecture right at its limit; over a whole space it has, and far
// from any measurement. So their errors are told apart.
struct LimitCalibrations {
  LimitCalibration over_rows;
  LimitCalibration over_space;  // no errors: predictors do not add up over decisions, and their spaces are small
};

inline constexpr double kLeastConfidence = 0.5;
inline constexpr double kMostConfidence = 0.99;  // that anybody may ask for

// Without devices to learn from: 199 quantiles of Student's t with 4 degrees of freedom, 1.25 times as wide
// (docs/few_shot.md says what it was compared with).
LimitCalibration stated_calibration();

// Errors that devices showed. Few devices say little of their tails: the stated ones count as two further devices.
LimitCalibration calibration_of(std::vector<double> errors, std::int64_t n_devices);

}  // namespace oneproxy
