#include "oneproxy/kernels/front/reduction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/kernels/front/pareto_cases.h"

namespace oneproxy {
namespace {

using test::pareto_cases;
using test::ParetoCase;

struct Points {
  std::vector<double> scores;  // [2][n]
  std::int64_t n = 0;
};

// Few distinct values where `levels` is small, so that ties are everywhere.
Points random_points(std::int64_t n, int levels, std::uint64_t seed) {
  const Philox random{seed, 9};
  Points points{std::vector<double>(2 * n), n};
  for (std::int64_t i = 0; i < n; ++i) {
    const double latency = std::floor(random.uniform(2 * i) * levels);
    points.scores[i] = latency;
    points.scores[n + i] = std::floor(std::sqrt(latency) * 3 + random.uniform(2 * i + 1) * levels / 4.0);
  }
  return points;
}

void feed(Reduction& reduction, const Points& points, std::int64_t from, std::int64_t to) {
  Reduction::Survivors survivors;
  std::vector<double> part;
  for (const auto* column : {points.scores.data(), points.scores.data() + points.n})
    part.insert(part.end(), column + from, column + to);
  reduction.filter(part.data(), to - from, to - from, from, survivors);
  reduction.absorb(survivors);
}

std::vector<std::int64_t> indices(const std::vector<Candidate>& candidates) {
  std::vector<std::int64_t> indices;
  for (const auto& candidate : candidates) indices.push_back(static_cast<std::int64_t>(candidate.index));
  return indices;
}

// The k best by definition: sort all that is within the limit.
std::vector<std::int64_t> best_by_definition(const Points& points, double limit, int k) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < points.n; ++i)
    if (points.scores[i] <= limit) order.push_back(i);
  const auto key = [&](std::int64_t i) { return std::tuple(-points.scores[points.n + i], points.scores[i], i); };
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return key(a) < key(b); });
  if (static_cast<int>(order.size()) > k) order.resize(k);
  return order;
}

class FrontCases : public testing::TestWithParam<ParetoCase> {};

TEST_P(FrontCases, IsTheFrontByDefinition) {
  const auto& points = GetParam();
  const auto n = static_cast<std::int64_t>(points.latency.size());
  Points both{points.latency, n};
  both.scores.insert(both.scores.end(), points.quality.begin(), points.quality.end());
  for (const std::int64_t chunk : {std::int64_t{7}, std::int64_t{1000}, n + 1}) {
    Reduction reduction({});
    for (std::int64_t from = 0; from < n; from += chunk) feed(reduction, both, from, std::min(n, from + chunk));
    EXPECT_EQ(indices(reduction.front()), test::front_by_definition(points.latency, points.quality)) << chunk;
    EXPECT_EQ(reduction.n_scored(), static_cast<std::uint64_t>(n));
  }
}

INSTANTIATE_TEST_SUITE_P(Reduction, FrontCases, testing::ValuesIn(pareto_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(Reduction, PartsMergeToTheWholeInAnyOrder) {
  for (const int levels : {3, 40, 100000}) {
    const Points points = random_points(30000, levels, 4);
    ReductionSettings settings;
    settings.limits = {-1.0, 0.2 * levels, 0.5 * levels, 2.0 * levels};
    settings.best = 5;
    Reduction whole(settings), forward(settings), backward(settings);
    feed(whole, points, 0, points.n);
    std::vector<Reduction> parts;
    for (std::int64_t from = 0; from < points.n; from += 1777) {
      parts.emplace_back(settings);
      feed(parts.back(), points, from, std::min(points.n, from + 1777));
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
      forward.merge(parts[i]);
      backward.merge(parts[parts.size() - 1 - i]);
    }
    Reduction restored(settings);
    restored.restore(forward.state());
    for (const auto* other : {&forward, &backward, &restored}) {
      EXPECT_EQ(indices(other->front()), indices(whole.front()));
      EXPECT_EQ(other->n_scored(), whole.n_scored());
      for (std::size_t l = 0; l < settings.limits.size(); ++l)
        EXPECT_EQ(indices(other->best(l)), best_by_definition(points, settings.limits[l], 5)) << "limit " << l;
    }
  }
}

// Fast scores are exact ones with an error of at most the margin: whatever the errors, the exact front and the exact
// lists are among what is kept, also when chunks come with a sharpened filter.
TEST(Reduction, MarginsKeepAllThatMayCount) {
  for (const auto& [latency_margin, quality_margin] :
       std::vector<std::pair<double, double>>{{0, 0.75}, {0.75, 0}, {0.5, 1.25}}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const Points exact = random_points(20000, 300, seed);
      Points fast = exact;
      const Philox random{seed, 10};
      for (std::int64_t i = 0; i < exact.n; ++i) {
        // The worst errors: all at one of the two ends. (Margins are binary fractions: sums are exact.)
        fast.scores[i] += random.below(2 * i, 2) ? latency_margin : -latency_margin;
        fast.scores[exact.n + i] += random.below(2 * i + 1, 2) ? quality_margin : -quality_margin;
      }
      ReductionSettings settings;
      settings.limits = {30, 150};
      settings.best = 10;
      settings.latency_margin = latency_margin;
      settings.quality_margin = quality_margin;
      Reduction reduction(settings);
      for (std::int64_t from = 0; from < exact.n; from += 3000)
        feed(reduction, fast, from, std::min(exact.n, from + 3000));
      EXPECT_FALSE(reduction.gave_up_margins());
      const auto holds = [](const std::vector<std::int64_t>& all, const std::vector<std::int64_t>& some) {
        const std::set<std::int64_t> set(all.begin(), all.end());
        return std::all_of(some.begin(), some.end(), [&](auto i) { return set.count(i) == 1; });
      };
      const auto truth =
          test::front_by_definition(std::span(exact.scores).first(exact.n), std::span(exact.scores).last(exact.n));
      EXPECT_TRUE(holds(indices(reduction.front()), truth)) << seed;
      EXPECT_LT(reduction.front().size(), 6000u) << "keeps nearly everything";
      for (int l = 0; l < 2; ++l)
        EXPECT_TRUE(holds(indices(reduction.best(l)), best_by_definition(exact, settings.limits[l], 10))) << seed;
    }
  }
}

TEST(Reduction, GivesUpMarginsThatHoldTooMany) {
  const Points points = random_points(5000, 1000, 3);
  ReductionSettings settings;
  settings.quality_margin = 1e6;
  settings.max_candidates = 100;
  Reduction reduction(settings), plain(ReductionSettings{}), unknown([] {
    ReductionSettings infinite;
    infinite.quality_margin = std::numeric_limits<double>::infinity();
    return infinite;
  }());
  feed(reduction, points, 0, points.n);
  feed(plain, points, 0, points.n);
  feed(unknown, points, 0, points.n);
  reduction.merge(reduction);  // compacts
  EXPECT_TRUE(reduction.gave_up_margins());
  EXPECT_TRUE(unknown.gave_up_margins());
  EXPECT_EQ(indices(reduction.front()), indices(plain.front()));
  EXPECT_EQ(indices(unknown.front()), indices(plain.front()));
}

TEST(Reduction, RefusesFaultySettings) {
  EXPECT_THROW(Reduction({.best = -1}), Error);
  EXPECT_THROW(Reduction({.latency_margin = -1}), Error);
  EXPECT_THROW(Reduction({.latency_margin = std::nan("")}), Error);
  Reduction one({.limits = {1}}), other({.limits = {2}});
  EXPECT_THROW(one.merge(other), Error);
  EXPECT_THROW(one.restore({}), Error);
}

}  // namespace
}  // namespace oneproxy
