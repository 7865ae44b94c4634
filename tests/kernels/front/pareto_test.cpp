#include "oneproxy/kernels/front/pareto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/kernels/front/pareto_cases.h"

namespace oneproxy {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

using Indices = std::vector<std::int64_t>;

class Pareto : public testing::TestWithParam<test::ParetoCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, Pareto, testing::ValuesIn(test::pareto_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(Pareto, FrontIsTheOneByDefinition) {
  const auto& [name, latency, quality] = GetParam();
  EXPECT_EQ(pareto_front(latency, quality, Backend::cpu), test::front_by_definition(latency, quality));
}

TEST(ParetoFront, DoesNotDependOnTheNumberOfThreads) {
  const std::int64_t n = 300000;  // several chunks
  const Philox random{7, 0};
  std::vector<double> latency(n), quality(n);
  for (std::int64_t i = 0; i < n; ++i) {
    latency[i] = static_cast<double>(random.below(2 * i, 5000));
    quality[i] = latency[i] + static_cast<double>(random.below(2 * i + 1, 50));
  }
  set_thread_count(1);
  const Indices alone = pareto_front(latency, quality, Backend::cpu);
  set_thread_count(5);
  const Indices together = pareto_front(latency, quality, Backend::cpu);
  set_thread_count(0);
  EXPECT_EQ(alone, together);

  // By a running maximum over the points in order, another way than the kernel's.
  Indices order(n);
  for (std::int64_t i = 0; i < n; ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    if (latency[a] != latency[b]) return latency[a] < latency[b];
    return quality[a] != quality[b] ? quality[a] > quality[b] : a < b;
  });
  Indices expected;
  for (const std::int64_t i : order)
    if (expected.empty() || quality[i] > quality[expected.back()]) expected.push_back(i);
  EXPECT_EQ(alone, expected);
}

TEST(ParetoFront, RefusesUnequalLengths) {
  const std::vector<double> two(2), three(3);
  EXPECT_THROW(pareto_front(two, three, Backend::cpu), Error);
  EXPECT_THROW(hypervolume(two, three, 0, 0), Error);
}

// Cuts the plane at every coordinate and adds up the cells that some point dominates.
double hypervolume_by_cells(const std::vector<double>& latency, const std::vector<double>& quality,
                            double reference_latency, double reference_quality) {
  std::set<double> across = {reference_latency}, up = {reference_quality};
  for (const double l : latency)
    if (l < reference_latency) across.insert(l);
  for (const double q : quality)
    if (q > reference_quality) up.insert(q);
  double area = 0;
  for (auto l = across.begin(); std::next(l) != across.end(); ++l) {
    for (auto q = up.begin(); std::next(q) != up.end(); ++q) {
      bool dominated = false;
      for (std::size_t i = 0; i < latency.size(); ++i) dominated |= latency[i] <= *l && quality[i] >= *std::next(q);
      if (dominated) area += (*std::next(l) - *l) * (*std::next(q) - *q);
    }
  }
  return area;
}

TEST(Hypervolume, IsTheSumOfDominatedCells) {
  for (std::uint64_t stream = 0; stream < 200; ++stream) {
    const Philox random{11, stream};
    const auto n = static_cast<std::int64_t>(random.below(1000, 25));
    std::vector<double> latency(n), quality(n);
    for (std::int64_t i = 0; i < n; ++i) {
      latency[i] = static_cast<double>(random.below(2 * i, 30));  // integers: every sum is exact
      quality[i] = static_cast<double>(random.below(2 * i + 1, 30)) - 10;
      if (random.below(100 + i, 12) == 0) latency[i] = nan;
    }
    EXPECT_EQ(hypervolume(latency, quality, 20, -2), hypervolume_by_cells(latency, quality, 20, -2)) << stream;
    EXPECT_EQ(hypervolume(latency, quality, 40, -20), hypervolume_by_cells(latency, quality, 40, -20)) << stream;
  }
}

TEST(Hypervolume, KnownValuesAndEdges) {
  const std::vector<double> latency = {1, 2, 4}, quality = {1, 3, 4};
  EXPECT_EQ(hypervolume(latency, quality, 5, 0), 1 * 4 + 2 * 3 + 1 * 1);
  EXPECT_EQ(hypervolume({}, {}, 5, 0), 0);
  EXPECT_EQ(hypervolume(latency, quality, 1, 0), 0);  // no point is faster than the reference
  EXPECT_EQ(hypervolume(latency, quality, 5, 4), 0);  // nor better
  EXPECT_EQ(hypervolume(latency, quality, inf, 0), inf);
  EXPECT_EQ(hypervolume(latency, quality, inf, -inf), inf);
  EXPECT_THROW(hypervolume(latency, quality, nan, 0), Error);
  EXPECT_THROW(hypervolume(latency, quality, 5, nan), Error);
}

// O(n^2) dominance, with many ties, NaN and infinities.
TEST(ParetoOfThree, IsTheFrontByDefinition) {
  for (const int levels : {3, 20, 1000}) {
    const Philox random{static_cast<std::uint64_t>(levels), 3};
    const std::int64_t n = 600;
    std::vector<double> columns[3];
    std::uint64_t draw = 0;
    for (auto& column : columns)
      for (std::int64_t i = 0; i < n; ++i) column.push_back(static_cast<double>(random.below(draw++, levels)));
    columns[0][5] = columns[1][6] = columns[2][7] = std::nan("");
    columns[0][8] = columns[2][9] = -std::numeric_limits<double>::infinity();
    const auto as_good = [&](std::int64_t a, std::int64_t b) {
      return columns[0][a] <= columns[0][b] && columns[1][a] >= columns[1][b] && columns[2][a] <= columns[2][b];
    };
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 0; i < n; ++i) {
      bool counts = as_good(i, i);  // no NaN
      for (std::int64_t j = 0; j < n && counts; ++j) counts = !(j != i && as_good(j, i) && (!as_good(i, j) || j < i));
      if (counts) expected.push_back(i);
    }
    auto front = pareto_front(columns[0], columns[1], columns[2]);
    EXPECT_TRUE(
        std::is_sorted(front.begin(), front.end(), [&](auto a, auto b) { return columns[0][a] < columns[0][b]; }));
    std::sort(front.begin(), front.end());
    EXPECT_EQ(front, expected) << levels;
  }
  EXPECT_TRUE(pareto_front({}, {}, std::span<const double>{}).empty());
  EXPECT_THROW(pareto_front(std::vector<double>{1}, std::vector<double>{1}, std::span<const double>{}), Error);
}

}  // namespace
}  // namespace oneproxy
