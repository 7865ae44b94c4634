#pragma once
// What is believed of one measured quantity at the candidates: a joint Gaussian, and the noise of a measurement.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/gaussian_process/joint_posterior.h"
#include "oneproxy/engine/front_loop/expected_improvement.h"
#include "oneproxy/engine/predictor/posterior.h"

namespace oneproxy {

class Belief {
 public:
  // z [n, columns of the model], referred to. The model was adapted to measurements.
  Belief(const GaussianProcess& model, const AdaptedBayes& adapted, std::span<const double> z);

  std::int64_t n() const { return static_cast<std::int64_t>(mean_.size()); }
  std::int64_t n_weights() const { return static_cast<std::int64_t>(joint_->mean.size()); }
  double mean(std::int64_t i) const { return mean_[i]; }
  Gaussian value(std::int64_t i) const;        // of candidate i, without noise
  Gaussian measurement(std::int64_t i) const;  // one of it
  double noise_deviation(std::int64_t i) const;

  // Of some candidates alone, in this order.
  Belief at(std::span<const std::int64_t> which) const;
  // As if candidate i had been measured and had come out at its mean.
  void believe(std::int64_t i);

  // The same function at all candidates, once for each column of `normal` [n_weights, n_draws]: [n, n_draws].
  std::vector<double> draw(std::span<const double> normal, std::int64_t n_draws) const;

 private:
  Belief() = default;
  std::shared_ptr<const JointPosterior> joint_;
  MeasurementNoise noise_;
  std::span<const double> z_;
  std::vector<double> mean_, variance_;  // [n]
  std::vector<double> factors_;          // [n, columns + 1] of at(): variance = squared length
};

}  // namespace oneproxy
