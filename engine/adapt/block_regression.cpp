#include "engine/adapt/block_regression.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "kernels/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double kNu = 4;                 // of Student's t
constexpr double kJitter = 1e-8;          // on the diagonal; raised tenfold where a factor fails
constexpr double kLeastWeight = 1e-6;     // of a point, to be kept for the covariance
constexpr double kSpreadOfPoints = 0.15;  // added to their covariance in a round of importance sampling
constexpr int kLanes = 8;                 // hyper-parameter points that are factored side by side

double normal_quantile(double p) {
  double low = -9, high = 9;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

double radical_inverse(int index, int base) {
  double inverse = 0, step = 1.0 / base;
  for (; index > 0; index /= base, step /= base) inverse += step * (index % base);
  return inverse;
}

// The samples' side: what does not depend on the hyper-parameters.
struct Samples {
  Index n = 0, q = 0;
  std::vector<MatrixXd> kernels;  // K_c = Z_c Z_c'
  MatrixXd means;                 // [n, q] rho_c <Z_c, d_c>
  VectorXd y;
};

struct PointResults {
  VectorXd log_likelihood;  // [H]
  MatrixXd alpha;           // [H, n] K^-1 (y - mean)
  MatrixXd inverse_diag;    // [H, n]
};

// K = sum th_c K_c + 1 + diag(s r) for kLanes points at once: the lanes are the innermost index, so that every step is
// one vector operation.
class Lanes {
 public:
  explicit Lanes(const Samples& samples)
      : samples_(samples), n_(samples.n), factor_(n_ * (n_ + 1) / 2 * kLanes), column_(n_ * kLanes) {}

  void solve(const MatrixXd& th, const VectorXd& noise, const VectorXd& scales, Index first, PointResults& out) {
    const Index lanes = std::min<Index>(kLanes, noise.size() - first);
    Index point[kLanes];
    for (Index l = 0; l < kLanes; ++l) point[l] = first + std::min(l, lanes - 1);
    double jitter = kJitter;
    while (!factor(th, noise, scales, point, jitter)) {
      jitter *= 10;
      ONEPROXY_ASSERT(jitter < 1e6);
    }
    // Forward: L u = residual; then log|K| and the quadratic form.
    double log_det[kLanes] = {}, quadratic[kLanes] = {};
    for (Index i = 0; i < n_; ++i) {
      double* u = &column_[i * kLanes];
      for (Index l = 0; l < kLanes; ++l) {
        double mean = 0;
        for (Index c = 0; c < samples_.q; ++c) mean += samples_.means(i, c) * std::sqrt(th(point[l], c));
        u[l] = samples_.y[i] - mean;
      }
      for (Index j = 0; j < i; ++j) {
        const double *lij = at(i, j), *uj = &column_[j * kLanes];
        for (int l = 0; l < kLanes; ++l) u[l] -= lij[l] * uj[l];
      }
      const double* pivot = at(i, i);
      for (int l = 0; l < kLanes; ++l) {
        u[l] /= pivot[l];
        quadratic[l] += u[l] * u[l];
        log_det[l] += std::log(pivot[l]);
      }
    }
    for (Index i = n_ - 1; i >= 0; --i) {  // L' a = u
      double* u = &column_[i * kLanes];
      for (Index j = i + 1; j < n_; ++j) {
        const double *lji = at(j, i), *uj = &column_[j * kLanes];
        for (int l = 0; l < kLanes; ++l) u[l] -= lji[l] * uj[l];
      }
      const double* pivot = at(i, i);
      for (int l = 0; l < kLanes; ++l) u[l] /= pivot[l];
    }
    for (Index l = 0; l < lanes; ++l) {
      out.log_likelihood[point[l]] = -0.5 * quadratic[l] - log_det[l];
      for (Index i = 0; i < n_; ++i) out.alpha(point[l], i) = column_[i * kLanes + l];
    }
    // diag K^-1 = squared lengths of the columns of L^-1.
    for (Index c = 0; c < n_; ++c) {
      double total[kLanes] = {};
      for (Index i = c; i < n_; ++i) {
        double* x = &column_[i * kLanes];
        for (int l = 0; l < kLanes; ++l) x[l] = i == c ? 1.0 : 0.0;
        for (Index j = c; j < i; ++j) {
          const double *lij = at(i, j), *xj = &column_[j * kLanes];
          for (int l = 0; l < kLanes; ++l) x[l] -= lij[l] * xj[l];
        }
        const double* pivot = at(i, i);
        for (int l = 0; l < kLanes; ++l) {
          x[l] /= pivot[l];
          total[l] += x[l] * x[l];
        }
      }
      for (Index l = 0; l < lanes; ++l) out.inverse_diag(point[l], c) = total[l];
    }
  }

 private:
  double* at(Index i, Index j) { return &factor_[(i * (i + 1) / 2 + j) * kLanes]; }

  bool factor(const MatrixXd& th, const VectorXd& noise, const VectorXd& scales, const Index* point, double jitter) {
    bool positive = true;
    double scale[kLanes];
    for (Index i = 0; i < n_; ++i) {
      for (Index j = 0; j <= i; ++j) {
        double* k = at(i, j);
        for (int l = 0; l < kLanes; ++l) k[l] = 1;
        for (Index c = 0; c < samples_.q; ++c) {
          const double kernel = samples_.kernels[c](i, j);
          for (int l = 0; l < kLanes; ++l) k[l] += th(point[l], c) * kernel;
        }
        if (i == j)
          for (int l = 0; l < kLanes; ++l) k[l] += noise[point[l]] * scales[i] + jitter;
        for (Index m = 0; m < j; ++m) {
          const double *a = at(i, m), *b = at(j, m);
          for (int l = 0; l < kLanes; ++l) k[l] -= a[l] * b[l];
        }
        if (i == j) {
          for (int l = 0; l < kLanes; ++l) {
            positive = positive && k[l] > 0;
            k[l] = std::sqrt(k[l]);
          }
        } else {
          const double* pivot = at(j, j);
          for (int l = 0; l < kLanes; ++l) scale[l] = 1 / pivot[l];
          for (int l = 0; l < kLanes; ++l) k[l] *= scale[l];
        }
      }
      if (!positive) return false;
    }
    return true;
  }

  const Samples& samples_;
  Index n_;
  std::vector<double> factor_, column_;
};

PointResults solve_points(const Samples& samples, const MatrixXd& th, const VectorXd& noise, const VectorXd& scales) {
  const Index h = noise.size();
  PointResults out{VectorXd(h), MatrixXd(h, samples.n), MatrixXd(h, samples.n)};
  Lanes lanes(samples);
  for (Index first = 0; first < h; first += kLanes) lanes.solve(th, noise, scales, first, out);
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
  const Eigen::Map<const RowMajor> z(z_rows.data(), n, columns);
  const Eigen::Map<const VectorXd> d(direction.data(), columns);
  Samples samples;
  samples.n = n;
  samples.q = q;
  samples.y = Eigen::Map<const VectorXd>(y.data(), n);
  samples.means.resize(n, q);
  for (Index c = 0; c < q; ++c) {
    const Index begin = layout.begin[c], width = layout.begin[c + 1] - begin;
    const MatrixXd block = z.middleCols(begin, width);
    samples.kernels.push_back(block * block.transpose());
    samples.means.col(c) = prior.rho[c] * (block * d.segment(begin, width));
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
  auto place = [&] {
    log_hyper = (at * deviation.asDiagonal()).rowwise() + log_mean.transpose();
    th = log_hyper.leftCols(q).array().exp();
    noise = log_hyper.col(q).array().exp();
  };
  place();
  for (int pass = 0; pass < options.passes; ++pass) {
    results = solve_points(samples, th, noise, r);
    w = softmax(results.log_likelihood);
    if (pass + 1 < options.passes) r = student_scales(results, w, noise, r);
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
    place();
    results = solve_points(samples, th, noise, r);
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
    if (w[h] < kLeastWeight) continue;
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

std::vector<double> weight_covariance(const BlockLayout& layout, const BlockPosterior& posterior,
                                      std::span<const double> z_rows) {
  const Index columns = layout.n_columns(), n = static_cast<Index>(posterior.scales.size()), q = layout.n_blocks();
  const Index m = static_cast<Index>(posterior.point_weights.size());
  MatrixXd z(n, columns + 1);
  z.leftCols(columns) = Eigen::Map<const RowMajor>(z_rows.data(), n, columns);
  z.col(columns).setOnes();
  const Eigen::Map<const VectorXd> r(posterior.scales.data(), n);
  const Eigen::Map<const RowMajor> means(posterior.point_means.data(), m, columns + 1);
  const Eigen::Map<const VectorXd> w(posterior.point_weights.data(), m);
  const Eigen::RowVectorXd mean = w.transpose() * means / w.sum();
  MatrixXd total = MatrixXd::Zero(columns + 1, columns + 1);
  VectorXd prior(columns + 1);
  prior[columns] = 1;
  for (Index h = 0; h < m; ++h) {
    for (Index c = 0; c < q; ++c)
      prior.segment(layout.begin[c], layout.begin[c + 1] - layout.begin[c]).setConstant(posterior.point_th[h * q + c]);
    const MatrixXd scaled = z * prior.asDiagonal();
    MatrixXd k = scaled * z.transpose();
    k.diagonal() += posterior.point_noise[h] * r;
    k.diagonal().array() += kJitter;
    const MatrixXd half = k.llt().matrixL().solve(scaled);
    total.diagonal() += w[h] * prior;
    total.selfadjointView<Eigen::Lower>().rankUpdate(half.transpose(), -w[h]);
    total.selfadjointView<Eigen::Lower>().rankUpdate((means.row(h) - mean).transpose(), w[h]);
  }
  total.triangularView<Eigen::StrictlyUpper>() = total.transpose();
  total /= w.sum();
  const RowMajor covariance = total;
  return {covariance.data(), covariance.data() + covariance.size()};
}

}  // namespace oneproxy
