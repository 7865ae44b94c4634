#include "oneproxy/engine/adapt/gaussian_process/many_samples.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <random>

#include "tests/support/compare.h"

namespace oneproxy {
namespace {

using Eigen::Index;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

const BlockLayout kLayout = {{"A", "B"}, {0, 3, 5}};
const BlockPrior kPrior = {{std::log(0.5), std::log(0.1), std::log(0.1)}, {2, 2, 1.5}, {0.7, 0}};
const std::vector<double> kDirection = {1, 0, 0, 0, 0};

// y = z w + 0.3 + noise of deviation 0.1; sample 7 is off by 40.
struct Case {
  explicit Case(Index samples) : n(samples), z(n, 5), y(n) {
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal;
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < 5; ++j) z(i, j) = normal(random);
      y[i] = z.row(i).dot(truth) + 0.3 + 0.1 * normal(random);
    }
    y[7] += 40;
  }
  BlockPosterior fit() const {
    return fit_blocks(kLayout, kPrior, kDirection, {z.data(), static_cast<std::size_t>(z.size())},
                      {y.data(), static_cast<std::size_t>(n)}, std::vector<double>(n, 1.0), {});
  }
  // Z with ones, and what the posterior says of it.
  RowMajor all() const {
    RowMajor a(n, 6);
    a << z, Eigen::VectorXd::Ones(n);
    return a;
  }
  Index n;
  RowMajor z;
  Eigen::VectorXd y, truth{{1.0, -0.5, 0.2, 0.1, 0.0}};
};

struct At {
  At(const Case& of, const BlockPosterior& posterior)
      : z(of.all()), prior(6), mean(Eigen::VectorXd::Zero(6)), weights(6), noise(of.n) {
    const auto& th = posterior.point_th;
    prior << th[0], th[0], th[0], th[1], th[1], 1;
    mean[0] = 0.7 * std::sqrt(th[0]);
    weights << Eigen::Map<const Eigen::VectorXd>(posterior.weights.data(), 5), posterior.constant;
    noise = posterior.noise * Eigen::Map<const Eigen::VectorXd>(posterior.scales.data(), of.n);
  }
  RowMajor z;
  Eigen::VectorXd prior, mean, weights, noise;
};

TEST(ManySamples, FindsTheTruthDespiteAnOutlier) {
  const Case one(600);
  const auto got = one.fit();
  for (Index j = 0; j < 5; ++j) EXPECT_NEAR(got.weights[j], one.truth[j], 0.02) << j;
  EXPECT_NEAR(got.constant, 0.3, 0.02);
  EXPECT_NEAR(got.noise, 0.01, 0.004);
  for (Index i = 0; i < one.n; ++i)
    if (i != 7) {
      EXPECT_GT(got.scales[7], 100 * got.scales[i]);
    }
}

TEST(ManySamples, IsTheOptimumOfThePenalisedProblem) {
  const Case one(300);
  const auto got = one.fit();
  const At at(one, got);
  // Gradient of (y - Zw)' diag(1 / (s r)) (y - Zw) + (w - mean)' diag(1 / prior) (w - mean).
  const Eigen::VectorXd pull = at.z.transpose() * (one.y - at.z * at.weights).cwiseQuotient(at.noise);
  const Eigen::VectorXd prior = (at.weights - at.mean).cwiseQuotient(at.prior);
  EXPECT_LT((pull - prior).norm(), 1e-8 * at.z.norm() / at.noise.minCoeff());
}

TEST(ManySamples, CovarianceIsThatOfTheKernelForm) {
  const Case one(150);
  const auto got = one.fit();
  const At at(one, got);
  Eigen::MatrixXd k = at.z * at.prior.asDiagonal() * at.z.transpose();
  k.diagonal() += at.noise;
  const Eigen::MatrixXd zd = at.z * at.prior.asDiagonal();
  RowMajor expected = -(zd.transpose() * k.ldlt().solve(zd));
  expected.diagonal() += at.prior;
  const auto covariance = weight_covariance(kLayout, got, {one.z.data(), static_cast<std::size_t>(one.z.size())});
  EXPECT_TRUE(test::close_values(covariance, std::vector<double>(expected.data(), expected.data() + 36), 1e-9));
}

TEST(ManySamples, LeavesOneOut) {
  const Case one(140);
  const auto got = one.fit();
  const At at(one, got);
  for (const Index left : {Index{0}, Index{7}, Index{99}}) {
    Eigen::VectorXd precise = at.noise.cwiseInverse();
    precise[left] = 0;
    Eigen::MatrixXd a = at.z.transpose() * precise.asDiagonal() * at.z;
    a.diagonal() += at.prior.cwiseInverse();
    const Eigen::VectorXd w = at.mean + a.ldlt().solve(at.z.transpose() * precise.cwiseProduct(one.y - at.z * at.mean));
    EXPECT_NEAR(got.left_out[left], at.z.row(left).dot(w), 1e-9) << left;
  }
}

TEST(ManySamples, GoOnFromFew) {
  // One sample more does not change the answer.
  const Case few(kFewSamples), many(kFewSamples + 1);
  const auto a = few.fit(), b = many.fit();
  for (std::size_t j = 0; j < 5; ++j) EXPECT_NEAR(a.weights[j], b.weights[j], 0.02);
  EXPECT_GT(a.effective_points, 1);
  EXPECT_EQ(b.effective_points, 1);
}

TEST(ManySamples, SurviveAnExactFitAndDuplicates) {
  Case one(200);
  one.z.bottomRows(190).rowwise() = one.z.row(0);
  one.z.col(4).setZero();
  one.y = one.z * one.truth;
  for (const double w : one.fit().weights) EXPECT_TRUE(std::isfinite(w));
}

}  // namespace
}  // namespace oneproxy
