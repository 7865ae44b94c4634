// The code of the CUDA twin, run by Thrust's sequential back end, against the CPU twin: all sums to the bit.
#include "oneproxy/kernels/rank/rank_thrust.h"

#include <gtest/gtest.h>
#include <thrust/execution_policy.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "tests/support/compare.h"
#include "tests/support/host_buffer.h"

namespace oneproxy::detail {
namespace {

using test::HostBuffer;
using Values = std::vector<double>;

struct ThrustCase {
  std::int64_t n;
  int levels;  // distinct values, about; 0: no ties
};
std::ostream& operator<<(std::ostream& out, const ThrustCase& c) {
  return out << "n=" << c.n << " levels=" << c.levels;
}

class RankThrust : public testing::TestWithParam<ThrustCase> {
 protected:
  void SetUp() override {
    std::mt19937_64 random(GetParam().n);
    std::normal_distribution<double> normal;
    for (std::int64_t i = 0; i < GetParam().n; ++i) {
      const double a = normal(random), b = 0.7 * a + normal(random);
      const double levels = GetParam().levels;
      x.push_back(levels > 0 ? std::round(a * levels / 4) : a);
      y.push_back(levels > 0 ? std::round(b * levels / 4) : b);
    }
  }
  Values x, y;  // rounding leaves zeros of both signs
};

TEST_P(RankThrust, AverageRanks) {
  const std::int64_t n = GetParam().n;
  Values expected(n), ranks(n);
  average_ranks_cpu(x, expected);
  scatter_ranks_thrust<HostBuffer>(thrust::host, x.data(), n, 0.5, 0.5 * static_cast<double>(n + 1), ranks.data());
  EXPECT_TRUE(test::same_values(ranks, expected));
}

TEST_P(RankThrust, RankSums) {
  const RankSums sums = rank_sums_thrust<HostBuffer>(thrust::host, x.data(), y.data(), GetParam().n);
  const RankSums expected = rank_sums_cpu(x, y);
  EXPECT_TRUE(sums.xx == expected.xx && sums.xy == expected.xy && sums.yy == expected.yy);
}

TEST_P(RankThrust, PairCounts) {
  const PairCounts counts = pair_counts_thrust<HostBuffer>(thrust::host, x.data(), y.data(), GetParam().n);
  const PairCounts expected = pair_counts_cpu(x, y);
  EXPECT_EQ(counts.x_ties, expected.x_ties);
  EXPECT_EQ(counts.y_ties, expected.y_ties);
  EXPECT_EQ(counts.xy_ties, expected.xy_ties);
  EXPECT_EQ(counts.discordant, expected.discordant);
}

INSTANTIATE_TEST_SUITE_P(Random, RankThrust, testing::ValuesIn([] {
                           std::vector<ThrustCase> cases;
                           for (const std::int64_t n : {2, 3, 4, 5, 16, 17, 1000, 40000})
                             for (const int levels : {0, 1, 10}) cases.push_back({n, levels});
                           return cases;
                         }()));

TEST(RankThrustInversions, AllPermutationsOfSix) {
  std::vector<Position> permutation(6);
  std::iota(permutation.begin(), permutation.end(), Position{0});
  do {
    std::int64_t expected = 0;
    for (int i = 0; i < 6; ++i)
      for (int j = 0; j < i; ++j) expected += permutation[j] > permutation[i];
    std::vector<Position> sequence = permutation;
    ASSERT_EQ(count_inversions_thrust<HostBuffer>(thrust::host, sequence.data(), 6), expected)
        << testing::PrintToString(permutation);
  } while (std::next_permutation(permutation.begin(), permutation.end()));
}

}  // namespace
}  // namespace oneproxy::detail
