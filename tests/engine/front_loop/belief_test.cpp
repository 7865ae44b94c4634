#include "oneproxy/engine/front_loop/belief.h"

#include <gtest/gtest.h>

#include <cmath>

#include "oneproxy/engine/base/random_draws.h"
#include "tests/engine/adapt/made_up_fleet.h"

namespace oneproxy {
namespace {

class BeliefTest : public testing::Test {
 protected:
  BeliefTest() : model_(fleet_.model(3)) {
    const auto rows = fleet_.features.rows(fleet_.choices);
    z_ = model_.design(rows);
    const std::size_t columns = model_.layout().n_columns();
    adapted_ = model_.adapt(std::span(z_).first(12 * columns), std::span(fleet_.devices[4]).first(12));
  }
  // Covariance of the function at candidates i and j, by the definition.
  double covariance(std::int64_t i, std::int64_t j) const {
    const std::size_t columns = model_.layout().n_columns();
    const auto c = weight_covariance(model_.layout(), adapted_.posterior, adapted_.samples);
    double sum = 0;
    for (std::size_t a = 0; a <= columns; ++a)
      for (std::size_t b = 0; b <= columns; ++b)
        sum += (a < columns ? z_[i * columns + a] : 1) * c[a * (columns + 1) + b] *
               (b < columns ? z_[j * columns + b] : 1);
    return sum * adapted_.deviation_ms * adapted_.deviation_ms;
  }
  double variance_of(const Belief& belief, std::int64_t i) const {
    const double deviation = belief.value(i).deviation;
    return deviation * deviation;
  }

  Fleet fleet_{"nasbench201", 60};
  GaussianProcess model_;
  std::vector<double> z_;
  AdaptedBayes adapted_;
};

TEST_F(BeliefTest, IsThePosteriorOfTheModel) {
  const Belief belief(model_, adapted_, z_);
  const auto mean = model_.latency_ms(adapted_, fleet_.features.rows(fleet_.choices));
  const auto deviation = model_.deviation_ms(adapted_, z_);
  ASSERT_EQ(belief.n(), 60);
  for (std::int64_t i = 0; i < belief.n(); ++i) {
    EXPECT_NEAR(belief.mean(i), mean[i], 1e-9 * mean[i]);
    EXPECT_NEAR(belief.value(i).deviation, deviation[i], 1e-8 * deviation[i]);
    const double noise = belief.noise_deviation(i);
    EXPECT_NEAR(belief.measurement(i).deviation, std::hypot(deviation[i], noise), 1e-8 * deviation[i]);
  }
}

TEST_F(BeliefTest, BelievesWhatConditioningOnAMeasurementSays) {
  const std::vector<std::int64_t> which = {20, 31, 45, 59};
  const Belief all(model_, adapted_, z_);
  Belief some = all.at(which);
  std::vector<double> k(16);
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) k[i * 4 + j] = covariance(which[i], which[j]);
  for (const int measured : {1, 3}) {  // one after the other
    const double noise = some.noise_deviation(measured), total = k[measured * 5] + noise * noise;
    const auto before = k;
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j) k[i * 4 + j] -= before[i * 4 + measured] * before[measured * 4 + j] / total;
    some.believe(measured);
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(variance_of(some, i), k[i * 5], 1e-7 * before[i * 5]) << measured << i;
  }
  for (int i = 0; i < 4; ++i) EXPECT_EQ(some.mean(i), all.mean(which[i]));
}

TEST_F(BeliefTest, DrawsTheSameFunctionAtAllCandidates) {
  const Belief belief(model_, adapted_, z_);
  constexpr std::int64_t kDraws = 20'000;
  RandomDraws random({5, 0});
  std::vector<double> normal(belief.n_weights() * kDraws);
  for (auto& one : normal) one = random.normal();
  const auto drawn = belief.draw(normal, kDraws);
  const std::int64_t i = 20, j = 31;
  double mean = 0, squares = 0, products = 0;
  for (std::int64_t k = 0; k < kDraws; ++k) {
    const double a = drawn[i * kDraws + k] - belief.mean(i), b = drawn[j * kDraws + k] - belief.mean(j);
    mean += a / kDraws, squares += a * a / kDraws, products += a * b / kDraws;
  }
  EXPECT_NEAR(mean, 0, 0.04 * std::sqrt(covariance(i, i)));
  EXPECT_NEAR(squares, covariance(i, i), 0.05 * covariance(i, i));
  EXPECT_NEAR(products, covariance(i, j), 0.05 * std::sqrt(covariance(i, i) * covariance(j, j)));
}

}  // namespace
}  // namespace oneproxy
