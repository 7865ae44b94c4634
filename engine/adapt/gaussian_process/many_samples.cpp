#include "oneproxy/engine/adapt/gaussian_process/many_samples.h"

#include <Eigen/Dense>
#include <cmath>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double kNu = 4;           // of Student's t
constexpr int kRounds = 10;         // of the noise and its scales
constexpr double kMinNoise = 1e-9;  // of latencies of unit deviation: an exact fit

// Z with a column of ones: the constant is one more weight.
MatrixXd with_constant(const BlockLayout& layout, std::span<const double> z) {
  const Index columns = layout.n_columns(), n = static_cast<Index>(z.size()) / columns;
  MatrixXd all(n, columns + 1);
  all << Eigen::Map<const RowMajor>(z.data(), n, columns), VectorXd::Ones(n);
  return all;
}

// Z' diag(1 / (s r)) Z + diag(1 / th): the posterior precision of the weights.
Eigen::LLT<MatrixXd> precision(const BlockLayout& layout, const MatrixXd& z, std::span<const double> th, double noise,
                               const VectorXd& scales) {
  const Index columns = layout.n_columns();
  MatrixXd a = MatrixXd::Zero(columns + 1, columns + 1);
  const MatrixXd scaled = (scales * noise).cwiseSqrt().cwiseInverse().asDiagonal() * z;
  a.selfadjointView<Eigen::Lower>().rankUpdate(scaled.transpose());
  for (int c = 0; c < layout.n_blocks(); ++c)
    for (int j = layout.begin[c]; j < layout.begin[c + 1]; ++j) a(j, j) += 1 / th[c];
  a(columns, columns) += 1;
  return a.selfadjointView<Eigen::Lower>().llt();
}

}  // namespace

BlockPosterior fit_many(const BlockLayout& layout, const BlockPrior& prior, std::span<const double> direction,
                        std::span<const double> z_rows, std::span<const double> y_values,
                        std::span<const double> scales, const RegressionOptions& options) {
  const Index n = static_cast<Index>(y_values.size()), columns = layout.n_columns(), q = layout.n_blocks();
  ONEPROXY_ASSERT(n > kFewSamples && static_cast<Index>(z_rows.size()) == n * columns);
  std::vector<double> some_z, some_y, some_scales;
  for (Index i = 0; i < kFewSamples; ++i) {
    const Index at = i * n / kFewSamples;
    some_z.insert(some_z.end(), &z_rows[at * columns], &z_rows[at * columns] + columns);
    some_y.push_back(y_values[at]);
    some_scales.push_back(scales[at]);
  }
  BlockPosterior posterior = fit_blocks(layout, prior, direction, some_z, some_y, some_scales, options);

  std::vector<double> th(q);
  VectorXd mean = VectorXd::Zero(columns + 1);  // of the prior
  for (Index c = 0; c < q; ++c) {
    th[c] = std::exp(posterior.log_hyper_mean[c]);
    for (int j = layout.begin[c]; j < layout.begin[c + 1]; ++j)
      mean[j] = prior.rho[c] * std::sqrt(th[c]) * direction[j];
  }
  double noise = std::max(posterior.noise, kMinNoise);
  const MatrixXd z = with_constant(layout, z_rows);
  const Eigen::Map<const VectorXd> y(y_values.data(), n);
  VectorXd r = Eigen::Map<const VectorXd>(scales.data(), n), weights = mean, residual, known;
  for (int round = 0;; ++round) {
    const auto factor = precision(layout, z, th, noise, r);
    const VectorXd precise = (r * noise).cwiseInverse();
    weights = mean + factor.solve(z.transpose() * precise.cwiseProduct(y - z * mean));
    residual = y - z * weights;
    // Posterior variance of the function at each sample.
    known = factor.matrixL().solve(z.transpose()).colwise().squaredNorm().transpose();
    if (round == kRounds) break;
    const VectorXd squares = residual.cwiseAbs2() + known;
    r = (kNu + squares.array() / noise) / (kNu + 1);
    noise = std::max(squares.cwiseQuotient(r).mean(), kMinNoise);
  }

  // Where tails are heavy the noise is wider than s. An outlier counts as one deviation of all latencies: further than
  // that it changes no more ranks.
  const double width = (r * noise).cwiseMin(1.0).mean() / noise;
  noise *= width;
  r /= width;
  posterior.weights.assign(weights.data(), weights.data() + columns);
  posterior.constant = weights[columns];
  posterior.noise = noise;
  posterior.scales.assign(r.data(), r.data() + n);
  posterior.log_hyper_mean.back() = std::log(noise);
  posterior.effective_points = 1;
  const VectorXd leverage = known.cwiseQuotient(r * noise);
  posterior.left_out.resize(n);
  for (Index i = 0; i < n; ++i) posterior.left_out[i] = y[i] - residual[i] / std::max(1 - leverage[i], 1e-12);
  posterior.point_weights = {1.0};
  posterior.point_th = th;
  posterior.point_noise = {noise};
  posterior.point_means.assign(weights.data(), weights.data() + columns + 1);
  return posterior;
}

std::vector<double> covariance_of_many(const BlockLayout& layout, const BlockPosterior& posterior,
                                       std::span<const double> z_rows) {
  ONEPROXY_ASSERT(posterior.point_weights.size() == 1);
  const Eigen::Map<const VectorXd> r(posterior.scales.data(), static_cast<Index>(posterior.scales.size()));
  const auto factor = precision(layout, with_constant(layout, z_rows), posterior.point_th, posterior.noise, r);
  const RowMajor covariance = factor.solve(MatrixXd::Identity(factor.rows(), factor.cols()));
  return {covariance.data(), covariance.data() + covariance.size()};
}

}  // namespace oneproxy
