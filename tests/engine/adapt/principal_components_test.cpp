#include "oneproxy/engine/adapt/principal_components.h"

#include <gmock/gmock.h>

#include <Eigen/Dense>
#include <cmath>

#include "tests/engine/adapt/made_up_fleet.h"

namespace oneproxy {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

class Components : public testing::Test {
 protected:
  // The sources' standardised functions at rows, [n, 4].
  MatrixXd functions(const ArchitectureFeatures::Rows& rows) const {
    MatrixXd all(rows.n, 4);
    for (int j = 0; j < 4; ++j) {
      const auto f = sources_.predictors[j].predict(rows);
      all.col(j) =
          (Eigen::Map<const VectorXd>(f.data(), rows.n).array() - standardised_.mean[j]) / standardised_.deviation[j];
    }
    return all;
  }

  const Fleet fleet_{"nasbench201"};
  const Sources sources_{fleet_.shared_features, fleet_.sources(4)};
  const StandardisedSources standardised_{sources_};
};

// Uncorrelated over the sources and over the space, the longest first, and together all that the sources deviate.
TEST_F(Components, AreThePrincipalOnes) {
  const PrincipalComponents all(standardised_, 100);
  ASSERT_EQ(all.n(), 3);  // four sources around their mean
  const MatrixXd f = functions(sources_.features->reference());
  const Eigen::Map<const Eigen::Matrix<double, 3, 4, Eigen::RowMajor>> p(all.coefficients.data());
  const MatrixXd components = f * p.transpose();
  const MatrixXd products = components.transpose() * components / static_cast<double>(f.rows());
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) EXPECT_NEAR(products(i, j), i == j ? all.variance[i] : 0, 1e-9);
  EXPECT_GT(all.variance[0], all.variance[1]);
  EXPECT_GT(all.variance[1], all.variance[2]);
  const MatrixXd deviations = f.colwise() - f.rowwise().mean();
  EXPECT_NEAR(all.variance[0] + all.variance[1] + all.variance[2],
              deviations.squaredNorm() / static_cast<double>(f.rows()) / 4, 1e-9);
  EXPECT_EQ(PrincipalComponents(standardised_, 2).n(), 2);
}

// With all components the model is a Gaussian process with the sources' own covariance: its mean in the dual form, from
// n x n matrices and without any component.
TEST_F(Components, ThePosteriorIsThatOfTheSourcesCovariance) {
  const int n = 9;
  const auto rows = fleet_.features.pick(fleet_.features.rows(fleet_.choices), first(n));
  const auto everywhere = fleet_.features.rows(fleet_.choices);
  VectorXd y(n);
  for (int i = 0; i < n; ++i) y[i] = std::sin(2.0 * i);
  const MatrixXd f = functions(rows), all = functions(everywhere);
  const VectorXd m = f.rowwise().mean(), m_all = all.rowwise().mean();
  const MatrixXd d = f.colwise() - m, d_all = all.colwise() - m_all;
  const double inflation = 3;
  const MatrixXd covariance =
      MatrixXd::Constant(n, n, 1e3) + 1e2 * m * m.transpose() + inflation * d * d.transpose() / 4;
  const MatrixXd to_all =
      MatrixXd::Constant(all.rows(), n, 1e3) + 1e2 * m_all * m.transpose() + inflation * d_all * d.transpose() / 4;
  const VectorXd expected = m_all + to_all * (covariance + 0.05 * MatrixXd::Identity(n, n)).fullPivLu().solve(y - m);

  const PrincipalComponents components(standardised_, 100);
  const auto posterior = fit_components(sources_, standardised_, components, inflation, rows, std::span(y.data(), n));
  const auto predicted = mixture(sources_, standardised_, posterior.coefficients).predict(everywhere);
  for (int i = 0; i < all.rows(); ++i) EXPECT_NEAR(predicted[i] + posterior.constant, expected[i], 1e-6);
}

TEST_F(Components, WithoutMeasurementsTheMeanOfTheSourcesIsLeft) {
  const PrincipalComponents components(standardised_, 8);
  const auto posterior = fit_components(sources_, standardised_, components, 3, {}, {});
  for (const double c : posterior.coefficients) EXPECT_NEAR(c, 0.25, 1e-12);
  EXPECT_EQ(posterior.constant, 0);
}

}  // namespace
}  // namespace oneproxy
