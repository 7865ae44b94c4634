// The CUDA twin against SciPy's values and against the CPU twin.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "oneproxy/kernels/rank/rank.h"
#include "tests/kernels/rank/rank_cases.h"
#include "tests/support/compare.h"
#include "tests/support/needs_cuda.h"

namespace oneproxy {
namespace {

using Values = std::vector<double>;

class RankCuda : public testing::Test {
 protected:
  void SetUp() override { ONEPROXY_NEEDS_CUDA(); }
};

TEST_F(RankCuda, EqualsTheCpuOnScipysCases) {
  for (const test::RankCase& c : test::rank_cases()) {
    SCOPED_TRACE(c.name);
    Values ranks(c.x.size());
    average_ranks(c.x, ranks, Backend::cuda);
    EXPECT_TRUE(test::same_values(ranks, c.ranks));
    for (const auto correlate : {spearman, kendall_tau_b}) {
      const Correlation cuda = correlate(c.x, c.y, Backend::cuda), cpu = correlate(c.x, c.y, Backend::cpu);
      EXPECT_TRUE(test::same_values(Values{cuda.value}, Values{cpu.value}));
      EXPECT_EQ(cuda.n_pairs, cpu.n_pairs);
      EXPECT_EQ(cuda.n_dropped, cpu.n_dropped);
      EXPECT_EQ(cuda.reason, cpu.reason);
    }
  }
}

Values random_values(std::int64_t n, double step, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Values values(n);
  for (double& value : values) value = step > 0 ? step * std::round(normal(random) / step) : normal(random);
  return values;
}

TEST_F(RankCuda, LargePairsEqualTheCpuToTheBit) {
  for (const double step : {0.0, 0.01}) {
    const Values x = random_values(3'000'000, step, 1), y = random_values(3'000'000, step, 2);
    for (const auto correlate : {spearman, kendall_tau_b})
      EXPECT_EQ(correlate(x, y, Backend::cuda).value, correlate(x, y, Backend::cpu).value) << "step " << step;
    Values cuda(x.size()), cpu(x.size());
    average_ranks(x, cuda, Backend::cuda);
    average_ranks(x, cpu, Backend::cpu);
    EXPECT_TRUE(test::same_values(cuda, cpu)) << "step " << step;
  }
}

TEST_F(RankCuda, MatricesEqualTheCpu) {
  // Beyond 3e5 rows the sums of the CUDA twin are rounded.
  for (const std::int64_t n : {2, 15'625, 1'000'000}) {
    std::vector<Values> columns;
    for (int d = 0; d < 5; ++d) columns.push_back(random_values(n, d % 2 == 0 ? 0 : 0.1, d));
    columns[2][0] = std::numeric_limits<double>::quiet_NaN();
    columns[4].assign(n, 1.0);
    const std::vector<std::span<const double>> spans(columns.begin(), columns.end());
    const CorrelationMatrix cuda = spearman_matrix(spans, Backend::cuda), cpu = spearman_matrix(spans, Backend::cpu);
    EXPECT_TRUE(test::close_values(cuda.value, cpu.value, n <= 300'000 ? 0 : 1e-13)) << "n " << n;
    EXPECT_EQ(cuda.reason, cpu.reason);
    EXPECT_EQ(cuda.n_pairs, cpu.n_pairs);
    if (n > 100'000) continue;
    EXPECT_TRUE(
        test::same_values(kendall_matrix(spans, Backend::cuda).value, kendall_matrix(spans, Backend::cpu).value));
  }
}

}  // namespace
}  // namespace oneproxy
