#pragma once
// A Gaussian process with a few linear blocks, Student-t noise, averaged over fixed hyper-parameter points: no
// optimiser, so nothing fails to converge, and the same samples give the same result.
//
//   y_i = c0 + f(x_i) + e_i      c0 ~ N(0, 1)      e_i ~ N(0, s r_i), r_i the scale of Student's t (nu = 4)
//   f ~ GP( sum_c rho_c sqrt(th_c) <Z_c(x), d_c>,  sum_c th_c <Z_c(x), Z_c(x')> )
//   log th_c ~ N(log_mean_c, deviation_c^2),  log s likewise: the last entry of the prior
//
// Posterior means are averaged over points of a Halton sequence under this prior, weighted by their marginal
// likelihood; two rounds of adaptive importance sampling then move the points to where the weight is. Everything is
// linear in Z, so the result is a weight a column and a constant, with a joint covariance. Many samples:
// many_samples.h.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace oneproxy {

// Columns of a design matrix in blocks: block c has the columns begin[c] .. begin[c + 1] - 1.
struct BlockLayout {
  std::vector<std::string> names;  // [q]
  std::vector<int> begin;          // [q + 1]
  int n_blocks() const { return static_cast<int>(names.size()); }
  int n_columns() const { return begin.back(); }
};

struct BlockPrior {
  std::vector<double> log_mean;   // [q + 1] of log th_c, then of log s
  std::vector<double> deviation;  // [q + 1]
  std::vector<double> rho;        // [q] how much of a block's scale its mean direction carries
};

struct RegressionOptions {
  int points = 256;           // of the Halton sequence
  int passes = 4;             // of the Student-t scales
  int importance_rounds = 2;  // 0: plain average over the prior's points
};

struct BlockPosterior {
  std::vector<double> weights;             // [n_columns]
  double constant = 0;                     // of c0
  double noise = 0;                        // s, averaged
  std::vector<double> scales;              // [n] r: large where a sample is an outlier
  std::vector<double> log_hyper_mean;      // [q + 1] posterior of (log th, log s)
  std::vector<double> log_hyper_variance;  // [q + 1]
  double effective_points = 0;             // 1 / sum of squared weights of the points
  std::vector<double> left_out;            // [n] prediction of each sample by the others, at the averaged points

  // Points that carry weight, for the covariance: [m], [m, q], [m].
  std::vector<double> point_weights, point_th, point_noise;
  std::vector<double> point_means;  // [m, n_columns + 1] weights and constant at each point
};

// z [n, n_columns] row-major; direction [n_columns] is d, block after block; y [n], of about unit deviation; scales [n]
// is where r starts (1, or more for a sample that looks like an outlier at once). n >= 1.
BlockPosterior fit_blocks(const BlockLayout& layout, const BlockPrior& prior, std::span<const double> direction,
                          std::span<const double> z, std::span<const double> y, std::span<const double> scales,
                          const RegressionOptions& options);

// Joint posterior covariance of (weights, constant), [n_columns + 1, n_columns + 1] row-major: mean over the points of
// the covariance at a point, plus the spread of the means.
std::vector<double> weight_covariance(const BlockLayout& layout, const BlockPosterior& posterior,
                                      std::span<const double> z);

// Point h of the unscrambled Halton sequence (primes 2, 3, 5, ..., the first 20 skipped: radical inverses of
// 21 + h), as normal quantiles. [points, dims]
std::vector<double> halton_normal(int points, int dims);

}  // namespace oneproxy
