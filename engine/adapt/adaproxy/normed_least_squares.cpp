#include "oneproxy/engine/adapt/adaproxy/normed_least_squares.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kZeroColumn = 1e-10;  // of the longest column
constexpr double kRank = 1e-11;        // of the largest pivot; dependent one-hot columns leave about 1e-15
constexpr double kTie = 1e-10;         // of mu, p = inf: of mu / dims: multipliers below count as zero
constexpr double kStray = 1e-9;        // of q: above, q is outside the range of M'; well above what ties leave
constexpr double kBound = 1e-10;       // of max |x|: a bound passed by less does not stop a full step; M is flat there
constexpr double kLeastNorm = 1e-10;   // of max |b|: second-order multipliers below count as zero
constexpr double kSnap = 1e-13;        // of max |b|: nearer to a bound counts as on it
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// v less its part in the span of the orthonormal columns of q; twice, so that what is left is orthogonal to its own
// size.
VectorXd without_span(const MatrixXd& q, const VectorXd& v) {
  const VectorXd once = v - q * (q.transpose() * v);
  return once - q * (q.transpose() * once);
}

std::span<const double> view(const VectorXd& v) { return {v.data(), static_cast<std::size_t>(v.size())}; }

// The search for p = 1 and p = inf. A face is given by one sign a column:
//   p = 1    +-1: b_j has this sign or is 0;   0: b_j = 0
//   p = inf  +-1: b_j = +-t;                    0: |b_j| <= t       with t = ||b||_inf
class FaceSearch {
 public:
  FaceSearch(const MatrixXd& a, const VectorXd& r, const VectorXd& lengths, Norm norm, double mu)
      : a_(a), r_(r), lengths_(lengths), l1_(norm == Norm::l1), mu_(mu), sign_(a.cols()), b_(VectorXd::Zero(a.cols())) {
    sign_.setZero();
  }

  void start_at_zero() {
    if (l1_) return;
    const VectorXd z = a_.transpose() * r_;
    for (Index j = 0; j < z.size(); ++j) sign_[j] = z[j] < 0 ? -1 : 1;
  }

  void start_at(const VectorXd& b) {
    b_ = b;
    t_ = b.lpNorm<Eigen::Infinity>();
    for (Index j = 0; j < b.size(); ++j) {
      if (l1_ ? b[j] != 0 : std::abs(b[j]) == t_) sign_[j] = b[j] < 0 ? -1 : 1;
    }
  }

  void run() {
    const Index limit = 200 + 40 * a_.cols();
    for (Index iteration = 0; iteration < limit; ++iteration) {
      set_basis();
      const Index blocking = move();
      if (blocking >= 0) {
        sign_[blocking] = l1_ ? 0 : b_[blocking] < 0 ? -1 : 1;
        b_[blocking] = l1_ ? 0 : sign_[blocking] * t_;
        continue;
      }
      const Index entering = worst_multiplier();
      if (entering < 0) {
        snap();
        return;
      }
      sign_[entering] = l1_ ? (z_[entering] < 0 ? -1 : 1) : 0;
    }
    assertion_failed("the search over faces ends", __FILE__, __LINE__);
  }

  const VectorXd& b() const { return b_; }
  const VectorXd& residual() const { return theta_; }

 private:
  // M = A S, q = S' gradient of the penalty, x with b = S x. p = inf: the last column of S is the common sign
  // pattern, of unit length.
  void set_basis() {
    free_.clear();
    Index held = 0;
    for (Index j = 0; j < a_.cols(); ++j) {
      if ((sign_[j] != 0) == l1_) free_.push_back(j);
      held += sign_[j] != 0;
    }
    const Index n_free = static_cast<Index>(free_.size()), n = l1_ ? n_free : n_free + 1;
    m_.resize(a_.rows(), n);
    x_.resize(n);
    for (Index i = 0; i < n_free; ++i) {
      const Index j = free_[i];
      const double sign = l1_ ? sign_[j] : 1;
      m_.col(i) = sign * a_.col(j);
      x_[i] = sign * b_[j];
    }
    if (l1_) {
      q_ = VectorXd::Constant(n, mu_);
      return;
    }
    ONEPROXY_ASSERT(held > 0);
    root_held_ = std::sqrt(static_cast<double>(held));
    m_.col(n_free).noalias() = a_ * sign_.cast<double>() / root_held_;
    x_[n_free] = t_ * root_held_;
    q_ = VectorXd::Zero(n);
    q_[n_free] = mu_ / root_held_;
  }

  // Goes towards the minimum on the face until a bound stops it: returns that coordinate, or -1 after a full step.
  Index move() {
    if (x_.size() == 0) {  // p = 1, b = 0
      theta_ = r_;
      z_.noalias() = a_.transpose() * theta_;
      return -1;
    }
    m_factors_.setThreshold(kRank);
    m_factors_.compute(m_);
    VectorXd theta = m_factors_.transpose().solve(q_);
    const VectorXd stray = q_ - m_.transpose() * theta;
    const bool has_minimum = stray.lpNorm<Eigen::Infinity>() <= kStray * q_.lpNorm<Eigen::Infinity>();
    VectorXd target;
    if (has_minimum) {
      target = m_factors_.solve(r_ - theta);
      // The residual there; correcting it to M' theta = q leaves an error relative to theta, not to r.
      theta = r_ - m_ * target;
      theta -= VectorXd(m_factors_.transpose().solve(m_.transpose() * theta - q_));
    } else {
      target = x_ - stray;  // lowers the penalty and leaves A b as it is, as far as the bounds allow
    }
    const VectorXd direction = target - x_;
    const auto [step, blocking] = longest_step(target, direction, has_minimum);
    if (blocking < 0 && !has_minimum) assertion_failed("a bound stops the descent", __FILE__, __LINE__);
    set_point(blocking < 0 ? target : VectorXd(x_ + step * direction));
    if (blocking < 0) {
      theta_ = theta;
      z_.noalias() = a_.transpose() * theta_;
    }
    return blocking;
  }

  struct Step {
    double length;
    Index blocking;  // -1: none before the target
  };

  Step longest_step(const VectorXd& target, const VectorXd& direction, bool has_minimum) const {
    Step best{has_minimum ? 1.0 : std::numeric_limits<double>::infinity(), -1};
    // Ties put targets on their bounds; rounding must not let those stop the step.
    const double slack = has_minimum ? kBound * std::max(x_.lpNorm<Eigen::Infinity>(), target.lpNorm<Eigen::Infinity>())
                                     : kRank * direction.lpNorm<Eigen::Infinity>();
    // A bound `room` ahead, approached with `speed`.
    const auto consider = [&](double room, double speed, Index j) {
      room = std::max(room, 0.0);
      if (speed > slack + (has_minimum ? room : 0) && room < best.length * speed) best = {room / speed, j};
    };
    const double growth = l1_ ? 0 : direction[direction.size() - 1] / root_held_;
    for (std::size_t i = 0; i < free_.size(); ++i) {
      if (l1_) {
        consider(x_[i], -direction[i], free_[i]);
      } else {
        consider(t_ - x_[i], direction[i] - growth, free_[i]);
        consider(t_ + x_[i], -direction[i] - growth, free_[i]);
      }
    }
    return best;
  }

  void set_point(const VectorXd& x) {
    x_ = x;
    if (!l1_) {
      t_ = x_[x_.size() - 1] / root_held_;
      b_ = t_ * sign_.cast<double>();
    }
    for (std::size_t i = 0; i < free_.size(); ++i) {
      const Index j = free_[i];
      b_[j] = l1_ ? sign_[j] * std::max(x_[i], 0.0) : std::clamp(x_[i], -t_, t_);
    }
  }

  // What rounding holds off its bound.
  void snap() {
    const double small = kSnap * b_.lpNorm<Eigen::Infinity>();
    for (const Index j : free_) {
      if (l1_ && std::abs(b_[j]) <= small) b_[j] = 0;
      if (!l1_ && t_ - std::abs(b_[j]) <= small) b_[j] = b_[j] < 0 ? -t_ : t_;
    }
  }

  // The coordinate that gains most by leaving its bound, -1 where none gains: then b_ is the result.
  Index worst_multiplier() {
    const double theta_norm = theta_.norm();
    const double mu_share = l1_ ? mu_ : mu_ / static_cast<double>(a_.cols());
    Index worst = -1;
    double gain = 0;
    std::vector<Index> ties;
    for (Index j = 0; j < a_.cols(); ++j) {
      if ((sign_[j] != 0) == l1_) continue;
      const double excess = l1_ ? std::abs(z_[j]) - mu_ : -sign_[j] * z_[j];
      const double tie = std::max(kTie * mu_share, 64 * kEpsilon * lengths_[j] * theta_norm);
      if (excess > tie && excess > gain) {
        gain = excess;
        worst = j;
      } else if (std::abs(excess) <= tie) {
        ties.push_back(j);
      }
    }
    if (worst >= 0 || ties.empty() || x_.size() == 0) return worst;

    // No first-order gain: ||b||_2 decides among the ties.
    const VectorXd nu = m_factors_.transpose().solve(x_);
    gain = kLeastNorm * b_.lpNorm<Eigen::Infinity>();
    for (const Index j : ties) {
      const double pull = a_.col(j).dot(nu);
      const double excess = l1_ ? (z_[j] < 0 ? -pull : pull) : sign_[j] * (b_[j] - pull);
      if (excess > gain) {
        gain = excess;
        worst = j;
      }
    }
    return worst;
  }

  const MatrixXd& a_;
  const VectorXd& r_;
  const VectorXd& lengths_;  // of the columns
  const bool l1_;
  const double mu_;

  Eigen::VectorXi sign_;
  VectorXd b_;
  double t_ = 0;  // p = inf: ||b||_inf

  std::vector<Index> free_;
  MatrixXd m_;
  VectorXd x_, q_;
  double root_held_ = 0;
  Eigen::CompleteOrthogonalDecomposition<MatrixXd> m_factors_;
  VectorXd theta_, z_;  // r - A b and A' (r - A b) after a full step
};

}  // namespace

struct NormedLeastSquares::State {
  Norm norm = Norm::l2;
  Index dims = 0;
  std::vector<Index> kept;  // columns that are not zero
  MatrixXd back;            // [rows, rank] orthonormal basis of their span
  MatrixXd a;               // those columns in that basis
  VectorXd r;               // r in that basis
  VectorXd unmapped;        // the rest of r
  VectorXd lengths;
  double mu_max = 0;
  // p = 2: A = u diag(s) v', coordinates = u'r
  VectorXd s, coordinates;
  MatrixXd u, v;

  // b and residual, of the kept columns and mapped rows.
  struct Point {
    VectorXd b, residual;
  };
  Point solve_l2(double mu) const;
  Point solve_face(double mu, std::span<const double> start) const;
};

NormedLeastSquares::NormedLeastSquares(std::span<const double> a, std::span<const double> r, Norm norm)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.norm = norm;
  const Index rows = static_cast<Index>(r.size());
  ONEPROXY_ASSERT(rows > 0 && static_cast<Index>(a.size()) % rows == 0);
  s.dims = static_cast<Index>(a.size()) / rows;
  const Eigen::Map<const MatrixXd> all(a.data(), rows, s.dims);
  const Eigen::Map<const VectorXd> target(r.data(), rows);

  const VectorXd lengths = all.colwise().norm();
  const double longest = s.dims > 0 ? lengths.maxCoeff() : 0;
  for (Index j = 0; j < s.dims; ++j) {
    if (lengths[j] > kZeroColumn * longest) s.kept.push_back(j);
  }
  s.lengths = lengths(s.kept);
  s.back.resize(rows, 0);
  s.unmapped = target;
  if (s.kept.empty()) return;

  // Rows that hold nothing but the rounding of dependent columns would make exact ties inexact.
  Eigen::ColPivHouseholderQR<MatrixXd> qr;
  qr.setThreshold(kRank);
  qr.compute(all(Eigen::all, s.kept));
  const Index rank = qr.rank();
  s.back = qr.householderQ() * MatrixXd::Identity(rows, rank);
  s.a = qr.matrixQR().topRows(rank).triangularView<Eigen::Upper>().toDenseMatrix() * qr.colsPermutation().transpose();
  s.r = s.back.transpose() * target;
  s.unmapped = without_span(s.back, target);
  const VectorXd z = s.a.transpose() * s.r;
  s.mu_max = norm_value(dual(norm), view(z));
  if (norm != Norm::l2) return;

  // Jacobi's, because BDCSVD of Eigen 3.4 returned factors that were off by 1e-7 on some of these matrices.
  const Eigen::JacobiSVD<MatrixXd> svd(s.a, Eigen::ComputeThinU | Eigen::ComputeThinV);
  s.s = svd.singularValues();
  s.u = svd.matrixU();
  s.v = svd.matrixV();
  s.coordinates = s.u.transpose() * s.r;
}

NormedLeastSquares::~NormedLeastSquares() = default;
NormedLeastSquares::NormedLeastSquares(NormedLeastSquares&&) noexcept = default;
NormedLeastSquares& NormedLeastSquares::operator=(NormedLeastSquares&&) noexcept = default;

double NormedLeastSquares::mu_max() const { return state_->mu_max; }

NormedMinimiser NormedLeastSquares::solve(double mu, std::span<const double> start) const {
  const State& s = *state_;
  ONEPROXY_ASSERT((mu > 0 || mu >= state_->mu_max) && (start.empty() || static_cast<Index>(start.size()) == s.dims));
  State::Point point{VectorXd::Zero(static_cast<Index>(s.kept.size())), s.r};
  if (mu < s.mu_max) point = s.norm == Norm::l2 ? s.solve_l2(mu) : s.solve_face(mu, start);

  NormedMinimiser result;
  result.b.assign(s.dims, 0.0);
  for (std::size_t i = 0; i < s.kept.size(); ++i) result.b[s.kept[i]] = point.b[static_cast<Index>(i)];
  const VectorXd residual = s.unmapped + s.back * point.residual;
  result.residual.assign(residual.begin(), residual.end());
  return result;
}

// Newton on log(m ||b(m)||) = log(mu) in log(m), which rises with slope in (0, 1], inside a bracket.
NormedLeastSquares::State::Point NormedLeastSquares::State::solve_l2(double mu) const {
  const VectorXd pull = s.cwiseProduct(coordinates);
  const double rest = std::max(pull.norm() - mu, kEpsilon * mu);
  const double largest = s[0] * s[0], smallest = s[s.size() - 1] * s[s.size() - 1];
  double low = std::log(mu * smallest / rest), high = std::log(mu * largest / rest);
  double log_m = high;
  for (int iteration = 0; iteration < 200; ++iteration) {
    const double m = std::exp(log_m);
    const Eigen::ArrayXd weight = (s.array().square() + m).inverse();
    const Eigen::ArrayXd squares = (pull.array() * weight).square();
    const double error = std::log(m * std::sqrt(squares.sum()) / mu);
    const double slope = 1 - m * (squares * weight).sum() / squares.sum();
    (error > 0 ? high : low) = log_m;
    double next = log_m - error / slope;
    if (!(next > low && next < high)) next = (low + high) / 2;
    const bool settled = std::abs(next - log_m) <= 4 * kEpsilon * std::max(1.0, std::abs(log_m));
    log_m = next;
    if (settled) break;
  }
  const double m = std::exp(log_m);
  const VectorXd shrunk = coordinates.array() / (s.array().square() + m);
  return {v * s.cwiseProduct(shrunk), u * (m * shrunk)};
}

NormedLeastSquares::State::Point NormedLeastSquares::State::solve_face(double mu, std::span<const double> start) const {
  FaceSearch search(a, r, lengths, norm, mu);
  VectorXd b = VectorXd::Zero(a.cols());
  for (std::size_t i = 0; i < kept.size() && !start.empty(); ++i) b[static_cast<Index>(i)] = start[kept[i]];
  // From a worse point than b = 0 the descent could end at b = 0, where p = inf has no face.
  const double value = (r - a * b).squaredNorm() / 2 + mu * norm_value(norm, view(b));
  if (b.isZero(0) || value > r.squaredNorm() / 2) {
    search.start_at_zero();
  } else {
    search.start_at(b);
  }
  search.run();
  return {search.b(), search.residual()};
}

}  // namespace oneproxy
