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
  settings.most_candidates = 100;
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

// Three objectives, by definition: no other point is as good in all and better in one (or equal, of a lower index).
struct ThreeObjectives {
  ThreeObjectives(std::int64_t points, int levels, std::uint64_t seed) : n(points), scores(3 * points) {
    const Philox random{seed, 11};
    for (std::int64_t i = 0; i < 3 * n; ++i) scores[i] = std::floor(random.uniform(i) * levels);
  }
  double latency(std::int64_t i) const { return scores[i]; }
  double quality(std::int64_t i) const { return scores[n + i]; }
  double third(std::int64_t i) const { return scores[2 * n + i]; }
  bool as_good(std::int64_t a, std::int64_t b) const {
    return latency(a) <= latency(b) && quality(a) >= quality(b) && third(a) <= third(b);
  }
  std::set<std::int64_t> front() const {
    std::set<std::int64_t> front;
    for (std::int64_t i = 0; i < n; ++i) {
      bool dominated = false;
      for (std::int64_t j = 0; j < n && !dominated; ++j)
        dominated = j != i && as_good(j, i) && (!as_good(i, j) || j < i);
      if (!dominated) front.insert(i);
    }
    return front;
  }
  std::vector<std::int64_t> best(double limit, double third_limit, int k) const {
    std::vector<std::int64_t> order;
    for (std::int64_t i = 0; i < n; ++i)
      if (latency(i) <= limit && third(i) <= third_limit) order.push_back(i);
    const auto key = [&](std::int64_t i) { return std::tuple(-quality(i), latency(i), third(i), i); };
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return key(a) < key(b); });
    if (static_cast<int>(order.size()) > k) order.resize(k);
    return order;
  }
  std::int64_t n;
  std::vector<double> scores;  // [3][n]
};

void feed(Reduction& reduction, const ThreeObjectives& points, std::int64_t chunk) {
  for (std::int64_t from = 0; from < points.n; from += chunk) {
    Reduction::Survivors survivors;
    reduction.filter(points.scores.data() + from, std::min(chunk, points.n - from), points.n, from, survivors);
    reduction.absorb(survivors);
  }
}

ReductionSettings three_objectives(int levels) {
  ReductionSettings settings;
  settings.third = 2;
  settings.limits = {-1.0, 0.3 * levels, 0.6 * levels};
  settings.third_limits = {1e9, 0.7 * levels, 0.2 * levels};
  settings.best = 4;
  return settings;
}

TEST(Reduction, ThreeObjectivesByDefinition) {
  for (const int levels : {4, 30, 100000})
    for (const std::int64_t chunk : {std::int64_t{64}, std::int64_t{100000}}) {
      const ThreeObjectives points(3000, levels, static_cast<std::uint64_t>(levels));
      const auto settings = three_objectives(levels);
      Reduction reduction(settings);
      feed(reduction, points, chunk);
      const auto front = indices(reduction.front());
      EXPECT_EQ(std::set<std::int64_t>(front.begin(), front.end()), points.front()) << levels;
      EXPECT_EQ(front.size(), points.front().size());
      for (std::size_t l = 0; l < settings.limits.size(); ++l)
        EXPECT_EQ(indices(reduction.best(static_cast<int>(l))),
                  points.best(settings.limits[l], settings.third_limits[l], 4));
      Reduction other(settings);
      other.merge(reduction);
      EXPECT_EQ(indices(other.front()), front);
    }
}

// A filter that is sharpened by what came before rules nothing out that counts.
TEST(Reduction, AThirdObjectiveIsFilteredAsTheFrontGrows) {
  const ThreeObjectives points(200000, 1000000, 7);
  auto settings = three_objectives(1000000);
  Reduction at_once(settings), in_chunks(settings);
  feed(at_once, points, points.n);
  for (std::int64_t from = 0; from < points.n; from += 1000) {
    Reduction::Survivors survivors;
    in_chunks.filter(points.scores.data() + from, 1000, points.n, from, survivors);
    in_chunks.absorb(survivors);
    Reduction compacted(settings);  // a merge compacts, and so sharpens the filter
    compacted.merge(in_chunks);
    in_chunks = compacted;
  }
  EXPECT_EQ(indices(in_chunks.front()), indices(at_once.front()));
  EXPECT_GT(at_once.front().size(), 50u);
}

TEST(Reduction, MarginsOfThreeObjectivesKeepAllThatMayCount) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const ThreeObjectives exact(2000, 300, seed);
    ThreeObjectives fast = exact;
    const Philox random{seed, 12};
    auto settings = three_objectives(300);
    settings.latency_margin = 0.5, settings.quality_margin = 1.25, settings.third_margin = 0.75;
    const double margins[] = {0.5, 1.25, 0.75};
    for (std::int64_t i = 0; i < 3 * exact.n; ++i)
      fast.scores[i] += (random.below(i, 2) ? 1 : -1) * margins[i / exact.n];
    Reduction reduction(settings);
    feed(reduction, fast, 500);
    const auto kept = indices(reduction.front());
    for (const auto i : exact.front()) EXPECT_TRUE(std::count(kept.begin(), kept.end(), i)) << "seed " << seed;
    EXPECT_LT(kept.size(), 2000u) << "some points are surely dominated";
    for (std::size_t l = 0; l < settings.limits.size(); ++l) {
      const auto best = indices(reduction.best(static_cast<int>(l)));
      for (const auto i : exact.best(settings.limits[l], settings.third_limits[l], 4))
        EXPECT_TRUE(std::count(best.begin(), best.end(), i)) << "seed " << seed << " limit " << l;
    }
  }
}

TEST(Reduction, LimitsOfAThirdObjectiveNeedThatObjective) {
  ReductionSettings settings;
  settings.limits = {1};
  settings.third_limits = {1};
  EXPECT_THROW(Reduction{settings}, Error);
  settings.third = 2;
  EXPECT_NO_THROW(Reduction{settings});
  settings.third_limits = {1, 2};
  EXPECT_THROW(Reduction{settings}, Error);
}

}  // namespace
}  // namespace oneproxy
