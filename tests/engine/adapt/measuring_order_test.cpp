#include "oneproxy/engine/adapt/design/measuring_order.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/engine/adapt/made_up_fleet.h"

namespace oneproxy {
namespace {

using Architecture = std::vector<std::uint8_t>;

Architecture at(std::span<const std::uint8_t> choices, std::size_t i, std::size_t decisions) {
  return {choices.begin() + i * decisions, choices.begin() + (i + 1) * decisions};
}

std::set<Architecture> all_of(std::span<const std::uint8_t> choices, std::size_t decisions) {
  std::set<Architecture> all;
  for (std::size_t i = 0; i * decisions < choices.size(); ++i) all.insert(at(choices, i, decisions));
  return all;
}

TEST(Candidates, OfASmallSpaceAreAllOfItOnce) {
  const auto space = SearchSpace::load("nasbench201");
  SpaceCandidates candidates(space, 3, 0), other(space, 3, 1);
  std::set<Architecture> seen;
  int same = 0;
  while (const auto one = candidates.next()) {
    EXPECT_TRUE(seen.insert(*one).second);
    same += *one == *other.next();
  }
  EXPECT_EQ(static_cast<ArchIndex>(seen.size()), space.size());
  EXPECT_LT(same, 20);  // another number is another order
}

TEST(Candidates, OfALargeSpaceAreValidAndDistinct) {
  const auto space = SearchSpace::load("ofa_mbv3");
  SpaceCandidates candidates(space, 3, 0);
  std::set<Architecture> seen;
  for (int i = 0; i < 2000; ++i) {
    const auto one = candidates.next();
    ASSERT_TRUE(one && space.valid(*one));
    EXPECT_TRUE(seen.insert(*one).second);
  }
}

TEST(MeasuringOrder, IsDeterministicDistinctConnectedAndSpares) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(3);
  auto choose = [&](std::uint64_t seed, std::span<const std::uint8_t> measured) {
    SpaceCandidates candidates(fleet.space(), seed, 0);
    return choose_architectures(model, candidates, {}, 12, seed, measured).choices;
  };
  const auto some = choose(5, {});
  EXPECT_EQ(some.size(), (12 + 10) * 6u);
  EXPECT_EQ(some, choose(5, {}));
  EXPECT_NE(some, choose(6, {}));
  const auto known = all_of(some, 6);
  EXPECT_EQ(known.size(), 22u);
  for (const auto& one : all_of(choose(5, some), 6)) {
    EXPECT_TRUE(fleet.features.physics().connected(one));
    EXPECT_FALSE(known.count(one));  // what is measured is not chosen again
  }
}

// One may stop anywhere, and go on where one stopped.
TEST(MeasuringOrder, IsNested) {
  const Fleet fleet("fbnet");
  const auto model = fleet.model(3);
  for (const auto selection : {Selection::random, Selection::d_optimal, Selection::a_optimal}) {
    auto choose = [&](int k) {
      SpaceCandidates candidates(fleet.space(), 1, 0);
      return choose_architectures(model, candidates, {.selection = selection}, k, 1);
    };
    const auto few = choose(5), many = choose(40);
    EXPECT_TRUE(std::equal(few.choices.begin(), few.choices.end(), many.choices.begin())) << to_string(selection);
    EXPECT_TRUE(std::equal(few.draws.begin(), few.draws.end(), many.draws.begin())) << to_string(selection);
  }
}

// A trial of an experiment goes the way of a plan: the same architectures in the same order.
TEST(MeasuringOrder, ATrialOnAllRowsOfASpaceIsThePlanOfIt) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(3);
  std::vector<std::uint8_t> rows;
  for (ArchIndex i = 0; i < fleet.space().size(); ++i) {
    const auto one = fleet.space().choices(i);
    rows.insert(rows.end(), one.begin(), one.end());
  }
  SpaceCandidates candidates(fleet.space(), 4, 2);
  const auto planned = choose_architectures(model, candidates, {}, 20, 4).choices;
  const auto order = measuring_order(model, rows, {}, 20, 4, 2);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(at(rows, order[i], 6), at(planned, i, 6)) << i;
}

TEST(MeasuringOrder, HoldsEveryRowOnceTheChosenFirst) {
  const Fleet fleet("nasbench201", 80);  // fewer than a pool
  const auto order = measuring_order(fleet.model(3), fleet.choices, {}, 30, 1, 0);
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), 80u);
  EXPECT_EQ(order.size(), 80u);
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(fleet.features.physics().connected(at(fleet.choices, order[i], 6))) << i;
  EXPECT_NE(order, RowCandidates(fleet.choices, 6, 1, 0).order());
}

TEST(MeasuringOrder, ARandomOneTakesAnyArchitecture) {
  const Fleet fleet("nasbench201");
  const DesignSettings random{.selection = Selection::random};
  EXPECT_EQ(measuring_order(fleet.model(3), fleet.choices, random, 30, 1, 0),
            RowCandidates(fleet.choices, 6, 1, 0).order());
}

}  // namespace
}  // namespace oneproxy
