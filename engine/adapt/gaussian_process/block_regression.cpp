#include "oneproxy/engine/adapt/gaussian_process/block_regression.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "oneproxy/engine/adapt/gaussian_process/many_samples.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double kNu = 4;                 // of Student's t
constexpr double kJitter = 1e-8;          // on the diagonal; raised tenfold where a factor fails
constexpr double kMaxJitter = 1e6;        // of kernels whose mean is 1: the numbers are beyond a double
constexpr double kMinWeight = 1e-6;       // of a point, to be kept for the covariance
constexpr double kSpreadOfPoints = 0.15;  // added to their covariance in a round of importance sampling
constexpr int kLanes = 8;                 // hyper-parameter points that are factored side by side

double radical_inverse(int index, int base) {
  double inverse = 0, step = 1.0 / base;
  for (; index > 0; index /= base, step /= base) inverse += step * (index % base);
  return inverse;
}

// The samples' side: what does not depend on the hyper-parameters.
struct Samples {
  Index n = 0, q = 0;
  RowMajor kernels;  // [n (n + 1) / 2, q] lower triangle of Z_c Z_c', row after row
  MatrixXd means;    // [n, q] rho_c <Z_c, d_c>
  VectorXd y;
};

Samples kernels_of(const BlockLayout& layout, const Eigen::Map<const RowMajor>& z) {
  Samples samples;
  samples.n = z.rows();
  samples.q = layout.n_blocks();
  samples.kernels.resize(samples.n * (samples.n + 1) / 2, samples.q);
  for (Index c = 0; c < samples.q; ++c) {
    const MatrixXd block = z.middleCols(layout.begin[c], layout.begin[c + 1] - layout.begin[c]);
    const MatrixXd kernel = block * block.transpose();
    for (Index i = 0, at = 0; i < samples.n; ++i)
      for (Index j = 0; j <= i; ++j, ++at) samples.kernels(at, c) = kernel(i, j);
  }
  return samples;
}

struct PointResults {
  VectorXd log_likelihood;  // [H]
  MatrixXd alpha;           // [H, n] K^-1 (y - mean)
  MatrixXd inverse_diag;    // [H, n]; empty where not asked for
};

// K = sum th_c K_c + 1 + diag(s r) for kLanes points at once: the lanes are the innermost index, so that every step is
// one vector operation. Where fewer points are left, the last one fills the lanes.
class Lanes {
 public:
  explicit Lanes(const Samples& samples)
      : samples_(samples), n_(samples.n), factor_(n_ * (n_ - 1) / 2), pivot_(n_), column_(n_), th_(samples.q) {}

  // K = L L' at the points from `first` on.
  void factor(const MatrixXd& th, const VectorXd& noise, const VectorXd& scales, Index first) {
    first_ = first;
    count_ = std::min<Index>(kLanes, noise.size() - first);
    for (Index l = 0; l < kLanes; ++l) {
      const Index point = first + std::min(l, count_ - 1);
      for (Index c = 0; c < samples_.q; ++c) th_[c][l] = th(point, c);
      noise_[l] = noise[point];
    }
    double jitter = kJitter;
    while (!factor(scales, jitter)) {
      jitter *= 10;
      if (!(jitter < kMaxJitter))
        throw Error("the measurements are too far apart to be modelled together; look for one of another unit");
    }
  }

  // Log likelihood and alpha.
  void solve(PointResults& out) {
    // Forward: L u = residual; then log|K| and the quadratic form.
    Lane log_det = Lane::Zero(), quadratic = Lane::Zero();
    for (Index i = 0; i < n_; ++i) {
      Lane mean = Lane::Zero();
      for (Index c = 0; c < samples_.q; ++c) mean += samples_.means(i, c) * th_[c].sqrt();
      const Lane* row = at(i);
      Lane u = samples_.y[i] - mean;
      for (Index j = 0; j < i; ++j) u -= row[j] * column_[j];
      u *= pivot_[i];
      quadratic += u * u;
      log_det -= pivot_[i].log();
      column_[i] = u;
    }
    for (Index i = n_ - 1; i >= 0; --i) {  // L' a = u
      Lane u = column_[i];
      for (Index j = i + 1; j < n_; ++j) u -= at(j)[i] * column_[j];
      column_[i] = u * pivot_[i];
    }
    for (Index l = 0; l < count_; ++l) {
      out.log_likelihood[first_ + l] = -0.5 * quadratic[l] - log_det[l];
      for (Index i = 0; i < n_; ++i) out.alpha(first_ + l, i) = column_[i][l];
    }
  }

  // diag K^-1: squared lengths of the columns of L^-1. [points, n]
  void inverse_diagonal(MatrixXd& out) {
    for (Index c = 0; c < n_; ++c) {
      invert_column(c);
      Lane total = Lane::Zero();
      for (Index i = c; i < n_; ++i) total += column_[i] * column_[i];
      for (Index l = 0; l < count_; ++l) out(first_ + l, c) = total[l];
    }
  }

  // Lower triangle of K^-1 = L^-T L^-1, row after row. [n (n + 1) / 2, points]
  void inverse(MatrixXd& out) {
    std::vector<Lane> columns(n_ * n_);  // of L^-1
    for (Index c = 0; c < n_; ++c) {
      invert_column(c);
      std::copy(column_.begin() + c, column_.end(), columns.begin() + c * n_ + c);
    }
    for (Index i = 0, at = 0; i < n_; ++i)
      for (Index j = 0; j <= i; ++j, ++at) {
        const Lane *a = &columns[i * n_], *b = &columns[j * n_];
        Lane total = Lane::Zero();
        for (Index k = i; k < n_; ++k) total += a[k] * b[k];
        for (Index l = 0; l < count_; ++l) out(at, first_ + l) = total[l];
      }
  }

 private:
  using Lane = Eigen::Array<double, kLanes, 1>;
  Lane* at(Index i) { return factor_.data() + i * (i - 1) / 2; }  // row i of L without its diagonal, [i]

  // Column c of L^-1, from row c on.
  void invert_column(Index c) {
    for (Index i = c; i < n_; ++i) {
      const Lane* row = at(i);
      Lane x = Lane::Constant(i == c ? 1.0 : 0.0);
      for (Index j = c; j < i; ++j) x -= row[j] * column_[j];
      column_[i] = x * pivot_[i];
    }
  }

  bool factor(const VectorXd& scales, double jitter) {
    const double* kernel = samples_.kernels.data();
    for (Index i = 0; i < n_; ++i) {
      Lane* a = at(i);
      for (Index j = 0; j <= i; ++j, kernel += samples_.q) {
        const Lane* b = at(j);
        Lane k = Lane::Ones();
        for (Index c = 0; c < samples_.q; ++c) k += th_[c] * kernel[c];
        if (i == j) k += noise_ * scales[i] + jitter;
        for (Index m = 0; m < j; ++m) k -= a[m] * b[m];
        if (i == j && !(k > 0).all()) return false;
        if (i == j)
          pivot_[i] = 1 / k.sqrt();
        else
          a[j] = k * pivot_[j];
      }
    }
    return true;
  }

  const Samples& samples_;
  Index n_, first_ = 0, count_ = 0;
  std::vector<Lane> factor_, pivot_, column_, th_;  // pivot_: 1 / L_ii
  Lane noise_;
};

PointResults solve_points(const Samples& samples, const MatrixXd& th, const VectorXd& noise, const VectorXd& scales,
                          bool with_inverse) {
  const Index h = noise.size();
  PointResults out{VectorXd(h), MatrixXd(h, samples.n), MatrixXd(with_inverse ? h : 0, samples.n)};
  Lanes lanes(samples);
  for (Index first = 0; first < h; first += kLanes) {
    lanes.factor(th, noise, scales, first);
    lanes.solve(out);
    if (with_inverse) lanes.inverse_diagonal(out.inverse_diag);
  }
  return out;
}

VectorXd softmax(const VectorXd& l) {
  const VectorXd e = (l.array() - l.maxCoeff()).exp();
  return e / e.sum();
}

VectorXd student_scales(const PointResults& at, const VectorXd& w, const VectorXd& noise, const VectorXd& scales) {
  VectorXd next(scales.size());
  for (Index i = 0; i < scales.size(); ++i) {
    double e2 = 0;
    for (Index h = 0; h < w.size(); ++h) {
      const double variance = noise[h] * scales[i], residual = variance * at.alpha(h, i);
      e2 += w[h] * (residual * residual + variance - variance * variance * at.inverse_diag(h, i)) / noise[h];
    }
    next[i] = (kNu + e2) / (kNu + 1);
  }
  return next;
}

}  // namespace

std::vector<double> halton_normal(int points, int dims) {
  static const int primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
  ONEPROXY_ASSERT(points > 0 && dims > 0 && dims <= static_cast<int>(std::size(primes)));
  static std::mutex mutex;
  static std::map<std::pair<int, int>, std::vector<double>> made;
  std::lock_guard lock(mutex);
  auto& z = made[{points, dims}];
  if (z.empty())
    for (int h = 0; h < points; ++h)
      for (int d = 0; d < dims; ++d) z.push_back(normal_quantile(radical_inverse(21 + h, primes[d])));
  return z;
}

BlockPosterior fit_blocks(const BlockLayout& layout, const BlockPrior& prior, std::span<const double> direction,
                          std::span<const double> z_rows, std::span<const double> y, std::span<const double> scales,
                          const RegressionOptions& options) {
  const Index n = static_cast<Index>(y.size()), q = layout.n_blocks(), columns = layout.n_columns();
  ONEPROXY_ASSERT(n >= 1 && static_cast<Index>(z_rows.size()) == n * columns &&
                  static_cast<Index>(direction.size()) == columns && static_cast<Index>(scales.size()) == n &&
                  static_cast<Index>(prior.log_mean.size()) == q + 1 &&
                  static_cast<Index>(prior.deviation.size()) == q + 1 && static_cast<Index>(prior.rho.size()) == q);
  if (n > kFewSamples) return fit_many(layout, prior, direction, z_rows, y, scales, options);
  const Eigen::Map<const RowMajor> z(z_rows.data(), n, columns);
  const Eigen::Map<const VectorXd> d(direction.data(), columns);
  Samples samples = kernels_of(layout, z);
  samples.y = Eigen::Map<const VectorXd>(y.data(), n);
  samples.means.resize(n, q);
  for (Index c = 0; c < q; ++c) {
    const Index begin = layout.begin[c], width = layout.begin[c + 1] - begin;
    samples.means.col(c) = prior.rho[c] * (z.middleCols(begin, width) * d.segment(begin, width));
  }

  const int points = options.points;
  const auto halton = halton_normal(points, static_cast<int>(q + 1));
  const Eigen::Map<const RowMajor> normal(halton.data(), points, q + 1);
  const Eigen::Map<const VectorXd> log_mean(prior.log_mean.data(), q + 1), deviation(prior.deviation.data(), q + 1);
  MatrixXd at = normal;  // standardised hyper-parameters of each point
  VectorXd log_prior_ratio = VectorXd::Zero(points);
  VectorXd r = Eigen::Map<const VectorXd>(scales.data(), n);

  MatrixXd th(points, q), log_hyper(points, q + 1);
  VectorXd noise(points), w;
  PointResults results;
  auto unstandardise = [&] {
    log_hyper = (at * deviation.asDiagonal()).rowwise() + log_mean.transpose();
    th = log_hyper.leftCols(q).array().exp();
    noise = log_hyper.col(q).array().exp();
  };
  unstandardise();
  for (int pass = 0; pass < options.passes; ++pass) {
    const bool last = pass + 1 == options.passes;
    results = solve_points(samples, th, noise, r, !last || options.importance_rounds == 0);
    w = softmax(results.log_likelihood);
    if (!last) r = student_scales(results, w, noise, r);
  }
  for (int round = 0; round < options.importance_rounds; ++round) {
    const Eigen::RowVectorXd mean = w.transpose() * at;
    const MatrixXd centred = at.rowwise() - mean;
    MatrixXd covariance = centred.transpose() * w.asDiagonal() * centred;
    covariance.diagonal().array() += kSpreadOfPoints;
    const MatrixXd root = covariance.llt().matrixL();
    at = (normal * root.transpose()).rowwise() + mean;
    const double log_root = root.diagonal().array().log().sum();
    log_prior_ratio = -0.5 * at.rowwise().squaredNorm() + 0.5 * normal.rowwise().squaredNorm();
    log_prior_ratio.array() += log_root;
    unstandardise();
    results = solve_points(samples, th, noise, r, round + 1 == options.importance_rounds);
    w = softmax(results.log_likelihood + log_prior_ratio);
  }

  BlockPosterior posterior;
  posterior.scales.assign(r.data(), r.data() + n);
  posterior.noise = w.dot(noise);
  // y_i - a_i / [K^-1]_ii is the prediction of sample i by the others.
  const VectorXd left_out = samples.y - (results.alpha.array() / results.inverse_diag.array()).matrix().transpose() * w;
  posterior.left_out.assign(left_out.data(), left_out.data() + n);
  posterior.effective_points = 1 / w.squaredNorm();
  const Eigen::RowVectorXd hyper = w.transpose() * log_hyper;
  posterior.log_hyper_mean.assign(hyper.data(), hyper.data() + q + 1);
  for (Index c = 0; c <= q; ++c)
    posterior.log_hyper_variance.push_back((log_hyper.col(c).array() - hyper[c]).square().matrix().dot(w));

  // Weights and constant at every point that counts, and their average over all.
  VectorXd weights = VectorXd::Zero(columns);
  posterior.constant = (results.alpha.rowwise().sum()).dot(w);
  for (Index c = 0; c < q; ++c) {
    const Index begin = layout.begin[c], width = layout.begin[c + 1] - begin;
    const VectorXd scaled = w.array() * th.col(c).array();
    weights.segment(begin, width) = z.middleCols(begin, width).transpose() * (results.alpha.transpose() * scaled) +
                                    prior.rho[c] * w.dot(th.col(c).array().sqrt().matrix()) * d.segment(begin, width);
  }
  posterior.weights.assign(weights.data(), weights.data() + columns);
  for (Index h = 0; h < points; ++h) {
    if (w[h] < kMinWeight) continue;
    posterior.point_weights.push_back(w[h]);
    posterior.point_noise.push_back(noise[h]);
    for (Index c = 0; c < q; ++c) posterior.point_th.push_back(th(h, c));
    const VectorXd projected = z.transpose() * results.alpha.row(h).transpose();
    for (Index c = 0; c < q; ++c)
      for (Index j = layout.begin[c]; j < layout.begin[c + 1]; ++j)
        posterior.point_means.push_back(th(h, c) * projected[j] + prior.rho[c] * std::sqrt(th(h, c)) * d[j]);
    posterior.point_means.push_back(results.alpha.row(h).sum());
  }
  return posterior;
}

// At a point the covariance is D - D Z' K^-1 Z D, and D is constant in a block: so the points' K^-1, [n, n], are summed
// for each pair of blocks, and only the sums meet Z. The constant is one more block.
std::vector<double> weight_covariance(const BlockLayout& layout, const BlockPosterior& posterior,
                                      std::span<const double> z_rows) {
  const Index columns = layout.n_columns(), n = static_cast<Index>(posterior.scales.size()), q = layout.n_blocks();
  if (n > kFewSamples) return covariance_of_many(layout, posterior, z_rows);
  const Index m = static_cast<Index>(posterior.point_weights.size());
  const Eigen::Map<const RowMajor> given(z_rows.data(), n, columns);
  const Eigen::Map<const VectorXd> r(posterior.scales.data(), n), noise(posterior.point_noise.data(), m);
  const Eigen::Map<const RowMajor> means(posterior.point_means.data(), m, columns + 1);
  const Eigen::Map<const RowMajor> point_th(posterior.point_th.data(), m, q);
  VectorXd w = Eigen::Map<const VectorXd>(posterior.point_weights.data(), m);
  w /= w.sum();

  const Samples samples = kernels_of(layout, given);
  const MatrixXd th = point_th;
  MatrixXd inverses(n * (n + 1) / 2, m);
  Lanes lanes(samples);
  for (Index first = 0; first < m; first += kLanes) {
    lanes.factor(th, noise, r, first);
    lanes.inverse(inverses);
  }

  MatrixXd z(n, columns + 1), d(m, q + 1);
  z << given, VectorXd::Ones(n);
  d << th, VectorXd::Ones(m);
  auto begin = layout.begin;
  begin.push_back(static_cast<int>(columns) + 1);
  MatrixXd factors(m, (q + 1) * (q + 2) / 2);
  for (Index a = 0, pair = 0; a <= q; ++a)
    for (Index b = 0; b <= a; ++b, ++pair) factors.col(pair) = w.cwiseProduct(d.col(a)).cwiseProduct(d.col(b));
  const MatrixXd sums = inverses * factors;

  MatrixXd total = MatrixXd::Zero(columns + 1, columns + 1), sum(n, n);
  for (Index a = 0, pair = 0; a <= q; ++a) {
    const auto rows = Eigen::seq(begin[a], begin[a + 1] - 1);
    total.diagonal()(rows).setConstant(w.dot(d.col(a)));
    for (Index b = 0; b <= a; ++b, ++pair) {
      const auto cols = Eigen::seq(begin[b], begin[b + 1] - 1);
      for (Index i = 0, at = 0; i < n; ++i)
        for (Index j = 0; j <= i; ++j, ++at) sum(i, j) = sum(j, i) = sums(at, pair);
      total(rows, cols) -= z(Eigen::all, rows).transpose() * (sum * z(Eigen::all, cols));
    }
  }
  const MatrixXd spread = w.cwiseSqrt().asDiagonal() * (means.rowwise() - w.transpose() * means);
  total.selfadjointView<Eigen::Lower>().rankUpdate(spread.transpose());
  total.triangularView<Eigen::StrictlyUpper>() = total.transpose();
  return {total.data(), total.data() + total.size()};  // symmetric: the order of the indices is all one
}

}  // namespace oneproxy
