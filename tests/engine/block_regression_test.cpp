#include "engine/adapt/block_regression.h"

#include <gtest/gtest.h>

#include <cmath>

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
