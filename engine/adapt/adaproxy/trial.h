#pragma once
// One adaptation of a proxy to a target, as an experiment repeats it: draw architectures, "measure" them
// (look them up), adapt, and only then compare with what was not measured.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/adaproxy/adaproxy.h"
#include "oneproxy/engine/device/measurements.h"

namespace oneproxy {

// The proxy's side: its linear predictor and what it predicts for all rows.
struct ProxyPredictor {
  AdditivePredictor predictor;
  double deviation = 0;              // of the predictions over the proxy's architectures
  std::vector<double> predicted_ms;  // [n]
};
ProxyPredictor fit_proxy(const Measurements& data, const Series& proxy, Backend backend);

struct SampleBudget {
  int training = 60;
  int validation = 10;
  int total() const { return training + validation; }
};

// Rows in the order in which trial number `trial` measures them: the same architectures on every device.
std::vector<std::int64_t> measurement_order(std::int64_t n_rows, std::uint64_t seed, int trial);

struct Trial {
  AdaproxyResult adapted;
  std::vector<std::int64_t> measured;  // rows, training before validation
};

// Error where `target` has fewer measurements than the budget.
void require_samples(const Measurements& data, const Series& target, SampleBudget budget);

// `order` holds every row. Takes the first `budget.total()` rows of `order` that `target` has. Error where it has
// fewer.
Trial adapt_trial(const Measurements& data, const ProxyPredictor& proxy, const Series& target, SampleBudget budget,
                  Norm norm, std::span<const std::int64_t> order);

// SRCC of predictions with the truth: over all rows, and over those that were not measured.
struct Agreement {
  double all = 0, unseen = 0;
};
Agreement agreement(std::span<const double> predicted, const Series& target, std::span<const std::int64_t> measured,
                    Backend backend);

// Predictions for all rows of the set, [n].
std::vector<double> predict_rows(const Measurements& data, const AdditivePredictor& predictor, Backend backend);

}  // namespace oneproxy
