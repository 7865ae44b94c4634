// Ranks against slow definitions, and what must hold for any data.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/rank/rank.h"
#include "tests/support/compare.h"

namespace oneproxy {
namespace {

using Values = std::vector<double>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double rounding = 1e-13;

struct Pairs {
  Values x, y;
};

enum class Kind { continuous, tied, with_nan };

Pairs random_pairs(std::int64_t n, Kind kind, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Pairs pairs{Values(n), Values(n)};
  for (std::int64_t i = 0; i < n; ++i) {
    pairs.x[i] = normal(random);
    pairs.y[i] = 0.5 * pairs.x[i] + normal(random);
    if (kind == Kind::continuous) continue;
    pairs.x[i] = std::round(3 * pairs.x[i]);
    pairs.y[i] = std::round(2 * pairs.y[i]);
    if (kind == Kind::with_nan && random() % 10 == 0) (random() % 2 == 0 ? pairs.x : pairs.y)[i] = nan;
  }
  return pairs;
}

double rank_by_counting(const Values& x, double value) {
  const auto smaller = std::count_if(x.begin(), x.end(), [value](double other) { return other < value; });
  const auto equal = std::count(x.begin(), x.end(), value);
  return static_cast<double>(smaller) + 0.5 * static_cast<double>(equal + 1);
}

double spearman_by_definition(const Pairs& pairs) {
  Pairs ranks;
  for (const double value : pairs.x) ranks.x.push_back(rank_by_counting(pairs.x, value));
  for (const double value : pairs.y) ranks.y.push_back(rank_by_counting(pairs.y, value));
  const double mean = 0.5 * static_cast<double>(pairs.x.size() + 1);
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < ranks.x.size(); ++i) {
    xx += (ranks.x[i] - mean) * (ranks.x[i] - mean);
    xy += (ranks.x[i] - mean) * (ranks.y[i] - mean);
    yy += (ranks.y[i] - mean) * (ranks.y[i] - mean);
  }
  return xy / std::sqrt(xx * yy);
}

double kendall_by_definition(const Pairs& pairs) {
  const auto sign = [](double d) { return static_cast<double>((d > 0) - (d < 0)); };
  double balance = 0, x_pairs = 0, y_pairs = 0;
  for (std::size_t i = 0; i < pairs.x.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const double sx = sign(pairs.x[i] - pairs.x[j]), sy = sign(pairs.y[i] - pairs.y[j]);
      balance += sx * sy;
      x_pairs += sx * sx;
      y_pairs += sy * sy;
    }
  return balance / std::sqrt(x_pairs * y_pairs);
}

Pairs without_nan(const Pairs& pairs) {
  Pairs kept;
  for (std::size_t i = 0; i < pairs.x.size(); ++i) {
    if (std::isnan(pairs.x[i]) || std::isnan(pairs.y[i])) continue;
    kept.x.push_back(pairs.x[i]);
    kept.y.push_back(pairs.y[i]);
  }
  return kept;
}

struct PropertyCase {
  std::int64_t n;
  Kind kind;
};
std::ostream& operator<<(std::ostream& out, const PropertyCase& c) {
  return out << "n=" << c.n << (c.kind == Kind::continuous ? " continuous" : c.kind == Kind::tied ? " tied" : " nan");
}

class RankProperty : public testing::TestWithParam<PropertyCase> {
 protected:
  const Pairs pairs = random_pairs(GetParam().n, GetParam().kind, 7 + GetParam().n);
};

TEST_P(RankProperty, EqualsTheDefinition) {
  const Pairs kept = without_nan(pairs);
  const Correlation rho = spearman(pairs.x, pairs.y, Backend::cpu);
  const Correlation tau = kendall_tau_b(pairs.x, pairs.y, Backend::cpu);
  EXPECT_NEAR(rho.value, spearman_by_definition(kept), rounding);
  EXPECT_NEAR(tau.value, kendall_by_definition(kept), rounding);
  EXPECT_EQ(rho.n_pairs, static_cast<std::int64_t>(kept.x.size()));
  EXPECT_EQ(tau.n_dropped, GetParam().n - static_cast<std::int64_t>(kept.x.size()));
  Values ranks(kept.x.size()), expected;
  average_ranks(kept.x, ranks, Backend::cpu);
  for (const double value : kept.x) expected.push_back(rank_by_counting(kept.x, value));
  EXPECT_TRUE(test::same_values(ranks, expected));
}

TEST_P(RankProperty, SymmetricToTheBit) {
  for (const auto correlate : {spearman, kendall_tau_b})
    EXPECT_EQ(correlate(pairs.x, pairs.y, Backend::cpu).value, correlate(pairs.y, pairs.x, Backend::cpu).value);
}

TEST_P(RankProperty, OrderOfRowsDoesNotMatter) {
  std::vector<std::size_t> order(pairs.x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937_64(3));
  Pairs shuffled;
  for (const std::size_t i : order) {
    shuffled.x.push_back(pairs.x[i]);
    shuffled.y.push_back(pairs.y[i]);
  }
  for (const auto correlate : {spearman, kendall_tau_b})
    EXPECT_EQ(correlate(pairs.x, pairs.y, Backend::cpu).value, correlate(shuffled.x, shuffled.y, Backend::cpu).value);
}

TEST_P(RankProperty, MonotoneTransformsDoNotMatter) {
  Pairs changed = pairs;
  for (double& value : changed.x) value = std::exp(5 * value);
  for (double& value : changed.y) value = -std::cbrt(value);
  for (const auto correlate : {spearman, kendall_tau_b})
    EXPECT_NEAR(correlate(pairs.x, pairs.y, Backend::cpu).value, -correlate(changed.x, changed.y, Backend::cpu).value,
                1e-15);
}

INSTANTIATE_TEST_SUITE_P(Random, RankProperty, testing::ValuesIn([] {
                           std::vector<PropertyCase> cases;
                           for (const Kind kind : {Kind::continuous, Kind::tied, Kind::with_nan})
                             for (const std::int64_t n : {5, 17, 24, 25, 26, 255, 256, 257, 1500})
                               cases.push_back({n, kind});
                           return cases;
                         }()));

std::vector<std::span<const double>> spans_of(const std::vector<Values>& columns) {
  return {columns.begin(), columns.end()};
}

std::vector<Values> random_columns(int size, std::int64_t n, bool with_nan) {
  std::vector<Values> columns;
  for (int d = 0; d < size; ++d) {
    const Kind kind = d % 3 == 0 ? Kind::continuous : d % 3 == 1 ? Kind::tied : Kind::with_nan;
    columns.push_back(random_pairs(n, with_nan ? kind : std::min(kind, Kind::tied), d).x);
  }
  return columns;
}

TEST(RankMatrix, EntriesEqualThePairs) {
  for (const int size : {1, 2, 3, 7, 10})
    for (const std::int64_t n : {0, 1, 2, 3, 300, 2500}) {
      std::vector<Values> columns = random_columns(size, n, true);
      if (size > 3) columns[3].assign(n, 1.0);
      if (size > 7) columns[6].assign(n, -1.0);
      if (size > 7) columns[5].assign(n, nan);
      const auto spans = spans_of(columns);
      const CorrelationMatrix rho = spearman_matrix(spans, Backend::cpu), tau = kendall_matrix(spans, Backend::cpu);
      ASSERT_EQ(rho.size, size);
      for (int i = 0; i < size; ++i)
        for (int j = 0; j < size; ++j) {
          SCOPED_TRACE(testing::Message() << "row " << i << " column " << j << " of " << size << ", n = " << n);
          for (const auto* matrix : {&rho, &tau}) {
            const Correlation pair = (matrix == &rho ? spearman : kendall_tau_b)(columns[i], columns[j], Backend::cpu);
            EXPECT_TRUE(test::same_values(Values{(*matrix)(i, j)}, Values{pair.value}));
            EXPECT_EQ(matrix->n_pairs[i * size + j], pair.n_pairs);
            EXPECT_EQ(matrix->reason[i * size + j], pair.reason);
          }
        }
    }
}

TEST(RankMatrix, NoColumns) {
  EXPECT_EQ(spearman_matrix({}, Backend::cpu).size, 0);
  EXPECT_TRUE(kendall_matrix({}, Backend::cpu).value.empty());
}

TEST(RankThreads, SameBitsForAnyNumber) {
  // Long enough for the bucket sort, its chunks and several blocks of the Gram matrix.
  for (const Kind kind : {Kind::continuous, Kind::tied}) {
    const Pairs pairs = random_pairs(150'000, kind, 1);
    const std::vector<Values> columns{pairs.x, pairs.y, random_pairs(150'000, Kind::with_nan, 2).x};
    const auto results = [&] {
      Values all{spearman(pairs.x, pairs.y, Backend::cpu).value, kendall_tau_b(pairs.x, pairs.y, Backend::cpu).value};
      for (const auto matrix : {spearman_matrix, kendall_matrix}) {
        const CorrelationMatrix values = matrix(spans_of(columns), Backend::cpu);
        all.insert(all.end(), values.value.begin(), values.value.end());
      }
      Values ranks(pairs.x.size());
      average_ranks(pairs.x, ranks, Backend::cpu);
      all.insert(all.end(), ranks.begin(), ranks.end());
      return all;
    };
    set_thread_count(1);
    const Values one = results();
    for (const int threads : {2, 5}) {
      set_thread_count(threads);
      EXPECT_TRUE(test::same_values(results(), one)) << threads << " threads";
    }
    set_thread_count(0);
    EXPECT_EQ(one[0], one[3]) << "the pair and the matrix take different ways to the same sum";
    EXPECT_EQ(one[1], one[2 + 9 + 1]);
  }
}

}  // namespace
}  // namespace oneproxy
