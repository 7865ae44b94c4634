#pragma once
// The posterior of an adapted Gaussian process as one Gaussian over its weights, from which the joint distribution of
// any architectures follows.
#include <vector>

#include "oneproxy/engine/adapt/gaussian_process/bayes.h"

namespace oneproxy {

//   value(x) = <mean, (Z(x), 1)> + <L' (Z(x), 1), e>,    e ~ N(0, 1) each, in the unit of the value
struct JointPosterior {
  std::vector<double> mean;  // [n_columns + 1]
  std::vector<double> root;  // [n_columns + 1, n_columns + 1] row-major: L of the covariance L L'
};

// It was adapted to (not from_prior).
JointPosterior joint_posterior(const GaussianProcess& model, const AdaptedBayes& adapted);

}  // namespace oneproxy
