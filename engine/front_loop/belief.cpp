#include "oneproxy/engine/front_loop/belief.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "oneproxy/engine/adapt/gaussian_process/posterior_table.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Map = Eigen::Map<const RowMajor>;

constexpr Index kBlock = 512;  // rows whose factors stay in the cache

// The same posterior with a root that is a lower triangle: half the work for all that multiplies by it.
JointPosterior triangular(JointPosterior joint) {
  const Index size = static_cast<Index>(joint.mean.size());
  Eigen::Map<RowMajor> root(joint.root.data(), size, size);
  const Eigen::HouseholderQR<MatrixXd> rotation(root.transpose());
  const MatrixXd triangle = rotation.matrixQR().triangularView<Eigen::Upper>();
  root = triangle.transpose();
  return joint;
}

}  // namespace

Belief::Belief(const GaussianProcess& model, const AdaptedBayes& adapted, std::span<const double> z)
    : joint_(std::make_shared<const JointPosterior>(triangular(joint_posterior(model, adapted)))),
      noise_(noise_of(adapted)),
      z_(z) {
  const Index columns = model.layout().n_columns(), n = static_cast<Index>(z.size()) / columns;
  const Map rows(z.data(), n, columns), root(joint_->root.data(), columns + 1, columns + 1);
  mean_.resize(n);
  variance_.resize(n);
  Eigen::Map<VectorXd>(mean_.data(), n) =
      (rows * Eigen::Map<const VectorXd>(joint_->mean.data(), columns)).array() + joint_->mean.back();
  const auto triangle = root.topLeftCorner(columns, columns).triangularView<Eigen::Lower>();
  RowMajor factors;
  for (Index begin = 0; begin < n; begin += kBlock) {
    const Index count = std::min(kBlock, n - begin);
    factors.noalias() = rows.middleRows(begin, count) * triangle;
    factors.rowwise() += root.row(columns).head(columns);
    const double of_constant = root(columns, columns) * root(columns, columns);
    Eigen::Map<VectorXd>(variance_.data() + begin, count) = factors.rowwise().squaredNorm().array() + of_constant;
  }
}

Gaussian Belief::value(std::int64_t i) const { return {mean_[i], std::sqrt(variance_[i])}; }

Gaussian Belief::measurement(std::int64_t i) const {
  return {mean_[i], std::sqrt(variance_[i] + noise_.variance(mean_[i]))};
}

double Belief::noise_deviation(std::int64_t i) const { return std::sqrt(noise_.variance(mean_[i])); }

Belief Belief::at(std::span<const std::int64_t> which) const {
  const Index size = static_cast<Index>(joint_->mean.size()), n = std::ssize(which);
  const Map root(joint_->root.data(), size, size);
  Belief some;
  some.joint_ = joint_;
  some.noise_ = noise_;
  some.factors_.resize(n * size);
  RowMajor rows(n, size - 1);
  for (Index i = 0; i < n; ++i) {
    rows.row(i) = Eigen::Map<const Eigen::RowVectorXd>(&z_[which[i] * (size - 1)], size - 1);
    some.mean_.push_back(mean_[which[i]]);
    some.variance_.push_back(variance_[which[i]]);
  }
  Eigen::Map<RowMajor> factors(some.factors_.data(), n, size);
  factors.noalias() = rows * root.topRows(size - 1);
  factors.rowwise() += root.row(size - 1);
  return some;
}

// With X the factors, g_ij = <x_i, x_j> and e the noise of i, conditioning on i leaves the covariance
// g_jk - g_ij g_ik / (g_ii + e), which is that of
//   x_j - (g_ij / g_ii) (1 - sqrt(e / (g_ii + e))) x_i.
void Belief::believe(std::int64_t i) {
  ONEPROXY_ASSERT(!factors_.empty());
  const Index size = static_cast<Index>(joint_->mean.size());
  Eigen::Map<RowMajor> factors(factors_.data(), n(), size);
  const double noise = noise_.variance(mean_[i]);
  if (!(variance_[i] > 0)) return;
  const Eigen::RowVectorXd own = factors.row(i);
  const VectorXd covariance = factors * own.transpose();
  const double shrink = (1 - std::sqrt(noise / (variance_[i] + noise))) / variance_[i];
  factors.noalias() -= shrink * covariance * own;
  Eigen::Map<VectorXd>(variance_.data(), n()) = factors.rowwise().squaredNorm();
}

std::vector<double> Belief::draw(std::span<const double> normal, std::int64_t n_draws) const {
  const Index size = static_cast<Index>(joint_->mean.size());
  const Map root(joint_->root.data(), size, size);
  MatrixXd weights = root * Map(normal.data(), size, n_draws);
  weights.colwise() += Eigen::Map<const VectorXd>(joint_->mean.data(), size);
  std::vector<double> values(n() * n_draws);
  Eigen::Map<RowMajor> out(values.data(), n(), n_draws);
  out.noalias() = Map(z_.data(), n(), size - 1) * weights.topRows(size - 1);
  out.rowwise() += weights.row(size - 1);
  return values;
}

}  // namespace oneproxy
