#include "oneproxy/engine/train/split.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>
#include <set>

#include "oneproxy/engine/train/prediction_quality.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

std::vector<std::int64_t> even_rows(std::int64_t n) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < n; ++i) rows.push_back(2 * i);
  return rows;
}

TEST(Split, DealsEveryRowOnce) {
  const auto rows = even_rows(101);
  const auto split = split_rows(rows, {0.1, 0.2, 0}, 1);
  EXPECT_EQ(split.test.size(), 20u);
  EXPECT_EQ(split.stopping.size(), 10u);
  EXPECT_EQ(split.fitting.size(), 71u);
  std::set<std::int64_t> all(split.test.begin(), split.test.end());
  all.insert(split.stopping.begin(), split.stopping.end());
  all.insert(split.fitting.begin(), split.fitting.end());
  EXPECT_EQ(all, std::set<std::int64_t>(rows.begin(), rows.end()));
}

TEST(Split, TestRowsDoNotDependOnTheTrainingSamples) {
  const auto rows = even_rows(200);
  const auto all = split_rows(rows, {0.1, 0.3, 0}, 5), few = split_rows(rows, {0.1, 0.3, 15}, 5);
  EXPECT_EQ(few.test, all.test);
  EXPECT_EQ(few.stopping, all.stopping);
  EXPECT_EQ(few.fitting, std::vector<std::int64_t>(all.fitting.begin(), all.fitting.begin() + 15));
  EXPECT_NE(split_rows(rows, {0.1, 0.3, 0}, 6).test, all.test);
}

TEST(Split, ImpossibleSizesAreRefused) {
  const auto rows = even_rows(20);
  EXPECT_THAT(error_of([&] { split_rows(rows, {0.5, 0.5, 0}, 1); }), HasSubstr("lower the shares"));
  EXPECT_THAT(error_of([&] { split_rows(rows, {0.1, 0.2, 15}, 1); }), HasSubstr("not 15"));
  EXPECT_THAT(error_of([&] { split_rows({}, {0.1, 0.2, 0}, 1); }), HasSubstr("of 0 architectures"));
  EXPECT_TRUE(split_rows(rows, {0, 0, 0}, 1).test.empty());
}

TEST(PredictionQuality, ByHand) {
  const std::vector<double> measured = {10, 20, 30, 40, std::nan("")}, predicted = {10.4, 18.4, 33.6, 39.9, 5};
  const auto q = prediction_quality(predicted, measured, Backend::cpu);
  EXPECT_EQ(q.n, 4);
  EXPECT_NEAR(q.mape, (0.04 + 0.08 + 0.12 + 0.0025) / 4, 1e-14);
  EXPECT_DOUBLE_EQ(q.within_5, 0.5);
  EXPECT_DOUBLE_EQ(q.within_10, 0.75);
  EXPECT_NEAR(q.rmse, std::sqrt((0.16 + 2.56 + 12.96 + 0.01) / 4), 1e-12);
  EXPECT_DOUBLE_EQ(q.srcc.value, 1);
  const std::vector<double> zero = {0, 1}, any = {1, 2};
  EXPECT_TRUE(std::isnan(prediction_quality(any, zero, Backend::cpu).mape));
  EXPECT_TRUE(std::isnan(prediction_quality(any, zero, Backend::cpu).within_5));
  EXPECT_TRUE(std::isnan(prediction_quality({}, {}, Backend::cpu).rmse));
}

}  // namespace
}  // namespace oneproxy
