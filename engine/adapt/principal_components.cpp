#include "oneproxy/engine/adapt/principal_components.h"

#include <Eigen/Dense>
#include <cmath>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double kNoise = 0.05, kConstantVariance = 1e3, kMeanVariance = 1e2;
constexpr double kRank = 1e-10;  // of the largest variance: below it a component is rounding

}  // namespace

PrincipalComponents::PrincipalComponents(const StandardisedSources& sources, int components) {
  const Index d = sources.n();
  const MatrixXd centring = MatrixXd::Identity(d, d).array() - 1 / static_cast<double>(d);
  const MatrixXd gram = centring * Eigen::Map<const MatrixXd>(sources.gram.data(), d, d) * centring;
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(gram);
  const VectorXd values = solver.eigenvalues() / static_cast<double>(d);
  for (Index j = d - 1; j >= 0 && std::ssize(variance) < components; --j) {
    if (!(values[j] > kRank * std::max(values[d - 1], kRank))) break;
    // Deviations f_i - m summed with u_ij are f_i summed with (centring u)_i; 1 / sqrt(d) gives the deviation's length.
    VectorXd column = centring * solver.eigenvectors().col(j) / std::sqrt(static_cast<double>(d));
    Index largest = 0;
    column.cwiseAbs().maxCoeff(&largest);
    if (column[largest] < 0) column = -column;  // the sign is the solver's whim
    coefficients.insert(coefficients.end(), column.data(), column.data() + d);
    variance.push_back(values[j]);
  }
}

ComponentPosterior fit_components(const Sources& sources, const StandardisedSources& standardised,
                                  const PrincipalComponents& components, double inflation,
                                  const ArchitectureFeatures::Rows& rows, std::span<const double> y) {
  const Index n = rows.n, d = standardised.n(), q = components.n();
  ONEPROXY_ASSERT(static_cast<Index>(y.size()) == n);
  MatrixXd functions(n, d);
  for (Index j = 0; j < d; ++j) {
    const auto predicted = sources.predictors[j].predict(rows);
    functions.col(j) =
        (Eigen::Map<const VectorXd>(predicted.data(), n).array() - standardised.mean[j]) / standardised.deviation[j];
  }
  const Eigen::Map<const RowMajor> p(components.coefficients.data(), q, d);
  MatrixXd x(n, q + 2);
  x << VectorXd::Ones(n), functions.rowwise().mean(), functions * p.transpose();
  VectorXd precision = VectorXd::Constant(q + 2, kNoise / inflation);
  precision[0] = kNoise / kConstantVariance;
  precision[1] = kNoise / kMeanVariance;
  VectorXd expected = VectorXd::Zero(q + 2);
  expected[1] = 1;
  MatrixXd system = x.transpose() * x;
  system.diagonal() += precision;
  const VectorXd residual = Eigen::Map<const VectorXd>(y.data(), n) - x * expected;
  const VectorXd found = expected + system.ldlt().solve(x.transpose() * residual);

  VectorXd mixture = VectorXd::Constant(d, found[1] / static_cast<double>(d));
  mixture += p.transpose() * found.tail(q);
  return {{mixture.data(), mixture.data() + d}, found[0], {found.data() + 2, found.data() + 2 + q}};
}

}  // namespace oneproxy
