#include "oneproxy/engine/search/computed_objective.h"

#include <gmock/gmock.h>

#include <set>

#include "oneproxy/engine/search/methods/auto.h"
#include "tests/engine/error_of.h"
#include "tests/engine/search/world.h"

namespace oneproxy {
namespace {

// A goal that a function computes, and what it was asked.
struct Asked {
  std::vector<std::size_t> batches;
  std::multiset<std::vector<std::uint8_t>> architectures;
  Objective objective(std::size_t width) {
    return computed_objective({"sum", "sum", "", Direction::maximise}, width,
                              [this, width](std::span<const std::uint8_t> choices, std::span<double> values) {
                                batches.push_back(values.size());
                                for (std::size_t i = 0; i < values.size(); ++i) {
                                  const auto one = choices.subspan(i * width, width);
                                  architectures.insert({one.begin(), one.end()});
                                  values[i] = static_cast<double>(std::accumulate(one.begin(), one.end(), 0));
                                }
                              });
  }
};

TEST(ComputedObjective, IsAskedForEachArchitectureOnceAndInBatches) {
  const World world("nasbench201");
  Asked asked;
  const SearchProblem problem{
      world.part, &*world.data, {asked.objective(6), world.objective("model:macs", Direction::minimise)}};
  EXPECT_TRUE(problem.covers_space() && problem.is_computed() && !problem.has_kernels());
  std::vector<std::pair<std::int64_t, std::int64_t>> told;
  SearchQuestion question = question_of({1e8}, 0);
  question.on_progress = [&](std::int64_t done, std::int64_t total) { told.emplace_back(done, total); };
  Config config = Config::defaults();
  const auto found = outcome_of(*auto_method().read(config), problem, question);
  EXPECT_THAT(found.result.certainty, testing::StartsWith("exact: 15625 architectures"));
  EXPECT_EQ(found.evaluated, 15625);
  EXPECT_THAT(asked.batches, testing::ElementsAre(4096, 4096, 4096, 3337));
  EXPECT_EQ(std::set(asked.architectures.begin(), asked.architectures.end()).size(), asked.architectures.size());
  EXPECT_THAT(told, testing::ElementsAre(std::pair(4096, 15625), std::pair(8192, 15625), std::pair(12288, 15625),
                                         std::pair(15625, 15625)));
}

TEST(ComputedObjective, AutoKeepsToTheBudgetOfAFunction) {
  const World world("fbnet");
  Asked asked;
  const SearchProblem problem{
      world.part, &*world.data, {asked.objective(22), world.objective("model:macs", Direction::minimise)}};
  EXPECT_EQ(suitable_method(problem, question_of({1e9}, 0)), "evolutionary");
  EXPECT_EQ(suitable_method(problem, question_of({1e9}, 100)), "coordinate_descent");
  const World cells("nasbench201");
  const SearchProblem small{
      cells.part, &*cells.data, {asked.objective(6), cells.objective("model:macs", Direction::minimise)}};
  EXPECT_EQ(suitable_method(small, question_of({1e9}, 20000)), "exhaustive");
  SearchQuestion by_the_clock = question_of({1e9}, 0);
  by_the_clock.budget.seconds = 1;
  EXPECT_EQ(suitable_method(small, by_the_clock), "evolutionary");
}

TEST(ComputedObjective, WhatFailedIsAskedForAgain) {
  int calls = 0;
  const Objective objective = computed_objective({"once", "once", "", Direction::minimise}, 1,
                                                 [&](std::span<const std::uint8_t>, std::span<double> values) {
                                                   if (++calls == 1) throw Error("not now");
                                                   for (double& value : values) value = 7;
                                                 });
  const std::vector<std::uint8_t> choices = {3, 3, 4};
  EXPECT_EQ(error_of([&] { values_of(objective, choices, 3); }), "not now");
  EXPECT_THAT(values_of(objective, choices, 3), testing::Each(7));
  EXPECT_THAT(values_of(objective, choices, 3), testing::Each(7));
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace oneproxy
