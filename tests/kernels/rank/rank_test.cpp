// Ranks against SciPy's values, and the edges of the contract.
#include "oneproxy/kernels/rank/rank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank_detail.h"
#include "tests/kernels/rank/rank_cases.h"
#include "tests/support/compare.h"

namespace oneproxy {
namespace {

using test::RankCase;
using Values = std::vector<double>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
// SciPy sums in doubles: 2000 terms leave some 1e-14.
constexpr double scipy_tolerance = 1e-12;

class RankFixture : public testing::TestWithParam<RankCase> {
 protected:
  const RankCase& c = GetParam();
  void expect_counts(const Correlation& result) {
    EXPECT_EQ(result.n_pairs, c.pairs);
    EXPECT_EQ(result.n_dropped, static_cast<std::int64_t>(c.x.size()) - c.pairs);
    EXPECT_EQ(result.reason == Undefined::no, !std::isnan(result.value)) << to_string(result.reason);
  }
};

TEST_P(RankFixture, AverageRanks) {
  Values ranks(c.x.size());
  average_ranks(c.x, ranks, Backend::cpu);
  EXPECT_TRUE(test::same_values(ranks, c.ranks));
}

TEST_P(RankFixture, Spearman) {
  const Correlation result = spearman(c.x, c.y, Backend::cpu);
  EXPECT_TRUE(test::close_values(Values{result.value}, Values{c.spearman}, scipy_tolerance));
  expect_counts(result);
}

TEST_P(RankFixture, Kendall) {
  const Correlation result = kendall_tau_b(c.x, c.y, Backend::cpu);
  EXPECT_TRUE(test::close_values(Values{result.value}, Values{c.kendall}, scipy_tolerance));
  expect_counts(result);
}

INSTANTIATE_TEST_SUITE_P(Scipy, RankFixture, testing::ValuesIn(test::rank_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(RankFixtures, AreThere) { EXPECT_GE(test::rank_cases().size(), 25u); }

TEST(Rank, PerfectOrderIsExactlyOne) {
  Values x, reversed;
  for (int i = 0; i < 1000; ++i) {
    x.push_back(std::exp(0.1 * i));
    reversed.push_back(-x.back());
  }
  EXPECT_EQ(spearman(x, x, Backend::cpu).value, 1.0);
  EXPECT_EQ(spearman(x, reversed, Backend::cpu).value, -1.0);
  EXPECT_EQ(kendall_tau_b(x, x, Backend::cpu).value, 1.0);
  EXPECT_EQ(kendall_tau_b(x, reversed, Backend::cpu).value, -1.0);
}

TEST(Rank, ReasonsOfUndefinedValues) {
  const Values constant{2, 2, 2}, rising{1, 2, 3};
  for (const auto correlate : {spearman, kendall_tau_b}) {
    EXPECT_EQ(correlate({}, {}, Backend::cpu).reason, Undefined::too_few_pairs);
    EXPECT_EQ(correlate(Values{1}, Values{1}, Backend::cpu).reason, Undefined::too_few_pairs);
    EXPECT_EQ(correlate(Values{1, nan, 3}, Values{nan, 2, 3}, Backend::cpu).reason, Undefined::too_few_pairs);
    EXPECT_EQ(correlate(constant, rising, Backend::cpu).reason, Undefined::constant_x);
    EXPECT_EQ(correlate(rising, constant, Backend::cpu).reason, Undefined::constant_y);
    EXPECT_EQ(correlate(constant, constant, Backend::cpu).reason, Undefined::constant_x);
    EXPECT_EQ(correlate(Values{0.0, -0.0}, Values{1, 2}, Backend::cpu).reason, Undefined::constant_x);
    EXPECT_EQ(correlate(rising, rising, Backend::cpu).reason, Undefined::no);
  }
  EXPECT_EQ(to_string(Undefined::no), "");
  EXPECT_EQ(to_string(Undefined::constant_y), "the second column is constant");
}

TEST(Rank, UnequalLengthsAreAnError) {
  const Values two{1, 2}, three{1, 2, 3};
  Values ranks(2);
  for (const auto correlate : {spearman, kendall_tau_b}) {
    try {
      correlate(two, three, Backend::cpu);
      FAIL() << "accepted columns of 2 and 3 values";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("x has 2 values and y has 3"), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(average_ranks(three, ranks, Backend::cpu), Error);
  const std::vector<std::span<const double>> columns{two, three};
  EXPECT_THROW(spearman_matrix(columns, Backend::cpu), Error);
  EXPECT_THROW(kendall_matrix(columns, Backend::cpu), Error);
}

TEST(Rank, CudaWithoutADeviceIsAnError) {
  if (cuda_device_count() > 0) GTEST_SKIP() << "there is a CUDA device";
  const Values x{1, 2};
  Values ranks(2);
  const std::vector<std::span<const double>> columns{x};
  EXPECT_THROW(average_ranks(x, ranks, Backend::cuda), Error);
  EXPECT_THROW(spearman(x, x, Backend::cuda), Error);
  EXPECT_THROW(kendall_tau_b(x, x, Backend::cuda), Error);
  EXPECT_THROW(spearman_matrix(columns, Backend::cuda), Error);
  EXPECT_THROW(kendall_matrix(columns, Backend::cuda), Error);
}

// Sums as they are at n = 1e8 and beyond, where 64 bits would overflow: values from the closed forms.
TEST(RankSums, BeyondSixtyFourBits) {
  const std::int64_t n = 2'000'000'000;
  const detail::Int128 squares = detail::sum_of_squares(n);
  EXPECT_EQ(squares, (detail::Int128{n} * n * n - n) / 3);
  EXPECT_GT(squares, detail::Int128{std::numeric_limits<std::int64_t>::max()} * 1000);
  EXPECT_EQ(detail::correlation({squares, squares, squares}), 1.0);
  EXPECT_EQ(detail::correlation({squares, -squares, squares}), -1.0);
  EXPECT_EQ(detail::correlation({squares, squares / 4, squares}), 0.25);
  EXPECT_EQ(detail::centred_rank(0, 1, n), 1 - n);
  EXPECT_EQ(detail::centred_rank(n - 1, n, n), n - 1);

  const std::int64_t pairs = detail::pairs_of(detail::max_rows);
  EXPECT_EQ(static_cast<detail::Int128>(pairs) * 2, detail::Int128{detail::max_rows} * (detail::max_rows - 1));
  EXPECT_EQ(detail::tau_b({0, 0, 0, 0}, detail::max_rows), 1.0);
  EXPECT_EQ(detail::tau_b({0, 0, 0, pairs}, detail::max_rows), -1.0);
}

// A real sum that passes 2^63: u of n rising values against themselves, in the blocks the Gram matrix takes.
TEST(RankSums, ExactWhereProductsAddUpBeyondSixtyFourBits) {
  const std::int64_t n = 4'000'000;
  Values x(n);
  for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<double>(i ^ 1);
  Values y(n);
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<double>(i);
  const detail::RankSums sums = detail::rank_sums_cpu(x, y);
  // Neighbours swapped: each pair of rows loses (2)^2 / 2 twice against the sum of squares.
  const detail::Int128 squares = detail::sum_of_squares(n);
  EXPECT_GT(squares, detail::Int128{std::numeric_limits<std::int64_t>::max()});
  EXPECT_TRUE(sums.xx == squares);
  EXPECT_TRUE(sums.yy == squares);
  EXPECT_TRUE(sums.xy == squares - 2 * detail::Int128{n});
  const std::vector<std::span<const double>> columns{x, y};
  const std::vector<detail::RankSums> matrix = detail::rank_sums_matrix_cpu(columns);
  EXPECT_TRUE(matrix[0].xx == squares);
  EXPECT_TRUE(matrix[1].xy == sums.xy);
}

}  // namespace
}  // namespace oneproxy
