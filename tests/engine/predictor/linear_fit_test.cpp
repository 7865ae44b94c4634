#include "oneproxy/engine/predictor/linear_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/support/compare.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<std::uint8_t> kRadices = {3, 2, 4};

std::vector<std::uint8_t> random_choices(std::int64_t n, std::uint64_t seed) {
  const Philox random{seed, 0};
  std::vector<std::uint8_t> choices;
  std::uint64_t draw = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (const std::uint8_t radix : kRadices) choices.push_back(static_cast<std::uint8_t>(random.below(draw++, radix)));
  }
  return choices;
}

std::vector<double> predict(const AdditivePredictor& predictor, const std::vector<std::uint8_t>& choices) {
  std::vector<double> scores(choices.size() / predictor.radices.size());
  predictor.predict(choices, scores);
  return scores;
}

TEST(FitLinear, ReproducesAnExactlyLinearLatency) {
  const AdditivePredictor truth{"", kRadices, "", "", {1, -2, 0.5, 3, 4, 0.1, 0.2, -0.7, 9}, {12}, {}};
  const auto choices = random_choices(80, 1);
  const auto fitted = fit_linear(kRadices, choices, predict(truth, choices));
  const auto fresh = random_choices(50, 2);
  EXPECT_TRUE(test::close_values(predict(fitted, fresh), predict(truth, fresh), 1e-11));
}

// The residual of least squares is orthogonal to the constant and to every column.
TEST(FitLinear, ResidualIsOrthogonalToEveryChoice) {
  const auto choices = random_choices(40, 3);
  const Philox random{4, 0};
  std::vector<double> latency;
  for (std::uint64_t i = 0; i < 40; ++i) latency.push_back(5 + random.uniform(i));
  const auto predicted = predict(fit_linear(kRadices, choices, latency), choices);
  for (std::size_t d = 0; d < kRadices.size(); ++d) {
    for (std::uint8_t c = 0; c < kRadices[d]; ++c) {
      double sum = 0;
      for (std::size_t i = 0; i < latency.size(); ++i) {
        if (choices[i * kRadices.size() + d] == c) sum += latency[i] - predicted[i];
      }
      EXPECT_NEAR(sum, 0, 1e-12) << "decision " << d << " choice " << int{c};
    }
  }
}

TEST(FitLinear, WeightsOfADecisionSumToZeroAndUnseenChoicesWeighNothing) {
  auto choices = random_choices(60, 5);
  for (std::size_t i = 2; i < choices.size(); i += 3) choices[i] = choices[i] == 3 ? 0 : choices[i];
  const Philox random{6, 0};
  std::vector<double> latency;
  for (std::uint64_t i = 0; i < 60; ++i) latency.push_back(random.uniform(i));
  const auto fitted = fit_linear(kRadices, choices, latency);
  std::size_t column = 0;
  for (const std::uint8_t radix : kRadices) {
    double sum = 0;
    for (int c = 0; c < radix; ++c) sum += fitted.weights[column++];
    EXPECT_NEAR(sum, 0, 1e-13);
  }
  EXPECT_EQ(fitted.weights[8], 0);
}

// Fewer rows than columns: one row of each of two architectures, weights of least norm.
TEST(FitLinear, TakesTheLeastNormOfManySolutions) {
  const auto fitted = fit_linear(kRadices, std::vector<std::uint8_t>{0, 0, 0, 1, 0, 1}, std::vector<double>{1, 3});
  EXPECT_TRUE(test::close_values(fitted.weights, std::vector<double>{-0.5, 0.5, 0, 0, 0, -0.5, 0.5, 0, 0}, 1e-14));
  EXPECT_NEAR(fitted.bias[0], 2, 1e-14);
}

TEST(FitLinear, LeavesOutRowsWithoutLatency) {
  auto choices = random_choices(30, 7);
  const Philox random{8, 0};
  std::vector<double> latency;
  for (std::uint64_t i = 0; i < 30; ++i) latency.push_back(random.uniform(i));
  const auto fitted = fit_linear(kRadices, choices, latency);
  choices.insert(choices.end(), {2, 1, 3});
  latency.push_back(kNan);
  const auto with_failure = fit_linear(kRadices, choices, latency);
  EXPECT_TRUE(test::same_values(with_failure.weights, fitted.weights));
  EXPECT_EQ(with_failure.bias[0], fitted.bias[0]);
}

TEST(FitLinear, RefusesWhatItCanNotFit) {
  const std::vector<std::uint8_t> two = {0, 0, 0, 1, 1, 1};
  EXPECT_THROW(fit_linear(kRadices, two, std::vector<double>{1, kNan}), Error);
  EXPECT_THROW(fit_linear(kRadices, two, std::vector<double>{1, 1}), Error);
  EXPECT_THROW(fit_linear(kRadices, two, std::vector<double>{1, INFINITY}), Error);
  EXPECT_THROW(fit_linear(kRadices, two, std::vector<double>{1, 2, 3}), Error);
  EXPECT_THROW(fit_linear(kRadices, {}, {}), Error);
  EXPECT_THROW(fit_linear(kRadices, std::vector<std::uint8_t>{0, 0, 0, 3, 1, 1}, std::vector<double>{1, 2}), Error);
}

}  // namespace
}  // namespace oneproxy
