#include "oneproxy/engine/search/methods/exact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/predictor/predictor.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Three digits; digit 0 may select one of three tables.
const std::vector<std::uint32_t> kRadices = {3, 6, 5, 4};
constexpr std::size_t kWidth = 18, kSize = 3 * 6 * 5 * 4;

// Owns what an AdditiveTable views.
struct OwnedTable {
  std::vector<double> weights, bias;
  AdditiveTable<double> view() const { return {weights, bias}; }
};

OwnedTable random_table(std::uint64_t seed, std::size_t n_tables) {
  const Philox random{seed, 80};
  OwnedTable data;
  for (std::size_t i = 0; i < n_tables * kWidth; ++i) data.weights.push_back(4 * random.uniform(i) - 1);
  for (std::size_t t = 0; t < n_tables; ++t) data.bias.push_back(random.uniform(1000 + t));
  return data;
}

// Of the quality of what is slow: few architectures are dominated.
OwnedTable following(const OwnedTable& latency, std::uint64_t seed, std::size_t n_tables) {
  OwnedTable data = random_table(seed, n_tables);
  for (std::size_t i = 0; i < data.weights.size(); ++i)
    data.weights[i] = data.weights[i] / 8 + latency.weights[i % latency.weights.size()];
  return data;
}

std::vector<ExactLimits> latency_limits(const std::vector<double>& bounds) {
  std::vector<ExactLimits> limits;
  for (const double bound : bounds) limits.push_back({bound});
  return limits;
}

std::vector<std::uint32_t> digits_at(std::size_t index) {
  std::vector<std::uint32_t> digits(kRadices.size());
  for (std::size_t d = digits.size(); d-- > 0; index /= kRadices[d])
    digits[d] = static_cast<std::uint32_t>(index % kRadices[d]);
  return digits;
}

double sum_at(const OwnedTable& data, std::size_t index) {
  const auto digits = digits_at(index);
  const std::size_t t = data.bias.size() == 1 ? 0 : digits[0];
  double sum = data.bias[t];
  for (std::size_t d = 0, place = t * kWidth; d < digits.size(); place += kRadices[d++])
    sum += data.weights[place + digits[d]];
  return sum;
}

// The front in f64; the random sums are far apart, so that rounding decides nothing.
std::vector<std::size_t> front_by_definition(const OwnedTable& latency, const OwnedTable& quality) {
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < kSize; ++i) {
    const double l = sum_at(latency, i), q = sum_at(quality, i);
    bool dominated = !std::isfinite(l) || !std::isfinite(q);
    for (std::size_t j = 0; j < kSize && !dominated; ++j)
      dominated = j != i && sum_at(latency, j) <= l && sum_at(quality, j) >= q;
    if (!dominated) front.push_back(i);
  }
  std::sort(front.begin(), front.end(),
            [&](std::size_t a, std::size_t b) { return sum_at(latency, a) < sum_at(latency, b); });
  return front;
}

TEST(SearchExactly, IsTheFrontByDefinition) {
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    SCOPED_TRACE(seed);
    auto latency = random_table(2 * seed, seed % 2 ? 3 : 1),
         quality = following(latency, 2 * seed + 1, seed % 3 ? 1 : 3);
    if (seed % 4 >= 2) {  // choices that do not exist, and a value of digit 0 without a table
      latency.weights[4] = kNan;
      quality.weights[10] = -kInfinity;
      if (latency.bias.size() == 3) latency.bias[1] = kNan;
    }
    const auto expected = front_by_definition(latency, quality);
    const std::vector<double> limits = {-100, sum_at(latency, expected[0]), 1, 3, 100, kNan};
    const auto result = search_exactly({kRadices, latency.view(), quality.view(), {}}, latency_limits(limits), {});
    ASSERT_EQ(result.front.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(result.front[i].digits, digits_at(expected[i]));
      EXPECT_EQ(result.front[i].latency, sum_at(latency, expected[i]));
      EXPECT_EQ(result.front[i].quality, sum_at(quality, expected[i]));
    }
    for (std::size_t l = 0; l < limits.size(); ++l) {
      std::vector<std::uint32_t> best;
      for (const auto i : expected)
        if (sum_at(latency, i) <= limits[l]) best = digits_at(i);
      ASSERT_EQ(result.best[l].size(), best.empty() ? 0u : 1u) << "limit " << limits[l];
      if (!best.empty()) {
        EXPECT_EQ(result.best[l].front().digits, best) << "limit " << limits[l];
      }
    }
    EXPECT_TRUE(result.certificate.exact());
    EXPECT_LT(result.certificate.latency_error, 1e-13);
    EXPECT_GT(result.certificate.latency_error, 0);
    EXPECT_LE(result.certificate.latency_error, 2.5 * result.certificate.latency_step);  // half a step an entry
  }
}

TEST(SearchExactly, ThreeObjectives) {
  const auto latency = random_table(1, 1), quality = random_table(2, 1), third = random_table(3, 3);
  const auto result = search_exactly({kRadices, latency.view(), quality.view(), third.view()}, {}, {});
  std::size_t expected = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    bool dominated = false;
    for (std::size_t j = 0; j < kSize && !dominated; ++j)
      dominated = j != i && sum_at(latency, j) <= sum_at(latency, i) && sum_at(quality, j) >= sum_at(quality, i) &&
                  sum_at(third, j) <= sum_at(third, i);
    if (dominated) continue;
    ++expected;
    EXPECT_TRUE(std::any_of(result.front.begin(), result.front.end(),
                            [&](const ExactSolution& s) { return s.digits == digits_at(i); }));
  }
  EXPECT_EQ(result.front.size(), expected);
  const std::vector<ExactLimits> limits = {{3, 4}, {1, 100}, {100, 1}, {-100, 0}};
  const auto best = search_exactly({kRadices, latency.view(), quality.view(), third.view()}, limits, {}).best;
  for (std::size_t l = 0; l < limits.size(); ++l) {
    double highest = -kInfinity;
    for (std::size_t i = 0; i < kSize; ++i)
      if (sum_at(latency, i) <= limits[l].latency && sum_at(third, i) <= limits[l].third)
        highest = std::max(highest, sum_at(quality, i));
    ASSERT_EQ(best[l].empty(), std::isinf(highest)) << l;
    if (best[l].empty()) continue;
    EXPECT_EQ(best[l].front().quality, highest) << l;
    EXPECT_LE(best[l].front().third, limits[l].third);
  }
  ExactSettings several;
  several.n_best = 2;
  EXPECT_THAT(error_of([&] {
                search_exactly({kRadices, latency.view(), quality.view(), third.view()}, limits, several);
              }),
              HasSubstr("the 2 best within limits are had for two objectives"));
}

// By brute force, with ties, several tables and choices that are missing.
TEST(SearchExactly, TheBestFewAreTheBestByDefinition) {
  for (std::uint64_t seed = 0; seed < 16; ++seed) {
    SCOPED_TRACE(seed);
    auto latency = random_table(2 * seed, seed % 2 ? 3 : 1), quality = random_table(2 * seed + 1, seed % 3 ? 1 : 3);
    if (seed % 4 == 3)  // ties everywhere
      for (auto* data : {&latency, &quality})
        for (auto* values : {&data->weights, &data->bias})
          for (double& x : *values) x = std::round(x);
    if (seed % 4 == 2) {
      latency.weights[4] = kNan;
      quality.weights[10] = -kInfinity;
      if (latency.bias.size() == 3) latency.bias[1] = kNan;
    }
    const std::vector<double> limits = {-100, 1, 3, 100};
    ExactSettings settings;
    settings.n_best = 25;
    const auto result =
        search_exactly({kRadices, latency.view(), quality.view(), {}}, latency_limits(limits), settings);
    for (std::size_t l = 0; l < limits.size(); ++l) {
      std::vector<std::pair<double, double>> expected;  // -quality, latency
      for (std::size_t i = 0; i < kSize; ++i)
        if (sum_at(latency, i) <= limits[l] && std::isfinite(sum_at(quality, i)))
          expected.emplace_back(-sum_at(quality, i), sum_at(latency, i));
      std::sort(expected.begin(), expected.end());
      if (expected.size() > 25) expected.resize(25);
      ASSERT_EQ(result.best[l].size(), expected.size());
      std::vector<std::vector<std::uint32_t>> seen;
      for (std::size_t r = 0; r < expected.size(); ++r) {
        EXPECT_EQ(result.best[l][r].quality, -expected[r].first) << r;
        EXPECT_EQ(result.best[l][r].latency, expected[r].second) << r;
        EXPECT_EQ(std::count(seen.begin(), seen.end(), result.best[l][r].digits), 0) << "twice";
        seen.push_back(result.best[l][r].digits);
      }
    }
  }
}

TEST(SearchExactly, WholeNumbersAreNotRounded) {
  auto latency = random_table(1, 1), quality = random_table(2, 1);
  for (auto* data : {&latency, &quality})
    for (auto* values : {&data->weights, &data->bias})
      for (double& x : *values) x = std::round(1e9 * x);
  const auto result = search_exactly({kRadices, latency.view(), quality.view(), {}}, {}, {});
  EXPECT_EQ(result.certificate.latency_error, 0);
  EXPECT_EQ(result.certificate.quality_error, 0);
}

TEST(SearchExactly, AThinnedFrontSaysSoAndItsBestIsExact) {
  const auto latency = random_table(1, 1), quality = following(latency, 2, 1);
  const ExactProblem problem{kRadices, latency.view(), quality.view(), {}};
  const std::vector<double> limits = {0, 1, 2, 3, 4};
  const auto exact = search_exactly(problem, latency_limits(limits), {});
  const std::int64_t budget = exact.certificate.peak_bytes / 2;
  const auto thinned = search_exactly(problem, latency_limits(limits), {budget, 1});
  EXPECT_LE(thinned.certificate.peak_bytes, budget);
  EXPECT_GT(thinned.certificate.quality_gap, 0);
  EXPECT_THAT(thinned.certificate.text(), HasSubstr("thinned, certified"));
  EXPECT_LT(thinned.front.size(), exact.front.size());
  for (std::size_t l = 0; l < limits.size(); ++l) {
    ASSERT_EQ(thinned.best[l].size(), exact.best[l].size());
    if (!exact.best[l].empty()) {
      EXPECT_EQ(thinned.best[l].front().digits, exact.best[l].front().digits);
    }
  }
  for (const auto& point : exact.front)
    EXPECT_TRUE(std::any_of(thinned.front.begin(), thinned.front.end(), [&](const ExactSolution& s) {
      return s.latency <= point.latency + 1e-12 && s.quality >= point.quality - thinned.certificate.quality_gap - 1e-12;
    }));
}

TEST(SearchExactly, RefusesWhatHasNoMeaning) {
  auto latency = random_table(1, 1), quality = random_table(2, 1);
  auto error = [&] {
    return error_of([&] { search_exactly({kRadices, latency.view(), quality.view(), {}}, {}, {}); });
  };
  for (std::size_t i = 9; i < 14; ++i) latency.weights[i] = kNan;
  EXPECT_THAT(error(), HasSubstr("no value of digit 2 is allowed"));
  latency = random_table(1, 1);
  quality.bias = {1, 2};
  EXPECT_THAT(error(), HasSubstr("the quality table has 2 tables"));
  quality = random_table(2, 1);
  latency.weights[0] = latency.weights[5] = std::numeric_limits<double>::max();
  EXPECT_THAT(error(), HasSubstr("pass the range of numbers"));
}

SearchResult run(const SearchMethod& method, const SearchProblem& problem, const std::vector<double>& limits,
                 std::int64_t* evaluated = nullptr) {
  SearchQuestion question;
  for (const double limit : limits) question.limits.push_back({{kNan, limit}});
  Evaluator evaluator(problem, question);
  auto result = method.search(evaluator);
  if (evaluated) *evaluated = evaluator.n_evaluated();
  return result;
}

// The proxy of a real device: the exact search of a space that can be enumerated is the exhaustive one.
TEST(SearchExactly, IsTheExhaustiveSearchOfNasBench201) {
  const Store store(shipped_store());
  const auto space = SearchSpace::load("nasbench201");
  const Measurements data(store, space, "help");
  const SubSpace part(space);
  const ObjectiveSources sources{space, &data, store.path(), "", Backend::cpu};
  const SearchProblem problem{part,
                              &data,
                              {make_objective(sources, "model:macs", "quality", Direction::maximise),
                               make_objective(sources, "proxy:pixel3", "latency", Direction::minimise)}};
  const std::vector<double> limits = {1e-9, 5, 8, 12, 20, 1e9};
  const auto expected = run(ExhaustiveSearch(), problem, limits);
  const auto result = run(ExactSearch(), problem, limits);
  EXPECT_THAT(result.certainty, HasSubstr("exact in fixed point"));
  const double rounding = 1e-9;
  // Latencies that differ by rounding only are ties here and may be two points there.
  const auto has_as_good = [&](const std::vector<Solution>& front, const Solution& point) {
    return std::any_of(front.begin(), front.end(), [&](const Solution& s) {
      return s.values[0] >= point.values[0] && s.values[1] <= point.values[1] + rounding;
    });
  };
  for (const auto& point : expected.front) EXPECT_TRUE(has_as_good(result.front, point));
  for (const auto& point : result.front) EXPECT_TRUE(has_as_good(expected.front, point));
  for (std::size_t l = 0; l < limits.size(); ++l) {
    ASSERT_EQ(result.best[l].empty(), expected.best[l].empty());
    if (result.best[l].empty()) continue;
    EXPECT_EQ(result.best_of(l)->values[0], expected.best_of(l)->values[0]);
    EXPECT_NEAR(result.best_of(l)->values[1], expected.best_of(l)->values[1], rounding);
  }
}

// One table a resolution, stages as digits: a part of the Once-for-All space that can be enumerated.
TEST(SearchExactly, IsTheExhaustiveSearchOfAStagedPart) {
  const Store store(shipped_store());
  const auto space = SearchSpace::load("ofa_mbv3");
  SubSpace part(space);
  part.keep_uniform_stages();
  part.fix("resolution=160|192|224");
  for (const int stage : {0, 1, 2})
    for (int block = 0; block < 2; ++block) part.fix(space.decisions()[1 + 4 * stage + block].name + "=k3_e3|k7_e6");
  const ObjectiveSources sources{space, nullptr, store.path(), "", Backend::cpu};
  const SearchProblem problem{part,
                              nullptr,
                              {make_objective(sources, "model:macs", "quality", Direction::maximise),
                               make_objective(sources, "table:note10", "latency", Direction::minimise)}};
  const std::vector<double> limits = {20, 30, 50};
  std::int64_t evaluated = 0;
  const auto expected = run(ExhaustiveSearch(), problem, limits, &evaluated);
  const auto result = run(ExactSearch(), problem, limits);
  ASSERT_EQ(evaluated, 3 * 6 * 6 * 6 * 27 * 27);
  for (std::size_t l = 0; l < limits.size(); ++l)
    EXPECT_EQ(result.best_of(l)->values[0], expected.best_of(l)->values[0]);
  EXPECT_EQ(result.front.size(), expected.front.size());
}

}  // namespace
}  // namespace oneproxy
