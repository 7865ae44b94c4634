#include "oneproxy/engine/predictor/limit_calibration.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kStatedErrors = 199;
constexpr double kStatedWidth = 1.25;
constexpr double kStatedDevices = 2;  // that the stated errors count for beside those that were seen

// Quantile of Student's t with 4 degrees of freedom, in closed form (Shaw, "Sampling Student's T distribution",
// Journal of Computational Finance 9 (2006)).
double student4_quantile(double p) {
  const double alpha = 4 * p * (1 - p);
  const double q = std::cos(std::acos(std::sqrt(alpha)) / 3) / std::sqrt(alpha);
  return std::copysign(2 * std::sqrt(std::max(q - 1, 0.0)), p - 0.5);
}

double stated_error(double p) { return kStatedWidth * student4_quantile(p); }

}  // namespace

double LimitCalibration::spreads(double confidence) const {
  const auto m = static_cast<double>(errors.size());
  const double place = std::ceil(confidence * (m + 1));
  if (!(confidence >= kLeastConfidence && place <= m))
    throw Error("confidence = " + plain(confidence) + " is outside [" + plain(kLeastConfidence) + ", " +
                plain(m / (m + 1)) + "], for which " + std::to_string(errors.size()) + " errors at answers are enough");
  return std::max(errors[static_cast<std::size_t>(place) - 1], 0.0);
}

double LimitCalibration::probability(double margin) const {
  const auto below = std::upper_bound(errors.begin(), errors.end(), margin) - errors.begin();
  return (static_cast<double>(below) + 0.5) / (static_cast<double>(errors.size()) + 1);
}

LimitCalibration stated_calibration() {
  LimitCalibration stated;
  for (int i = 1; i <= kStatedErrors; ++i)
    stated.errors.push_back(stated_error(static_cast<double>(i) / (kStatedErrors + 1)));
  return stated;
}

LimitCalibration calibration_of(std::vector<double> errors, std::int64_t n_devices) {
  if (n_devices == 0 || errors.empty()) return stated_calibration();
  LimitCalibration calibration{std::move(errors), n_devices};
  auto& all = calibration.errors;
  const auto stated = static_cast<std::int64_t>(
      std::ceil(kStatedDevices * static_cast<double>(all.size()) / static_cast<double>(n_devices)));
  for (std::int64_t i = 1; i <= stated; ++i)
    all.push_back(stated_error(static_cast<double>(i) / static_cast<double>(stated + 1)));
  std::sort(all.begin(), all.end());
  return calibration;
}

}  // namespace oneproxy
