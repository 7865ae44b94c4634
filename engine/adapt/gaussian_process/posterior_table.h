#pragma once
// The posterior of an adapted Gaussian process over its whole space, as tables (engine/predictor/posterior.h).
#include "oneproxy/engine/adapt/gaussian_process/bayes.h"
#include "oneproxy/engine/predictor/posterior.h"

namespace oneproxy {

// Of one measurement of the target, ms. It was adapted to.
MeasurementNoise noise_of(const AdaptedBayes& adapted);

// With C = L L' the covariance of the weights and of the constant, deviation(x)^2 = |L' (Z(x), 1)|^2. Where Z adds up
// over decisions so does L' (Z(x), 1): its values at the rows of a tabulation are rotated to a triangle, which leaves
// the sum of squares alone and at most as many factors as there are free weights. Else the deviation of every
// architecture. Its calibration is the stated one. Errors: not adapted, a space too large for either.
Posterior tabulate_posterior(const GaussianProcess& model, const AdaptedBayes& adapted);

}  // namespace oneproxy
