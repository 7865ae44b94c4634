#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/base/resources.h"
#include "engine/search/evolutionary.h"
#include "engine/search/exhaustive.h"
#include "engine/search/front.h"
#include "kernels/error.h"
#include "kernels/parallel.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<std::int64_t> rows_of(const Front& front) {
  std::vector<std::int64_t> rows;
  for (const auto& point : front) rows.push_back(point.row);
  return rows;
}

TEST(Front, MeasuredMembersLoseTheDominated) {
  const std::vector<double> latency = {5, 4, 3, kNan, 3}, quality = {10, 20, 5, 30, 5};
  // Predicted order was wrong: row 0 is dominated by row 1; row 3 failed; row 4 equals row 2.
  const Front members = {{4, 1, 5}, {2, 1, 5}, {0, 2, 10}, {1, 3, 20}, {3, 4, 30}};
  EXPECT_THAT(rows_of(measured_front(members, latency, quality)), testing::ElementsAre(2, 1));
}

TEST(Front, RecallCountsEqualPointsWhateverTheirRow) {
  const Front truth = {{0, 1, 1}, {1, 2, 2}};
  EXPECT_EQ(recall({{9, 1, 1}}, truth), 0.5);
  EXPECT_EQ(recall({}, truth), 0);
  EXPECT_EQ(recall(truth, truth), 1);
}

TEST(Front, HypervolumeByHand) {
  // Reference (10, 0): (2, 3) covers 8 x 3, (5, 7) adds 5 x 4.
  EXPECT_DOUBLE_EQ(hypervolume(Front{{0, 2, 3}, {1, 5, 7}}, {10, 0}), 8 * 3 + 5 * 4);
}

TEST(Front, RegretAndInfeasible) {
  const Front truth = {{0, 1, 10}, {1, 2, 20}}, found = {{1, 2, 19}};
  EXPECT_EQ(regret(found, truth, 2, 5).points, 1);
  EXPECT_TRUE(regret(found, truth, 2, 5).feasible);
  EXPECT_EQ(regret(found, truth, 1.5, 5).points, 5);  // to the smallest quality
  EXPECT_FALSE(regret(found, truth, 1.5, 5).feasible);
}

TEST(Front, QuantilesAreNumpys) {
  const std::vector<double> values = {4, 1, kNan, 3, 2};
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.1), 1.3);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 4);
  EXPECT_THROW(quantile(std::vector<double>{kNan}, 0.5), Error);
}

TEST(Front, ReferenceIsTheWorstOfWhatHasBoth) {
  const auto reference = reference_point(std::vector<double>{1, 9, 3}, std::vector<double>{5, kNan, 7});
  EXPECT_EQ(reference.latency_ms, 3);
  EXPECT_EQ(reference.quality, 5);
}

class SearchTest : public testing::Test {
 protected:
  SearchTest() : store_(shipped_store()), space_(SearchSpace::load("nasbench201")), data_(store_, space_, "help") {}
  SearchProblem problem(const std::string& latency, const std::string& quality) {
    return {data_, latency_objective(data_, latency, Backend::cpu), quality_objective(data_, quality)};
  }
  Store store_;
  SearchSpace space_;
  Measurements data_;
};

TEST_F(SearchTest, ExhaustiveIsTheBruteForceBest) {
  const auto p = problem("device:pixel3", "metric:natsbench:cifar10");
  const std::vector<double> limits = {1e-9, 5, 12, 1e9};
  const auto result = search_exhaustively(p, limits, Backend::cpu);
  const auto latency = data_.device("pixel3").values, quality = data_.quality("metric:natsbench:cifar10").values;
  for (std::size_t l = 0; l < limits.size(); ++l) {
    double best = -1;
    for (std::size_t i = 0; i < latency.size(); ++i)
      if (latency[i] <= limits[l]) best = std::max(best, quality[i]);
    if (best < 0)
      EXPECT_TRUE(result.best[l].choices.empty());
    else
      EXPECT_EQ(result.best[l].quality, best);
  }
  EXPECT_EQ(result.n_evaluated, 15625);
  EXPECT_GT(result.front.size(), 10u);
}

TEST_F(SearchTest, TheSetAndTheWholeSpaceAgreeWhereBothAreTheSpace) {
  // The proxy's predictor and MACs cover the space by index, the rows of the set are the space in another order.
  const auto p = problem("proxy:pixel3", "model:macs");
  ASSERT_TRUE(p.covers_space());
  const std::vector<double> limits = {5, 12};
  const auto whole = search_exhaustively(p, limits, Backend::cpu);
  std::vector<double> latency(data_.n()), quality(data_.n());
  p.latency.evaluate(data_.rows().choices, latency);
  p.quality.evaluate(data_.rows().choices, quality);
  const auto front = exact_front(latency, quality, Backend::cpu);
  ASSERT_EQ(front.size(), whole.front.size());
  for (std::size_t i = 0; i < front.size(); ++i) {
    EXPECT_EQ(front[i].latency_ms, whole.front[i].latency_ms);
    EXPECT_EQ(front[i].quality, whole.front[i].quality);
  }
}

TEST_F(SearchTest, EvolutionIsRepeatableAndNeverBeatsTheTruth) {
  const auto p = problem("device:pixel3", "metric:natsbench:cifar100");
  const std::vector<double> limits = {5, 10, 15};
  EvolutionSettings settings;
  settings.generations = 30;
  const auto truth = search_exhaustively(p, limits, Backend::cpu);
  const auto first = search_evolutionarily(p, limits, settings, Backend::cpu);
  set_thread_count(1);
  const auto second = search_evolutionarily(p, limits, settings, Backend::cpu);
  set_thread_count(0);
  for (std::size_t i = 0; i < limits.size(); ++i) {
    EXPECT_EQ(first.best[i].choices, second.best[i].choices);
    EXPECT_LE(first.best[i].latency_ms, limits[i]);
    EXPECT_LE(first.best[i].quality, truth.best[i].quality);
    EXPECT_GT(first.best[i].quality, truth.best[i].quality - 2) << "a search that learns nothing is no search";
  }
  settings.seed = 2;
  EXPECT_NE(search_evolutionarily(p, limits, settings, Backend::cpu).n_evaluated, 0);
}

TEST_F(SearchTest, ImpossibleLimitIsSaid) {
  const auto p = problem("device:pixel3", "metric:natsbench:cifar10");
  EvolutionSettings settings;
  settings.patience = 3;
  const auto result = search_evolutionarily(p, std::vector<double>{0.0}, settings, Backend::cpu);
  EXPECT_TRUE(result.best[0].choices.empty());
}

TEST(Search, HugeSpaceIsRefusedWithARemedy) {
  const Store store(shipped_store());
  const auto space = SearchSpace::load("fbnet");
  const Measurements data(store, space, "help");
  const SearchProblem problem{data, latency_objective(data, "proxy:pixel3", Backend::cpu),
                              quality_objective(data, "model:macs")};
  try {
    search_exhaustively(problem, std::vector<double>{10.0}, Backend::cpu);
    FAIL() << "9^22 architectures were scored";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("evolutionary"));
  }
  EvolutionSettings settings;
  settings.generations = 5;
  const auto found = search_evolutionarily(problem, std::vector<double>{18.0}, settings, Backend::cpu);
  EXPECT_LE(found.best[0].latency_ms, 18.0);
  EXPECT_GT(found.best[0].quality, 0);
}

}  // namespace
}  // namespace oneproxy
