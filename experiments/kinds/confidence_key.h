#pragma once
// The key `confidence` of a search.
#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/predictor/limit_calibration.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

inline void check_confidence(double confidence, const std::string& where) {
  if (confidence == 0 || (confidence >= kLeastConfidence && confidence <= kMostConfidence)) return;
  throw Error(where + ": confidence = " + plain(confidence) + " should be 0 (limits on predicted values), or from " +
              plain(kLeastConfidence) + " to " + plain(kMostConfidence));
}

inline double read_confidence(Config& config) {
  const double confidence = config.number("confidence", 0, 0, 1,
                                          "limits on predicted values of an adapted table hold with this probability; "
                                          "0: they are limits on the predicted values");
  check_confidence(confidence, config.location("confidence"));
  return confidence;
}

}  // namespace oneproxy
