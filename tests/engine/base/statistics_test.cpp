#include "oneproxy/engine/base/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Statistics, MedianOfOddAndEven) {
  EXPECT_EQ(median_of({3, 1, 2}), 2);
  EXPECT_EQ(median_of({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median_of({7}), 7);
}

TEST(Statistics, QuantilesAreNumpys) {
  const std::vector<double> values = {4, 1, kNan, 3, 2};
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.1), 1.3);
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 4);
  EXPECT_THROW(quantile(std::vector<double>{kNan}, 0.5), Error);
}

// Values of SciPy's norm.ppf.
TEST(Statistics, NormalQuantiles) {
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-15);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-13);
  EXPECT_NEAR(normal_quantile(0.1), -1.2815515655446004, 1e-13);
  EXPECT_NEAR(normal_quantile(1e-6), -4.753424308822899, 1e-12);
}

TEST(Statistics, TrialsLeaveOutWhatFailed) {
  const auto some = statistics(std::vector<double>{1, kNan, 2, 3});
  EXPECT_DOUBLE_EQ(some.mean, 2);
  EXPECT_DOUBLE_EQ(some.q10, 1.2);
  EXPECT_DOUBLE_EQ(some.q90, 2.8);
  EXPECT_TRUE(std::isnan(statistics(std::vector<double>{kNan}).mean));
}

TEST(Statistics, IntervalOfTheMeanIsStudents) {
  const auto three = mean_interval(std::vector<double>{1, 2, 3});
  EXPECT_DOUBLE_EQ(three.mean, 2);
  EXPECT_NEAR(three.half, 4.303 / std::sqrt(3.0), 1e-12);
  EXPECT_TRUE(std::isnan(mean_interval(std::vector<double>{5}).half));
  EXPECT_TRUE(std::isnan(mean_interval({}).mean));
}

}  // namespace
}  // namespace oneproxy
