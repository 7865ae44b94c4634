#include "oneproxy/engine/search/methods/from_starts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/search/methods/auto.h"
#include "tests/engine/error_of.h"
#include "tests/engine/search/world.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

class FromStartsOfFbnet : public testing::Test {
 protected:
  World world{"fbnet"};
  Objective goal = random_mlp(world.space, 12, 3);
  SearchProblem problem = world.problem(goal, "proxy:pixel3");

  // Random architectures, choices [n][n_decisions].
  std::vector<std::vector<std::uint8_t>> random(int n) const {
    const auto flat = random_architectures(problem, n, 7);
    std::vector<std::vector<std::uint8_t>> all;
    const auto width = static_cast<std::ptrdiff_t>(world.space.n_decisions());
    for (auto i = flat.begin(); i != flat.end(); i += width) all.emplace_back(i, i + width);
    return all;
  }
  double latency_of(std::span<const std::uint8_t> one) const { return values_of(problem.objectives[1], one, 1)[0]; }
};

TEST_F(FromStartsOfFbnet, ImprovesTheBestStartThatKeepsTheLimit) {
  const auto starts = random(40);
  std::vector<double> latencies;
  for (const auto& one : starts) latencies.push_back(latency_of(one));
  auto sorted = latencies;
  std::sort(sorted.begin(), sorted.end());
  const double limit = sorted[20];  // half of them break it
  double best_start = -1e300;
  for (std::size_t i = 0; i < starts.size(); ++i)
    if (latencies[i] <= limit) best_start = std::max(best_start, values_of(goal, starts[i], 1)[0]);
  auto question = question_of({limit}, 3000);
  question.starts = {starts};
  const auto found = outcome_of(FromStarts(), problem, question);
  ASSERT_NE(found.result.best_of(0), nullptr);
  EXPECT_LE(found.result.best_of(0)->values[1], limit);
  EXPECT_GT(found.result.best_of(0)->values[0], best_start);
  EXPECT_LE(found.evaluated, 3000);
  const auto again = outcome_of(FromStarts(), problem, question);
  EXPECT_EQ(again.result.best_of(0)->choices, found.result.best_of(0)->choices);
}

// With a budget for the starts alone, the answer is the best of them.
TEST_F(FromStartsOfFbnet, EvaluatesEveryStartFirst) {
  const auto starts = random(30);
  auto question = question_of({1e9}, 30);
  question.starts = {starts};
  const auto found = outcome_of(FromStarts(), problem, question);
  double best = -1e300;
  for (const auto& one : starts) best = std::max(best, values_of(goal, one, 1)[0]);
  ASSERT_NE(found.result.best_of(0), nullptr);
  EXPECT_NEAR(found.result.best_of(0)->values[0], best, 1e-9);
  EXPECT_EQ(found.evaluated, 30);
}

TEST_F(FromStartsOfFbnet, NeedsStartsForEveryLimit) {
  auto question = question_of({20, 30}, 100);
  question.starts = {random(3), {}};
  EXPECT_THAT(error_of([&] { outcome_of(FromStarts(), problem, question); }), HasSubstr("name an optimizer"));
}

TEST_F(FromStartsOfFbnet, AutoTakesItWhereNoExactSearchCanRun) {
  auto question = question_of({20}, 100);
  EXPECT_EQ(suitable_method(problem, question), "coordinate_descent");
  question.starts = {random(3)};
  EXPECT_EQ(suitable_method(problem, question), "from_starts");
  question.budget.evaluations = 0;
  EXPECT_EQ(suitable_method(problem, question), "from_starts");
  question.budget.evaluations = 1000000;  // enough for annealing to be better
  EXPECT_EQ(suitable_method(problem, question), "annealing");
  EXPECT_EQ(suitable_method(world.problem("model:macs", "proxy:pixel3"), question), "exact");
}

}  // namespace
}  // namespace oneproxy
