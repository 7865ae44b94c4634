#pragma once
// The block regression (block_regression.h) where samples are many: its cost grows with the cube of their number, and
// the hyper-parameters need no more than some. They are taken from evenly spaced samples, as one point; the noise and
// its scales, and the weights, come from all. The cost is that of least squares.
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/gaussian_process/block_regression.h"

namespace oneproxy {

// Samples up to which fit_blocks averages over hyper-parameters with all of them.
inline constexpr int kFewSamples = 128;

// As fit_blocks, for n > kFewSamples. effective_points is 1; the scales have a mean of 1 (outliers capped), so that the
// noise is the variance of a measurement.
BlockPosterior fit_many(const BlockLayout& layout, const BlockPrior& prior, std::span<const double> direction,
                        std::span<const double> z, std::span<const double> y, std::span<const double> scales,
                        const RegressionOptions& options);

// As weight_covariance, of what fit_many returned.
std::vector<double> covariance_of_many(const BlockLayout& layout, const BlockPosterior& posterior,
                                       std::span<const double> z);

}  // namespace oneproxy
