#include "oneproxy/engine/adapt/design/design.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int kLloydSteps = 50;

// Rows in which the prior's variance is the squared length; the last column is the constant's.
MatrixXd scaled_rows(const BlockLayout& layout, std::span<const double> z, const std::vector<double>& th) {
  const Index columns = layout.n_columns(), n = static_cast<Index>(z.size()) / columns;
  MatrixXd rows(n, columns + 1);
  rows << Eigen::Map<const RowMajor>(z.data(), n, columns), VectorXd::Ones(n);
  for (int c = 0; c < layout.n_blocks(); ++c)
    rows.middleCols(layout.begin[c], layout.begin[c + 1] - layout.begin[c]) *= std::sqrt(th[c]);
  return rows;
}

// K and C of the header by way of the weights: S is their posterior covariance, and a column of K is P S p_i, so that K
// itself, of candidates by candidates, is never made.
std::vector<std::int64_t> greedy(const MatrixXd& p, const MatrixXd& r, double noise, bool a_optimal, int k,
                                 std::span<const std::int64_t> measured) {
  const Index n = p.rows(), columns = p.cols();
  std::vector<char> used(n, 0);
  MatrixXd precision = MatrixXd::Identity(columns, columns);  // of the weights, with what is measured already
  for (const auto i : measured) {
    used[i] = 1;
    precision.selfadjointView<Eigen::Lower>().rankUpdate(p.row(i).transpose(), 1 / noise);
  }
  MatrixXd s = precision.selfadjointView<Eigen::Lower>().llt().solve(MatrixXd::Identity(columns, columns));
  const MatrixXd ps = p * s;
  VectorXd variance = ps.cwiseProduct(p).rowwise().sum(), gains = variance;
  RowMajor cross;  // its rows are measured at every step
  if (a_optimal) {
    cross = ps * r.transpose();
    gains = cross.rowwise().squaredNorm();
  }
  auto measure = [&](Index i) {
    used[i] = 1;
    const VectorXd direction = s * p.row(i).transpose();
    const VectorXd column = p * direction;
    const double total = noise + variance[i];
    if (a_optimal) {
      const Eigen::RowVectorXd at = cross.row(i) / total;
      cross.noalias() -= column * at;
      gains = cross.rowwise().squaredNorm();
    }
    variance -= column.cwiseAbs2() / total;
    s.noalias() -= direction * direction.transpose() / total;
  };
  std::vector<std::int64_t> chosen;
  while (static_cast<int>(chosen.size()) < k) {
    check_interrupt();
    Index best = -1;
    double best_gain = -std::numeric_limits<double>::infinity();
    for (Index i = 0; i < n; ++i) {
      const double gain = a_optimal ? gains[i] / (variance[i] + noise) : variance[i];
      if (!used[i] && gain > best_gain) best_gain = gain, best = i;
    }
    chosen.push_back(best);
    measure(best);
  }
  return chosen;
}

// k-means++ and Lloyd; then each centre takes its nearest candidate that is free, largest cluster first.
std::vector<std::int64_t> k_means(const MatrixXd& p, int k, std::uint64_t seed, std::vector<char> used) {
  const Index n = p.rows();
  const Philox random = random_stream(seed, Draws::k_means, 0);
  MatrixXd centres(k, p.cols());
  VectorXd distance = VectorXd::Constant(n, std::numeric_limits<double>::infinity());
  for (int c = 0; c < k; ++c) {
    Index pick = static_cast<Index>(random.below(c, n));
    if (c > 0 && distance.sum() > 0) {
      double left = random.uniform(c) * distance.sum();
      for (pick = 0; pick + 1 < n && left >= distance[pick]; ++pick) left -= distance[pick];
    }
    centres.row(c) = p.row(pick);
    distance = distance.cwiseMin((p.rowwise() - centres.row(c)).rowwise().squaredNorm());
  }
  std::vector<Index> of(n, -1);
  std::vector<int> size(k);
  for (int step = 0; step < kLloydSteps; ++step) {
    bool moved = false;
    std::fill(size.begin(), size.end(), 0);
    for (Index i = 0; i < n; ++i) {
      Index nearest;
      (centres.rowwise() - p.row(i)).rowwise().squaredNorm().minCoeff(&nearest);
      moved = moved || of[i] != nearest;
      of[i] = nearest;
      ++size[nearest];
    }
    if (!moved) break;
    for (int c = 0; c < k; ++c)
      if (size[c] > 0) centres.row(c).setZero();
    for (Index i = 0; i < n; ++i) centres.row(of[i]) += p.row(i) / size[of[i]];
  }
  std::vector<int> order(k);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return size[a] > size[b]; });
  std::vector<std::int64_t> chosen;
  for (const int c : order) {
    const VectorXd far = (p.rowwise() - centres.row(c)).rowwise().squaredNorm();
    Index best = -1;
    for (Index i = 0; i < n; ++i)
      if (!used[i] && (best < 0 || far[i] < far[best])) best = i;
    used[best] = 1;
    chosen.push_back(best);
  }
  return chosen;
}

// Those that are not measured go to the selection as candidates; its positions among them become ours.
std::vector<std::int64_t> registered(const MatrixXd& p, const MatrixXd& r, const DesignProblem& problem,
                                     Selection selection, int k, std::uint64_t seed, const std::vector<char>& used) {
  ONEPROXY_ASSERT(problem.space);
  const auto width = static_cast<std::size_t>(problem.space->n_decisions());
  std::vector<std::uint8_t> choices[2];  // of candidates, of what is measured
  std::vector<double> features[2];
  std::vector<std::int64_t> positions;
  for (Index i = 0; i < p.rows(); ++i) {
    const auto one = problem.choices.subspan(static_cast<std::size_t>(i) * width, width);
    choices[used[i] != 0].insert(choices[used[i] != 0].end(), one.begin(), one.end());
    for (Index c = 0; c < p.cols(); ++c) features[used[i] != 0].push_back(p(i, c));
    if (!used[i]) positions.push_back(i);
  }
  const RowMajor reference = r;
  auto chosen = select_by(
      selection, {*problem.space, choices[0], features[0], choices[1], features[1],
                  std::span(reference.data(), static_cast<std::size_t>(reference.size())), problem.noise, k, seed});
  for (auto& i : chosen) i = positions[i];
  return chosen;
}

}  // namespace

std::vector<double> flat_scales(const BlockLayout& layout) {
  return std::vector<double>(static_cast<std::size_t>(layout.n_blocks()), 0.1);
}

std::vector<std::int64_t> choose_samples(const BlockLayout& layout, const DesignProblem& problem, Selection selection,
                                         int k, std::uint64_t seed, std::span<const std::int64_t> measured) {
  const auto columns = static_cast<std::size_t>(layout.n_columns());
  ONEPROXY_ASSERT(problem.candidates.size() % columns == 0 && problem.reference.size() % columns == 0 &&
                  static_cast<int>(problem.th.size()) == layout.n_blocks());
  const auto n = static_cast<std::int64_t>(problem.candidates.size() / columns);
  std::vector<char> used(n, 0);
  for (const auto i : measured) used[i] = 1;
  const auto left = std::count(used.begin(), used.end(), 0);
  if (k > left)
    throw Error("there are " + std::to_string(left) + " candidates to choose " + std::to_string(k) +
                " architectures from; ask for fewer");
  if (selection == Selection::random) {
    std::vector<std::int64_t> chosen;
    for (std::int64_t i = 0; static_cast<int>(chosen.size()) < k; ++i)
      if (!used[i]) chosen.push_back(i);
    return chosen;
  }
  const MatrixXd p = scaled_rows(layout, problem.candidates, problem.th);
  if (selection == Selection::kmeans) return k_means(p, k, seed, used);
  const MatrixXd r = scaled_rows(layout, problem.reference, problem.th);
  if (selection != Selection::d_optimal && selection != Selection::a_optimal)
    return registered(p, r, problem, selection, k, seed, used);
  return greedy(p, r, problem.noise, selection == Selection::a_optimal, k, measured);
}

}  // namespace oneproxy
