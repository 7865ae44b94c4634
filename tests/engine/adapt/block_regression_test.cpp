#include "oneproxy/engine/adapt/gaussian_process/block_regression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "tests/engine/error_of.h"
#include "tests/fixtures/bayes_cases.h"
#include "tests/support/compare.h"

namespace oneproxy {
namespace {

const BlockLayout kLayout = {{"A", "B"}, {0, 3, 5}};

BlockPosterior fit(int rounds) {
  return fit_blocks(kLayout, {kBayesLogMean, kBayesDeviation, kBayesRho}, kBayesDirection, kBayesZ, kBayesY,
                    std::vector<double>(kBayesY.size(), 1.0), {kBayesPoints, kBayesPasses, rounds});
}

TEST(BlockRegression, TakesScipysHaltonPoints) {
  EXPECT_TRUE(test::close_values(halton_normal(5, 3), kHalton5x3, 1e-12));
}

TEST(BlockRegression, NumbersBeyondADoubleAreTheInputsFault) {
  auto z = kBayesZ;
  for (double& value : z) value *= 1e200;
  EXPECT_THAT(error_of([&] {
                fit_blocks(kLayout, {kBayesLogMean, kBayesDeviation, kBayesRho}, kBayesDirection, z, kBayesY,
                           std::vector<double>(kBayesY.size(), 1.0), {kBayesPoints, kBayesPasses, 0});
              }),
              testing::HasSubstr("too far apart"));
}

TEST(BlockRegression, AgreesWithNumpy) {
  for (const auto& fixture : bayes_fixtures()) {
    SCOPED_TRACE(fixture.rounds);
    const auto got = fit(fixture.rounds);
    auto weights = got.weights;
    weights.push_back(got.constant);
    EXPECT_TRUE(test::close_values(weights, fixture.weights, 1e-9));
    EXPECT_TRUE(test::close_values(got.scales, fixture.scales, 1e-9));
    EXPECT_NEAR(got.noise, fixture.noise, 1e-9 * fixture.noise);
    EXPECT_TRUE(test::close_values(got.log_hyper_mean, fixture.hyper_mean, 1e-9));
    EXPECT_TRUE(test::close_values(got.log_hyper_variance, fixture.hyper_variance, 1e-8));
    EXPECT_TRUE(test::close_values(got.left_out, fixture.left_out, 1e-6));
    // Points below a weight of 1e-6 are left out of the covariance.
    EXPECT_TRUE(test::close_values(weight_covariance(kLayout, got, kBayesZ), fixture.covariance, 1e-4));
  }
}

// D - D Z' K^-1 Z D at each point that is kept, written out, and the spread of the points' means.
TEST(BlockRegression, CovarianceIsTheMeanOfThePoints) {
  const auto got = fit(2);
  const Eigen::Index n = static_cast<Eigen::Index>(kBayesY.size()), columns = 5;
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  RowMajor z(n, columns + 1);
  z << Eigen::Map<const RowMajor>(kBayesZ.data(), n, columns), Eigen::VectorXd::Ones(n);
  const Eigen::Map<const Eigen::VectorXd> r(got.scales.data(), n);
  const Eigen::Index m = static_cast<Eigen::Index>(got.point_weights.size());
  const Eigen::Map<const Eigen::VectorXd> w(got.point_weights.data(), m);
  const Eigen::Map<const RowMajor> means(got.point_means.data(), m, columns + 1);
  const Eigen::VectorXd mean = means.transpose() * w / w.sum();
  RowMajor expected = RowMajor::Zero(columns + 1, columns + 1);
  for (Eigen::Index h = 0; h < m; ++h) {
    const double *th = &got.point_th[h * 2], s = got.point_noise[h];
    Eigen::VectorXd prior(columns + 1);
    prior << th[0], th[0], th[0], th[1], th[1], 1;
    Eigen::MatrixXd k = z * prior.asDiagonal() * z.transpose();
    k.diagonal() += s * r + Eigen::VectorXd::Constant(n, 1e-8);
    const Eigen::MatrixXd zd = z * prior.asDiagonal();
    expected += w[h] * (zd.transpose() * -k.ldlt().solve(zd));
    expected.diagonal() += w[h] * prior;
    const Eigen::VectorXd apart = means.row(h).transpose() - mean;
    expected += w[h] * apart * apart.transpose();
  }
  expected /= w.sum();
  EXPECT_TRUE(test::close_values(weight_covariance(kLayout, got, kBayesZ),
                                 std::vector<double>(expected.data(), expected.data() + expected.size()), 1e-8));
}

TEST(BlockRegression, GivesTheOutlierALargeScale) {
  const auto got = fit(2);
  for (std::size_t i = 0; i < got.scales.size(); ++i)
    if (i != 3) {
      EXPECT_GT(got.scales[3], got.scales[i]);
    }
}

TEST(BlockRegression, SurvivesDuplicatesAndManyBlocksOfZeros) {
  auto z = kBayesZ;
  std::copy(z.begin(), z.begin() + 5, z.begin() + 5);
  std::copy(z.begin(), z.begin() + 5, z.begin() + 10);
  for (std::size_t i = 0; i < kBayesY.size(); ++i) z[i * 5 + 3] = z[i * 5 + 4] = 0;
  // No noise to speak of: the kernel is singular but for the jitter.
  const auto got = fit_blocks(kLayout, {{0, 0, std::log(1e-12)}, {2, 2, 0.1}, {0, 0}}, kBayesDirection, z, kBayesY,
                              std::vector<double>(kBayesY.size(), 1.0), {});
  for (const double w : got.weights) EXPECT_TRUE(std::isfinite(w));
}

TEST(BlockRegression, HasOnePointForOneSample) {
  const auto got = fit_blocks(kLayout, {kBayesLogMean, kBayesDeviation, kBayesRho}, kBayesDirection,
                              std::span(kBayesZ).first(5), std::span(kBayesY).first(1), std::vector<double>{1.0}, {});
  for (const double w : got.weights) EXPECT_TRUE(std::isfinite(w));
}

}  // namespace
}  // namespace oneproxy
