#include "oneproxy/engine/space/physics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oneproxy/kernels/base/random.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;

std::vector<double> features_of(const SearchSpace& space, const std::vector<std::uint8_t>& choices) {
  const Physics physics(space);
  std::vector<double> values(physics.n_columns());
  physics.features(choices, values);
  return values;
}

double one(const SearchSpace& space, const std::vector<std::uint8_t>& choices, const std::string& column) {
  return features_of(space, choices)[Physics(space).column(column)];
}

// Counted by hand. Edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3; none 0, skip 1, 1x1 2, 3x3 3, pool 4.
TEST(Physics, CountsLiveAndDeadEdgesOfACell) {
  const auto space = SearchSpace::load("nasbench201");
  // 0-1 3x3, 1-2 1x1 leads to node 2, from which nothing leaves: dead. 0-2 pool: dead too, and as both meet in node 2,
  // neither runs. 1-3 pool and 0-3 skip live.
  const std::vector<std::uint8_t> cell = {3, 4, 2, 1, 4, 0};
  EXPECT_THAT(features_of(space, cell), ElementsAre(/* macL, macA, macR */ 9, 10, 9,
                                                    /* nL, nA, nR, convL, convA, convR */ 2, 4, 2, 1, 2, 1,
                                                    /* poolL, poolA, poolR */ 1, 2, 1,
                                                    /* skipL, skipA, addL, addA */ 1, 1, 1, 2,
                                                    /* depN: 3x3 and pool; depM: 3x3 */ 2, 9,
                                                    /* disc, deadE, noneA */ 0, 2, 1));
}

TEST(Physics, CountsDeadEdgesThatARuntimeStillRuns) {
  const auto space = SearchSpace::load("nasbench201");
  // A branch to nowhere: a convolution alone runs, a pool does not, two convolutions that meet do not.
  EXPECT_EQ(one(space, {0, 3, 0, 1, 0, 0}, "macR"), 9);
  EXPECT_EQ(one(space, {0, 4, 0, 1, 0, 0}, "poolR"), 0);
  EXPECT_EQ(one(space, {1, 3, 3, 1, 0, 0}, "macR"), 0);
  // A branch from nothing runs, pool or convolution.
  EXPECT_EQ(one(space, {0, 0, 0, 1, 3, 4}, "macR"), 9);
  EXPECT_EQ(one(space, {0, 0, 0, 1, 3, 4}, "poolR"), 1);
  EXPECT_EQ(one(space, {0, 0, 0, 1, 3, 4}, "nR"), 2);
  EXPECT_EQ(one(space, {0, 0, 0, 1, 3, 4}, "convR"), 1);
}

TEST(Physics, KnowsADisconnectedCell) {
  const auto space = SearchSpace::load("nasbench201");
  const std::vector<std::uint8_t> cell = {3, 3, 3, 0, 0, 0};  // nothing reaches the output
  EXPECT_FALSE(Physics(space).connected(cell));
  EXPECT_EQ(one(space, cell, "disc"), 1);
  EXPECT_EQ(one(space, cell, "macL"), 0);
  EXPECT_EQ(one(space, cell, "macA"), 27);
  EXPECT_EQ(one(space, cell, "deadE"), 3);
  EXPECT_EQ(one(space, cell, "depM"), 0);
  EXPECT_TRUE(Physics(space).connected(std::vector<std::uint8_t>{0, 0, 0, 1, 0, 0}));
  int disconnected = 0;
  for (ArchIndex i = 0; i < space.size(); ++i) disconnected += !Physics(space).connected(space.choices(i));
  EXPECT_EQ(disconnected, 341);  // 15625 cells less those with a path, counted by enumeration outside
}

TEST(Physics, TakesTheLongestPathThroughTheCell) {
  const auto space = SearchSpace::load("nasbench201");
  const std::vector<std::uint8_t> all_1x1(6, 2);  // 0-1-2-3
  EXPECT_EQ(one(space, all_1x1, "depN"), 3);
  EXPECT_EQ(one(space, all_1x1, "depM"), 3);
  const std::vector<std::uint8_t> direct = {2, 0, 2, 3, 0, 2};  // three 1x1 in a row, or one 3x3
  EXPECT_EQ(one(space, direct, "depN"), 3);
  EXPECT_EQ(one(space, direct, "depM"), 9);
}

TEST(Physics, ShowsDeadEdgesAsNoneInTheLiveCode) {
  const auto space = SearchSpace::load("nasbench201");
  const Physics physics(space);
  std::vector<double> code(physics.n_code());
  physics.code(std::vector<std::uint8_t>{3, 4, 2, 1, 4, 0}, code);
  ASSERT_EQ(code.size(), 60u);
  EXPECT_EQ(code[0 * 5 + 3], 1);       // 0-1 lives
  EXPECT_EQ(code[1 * 5 + 0], 1);       // 0-2 is dead
  EXPECT_EQ(code[2 * 5 + 0], 1);       // 1-2 is dead
  EXPECT_EQ(code[30 + 1 * 5 + 4], 1);  // as it is
  EXPECT_EQ(code[30 + 2 * 5 + 2], 1);
  double sum = 0;
  for (const double c : code) sum += c;
  EXPECT_EQ(sum, 12);
  EXPECT_FALSE(physics.additive());
}

// The first layer of the CIFAR-100 geometry is 16 -> 16 at 32x32, the last 184 -> 352 at 8x8, the second 16 -> 24.
TEST(Physics, AddsUpTheLayersOfFbnet) {
  const auto space = SearchSpace::load("fbnet", "cifar100");
  std::vector<std::uint8_t> choices(22, 8);  // skip everywhere
  const auto skips = features_of(space, choices);
  const Physics physics(space);
  ASSERT_TRUE(physics.additive());
  EXPECT_EQ(skips[physics.column("skipconv")], 6);  // where a stage changes the width
  choices[0] = 7;                                   // k5_e6 in layer 0: mid = 96
  auto with = features_of(space, choices);
  auto added = [&](const char* name) { return with[physics.column(name)] - skips[physics.column(name)]; };
  EXPECT_EQ(added("pwmac"), 2.0 * 16 * 96 * 1024);
  EXPECT_EQ(added("dwmac"), 96.0 * 25 * 1024);
  EXPECT_EQ(added("act"), (16.0 + 96 * 4 + 16) * 1024);
  EXPECT_EQ(added("params"), 2 * 16 * 96 + 96 * 25);
  EXPECT_EQ(added("n"), 1);
  EXPECT_EQ(added("k5"), 1);
  EXPECT_EQ(added("g2"), 0);
  EXPECT_EQ(added("skipconv"), 0);
  choices = std::vector<std::uint8_t>(22, 8);
  choices[5] = 1;  // k3_e1_g2 where 24 -> 32 with stride 2 at 32x32: instead of the 1x1 projection
  with = features_of(space, choices);
  EXPECT_EQ(added("pwmac"), (24.0 * 24 * 1024 + 24 * 32 * 256) / 2 - 24 * 32 * 256);
  EXPECT_EQ(added("dwmac"), 24.0 * 9 * 256);
  EXPECT_EQ(added("params"), (24 * 24 + 24 * 32) / 2 + 24 * 9 - 24 * 32);
  EXPECT_EQ(added("n"), 0);
  EXPECT_EQ(added("g2"), 1);
  EXPECT_EQ(added("skipconv"), -1);
}

std::vector<std::uint8_t> draw(const SearchSpace& space, const Philox& random, std::uint64_t& count) {
  std::vector<std::uint32_t> digits;
  for (const auto& digit : space.digits())
    digits.push_back(static_cast<std::uint32_t>(random.below(count++, digit.radix)));
  return space.choices_of(digits);
}

// The space's own costs, worked out apart from the features. Where no resolution is chosen, both differ by what is the
// same for all networks.
TEST(Physics, MacsAreThoseOfTheCostModel) {
  for (const std::string name : {"ofa_mbv3", "proxylessnas", "mobilenetv2", "fbnet"}) {
    const auto space = SearchSpace::load(name);
    const Physics physics(space);
    const Philox random{7, 0};
    std::uint64_t count = 0;
    double fixed = 0;
    for (int i = 0; i < 50; ++i) {
      const auto choices = draw(space, random, count);
      std::vector<double> f(physics.n_columns());
      physics.features(choices, f);
      double macs = f[physics.column("pwmac")] + f[physics.column("dwmac")];
      if (physics.column("se_mac") >= 0) macs += f[physics.column("se_mac")];
      const double rest = space.cost(choices).macs - macs;
      if (i == 0) fixed = space.resolutions().empty() ? rest : 0;
      EXPECT_NEAR(rest, fixed, 1e-6) << name << " " << space.to_string(choices);
    }
  }
}

// Stage 4 (136 channels, one sixteenth of the input): squeeze-and-excitation and h-swish; stage 1 has neither.
TEST(Physics, KnowsSqueezeAndExcitationAndHardSwishAtEveryResolution) {
  const auto space = SearchSpace::load("ofa_mbv3");
  const Physics physics(space);
  ASSERT_TRUE(physics.additive());
  for (const auto& [name, side] : {std::pair<std::string, double>{"128", 8}, {"132", 9}, {"224", 14}}) {
    const std::string before = "r=" + name + "|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3", after = "|k3_e3 k3_e3";
    const auto base = features_of(space, space.parse(before + after));
    const auto added = [&](const std::string& arch, const char* column) {
      return features_of(space, space.parse(arch))[physics.column(column)] - base[physics.column(column)];
    };
    const std::string deeper = before + " k7_e4" + after;
    const double mid = 136 * 4, pixels = side * side;
    EXPECT_EQ(added(deeper, "n"), 1);
    EXPECT_EQ(added(deeper, "se"), 1);
    EXPECT_EQ(added(deeper, "k7"), 1);
    EXPECT_EQ(added(deeper, "se_mac"), 2 * mid * 136);  // 544 / 4 = 136 channels between
    EXPECT_EQ(added(deeper, "se_act"), 2 * mid * pixels);
    EXPECT_EQ(added(deeper, "hswish_act"), 2 * mid * pixels);
    EXPECT_EQ(added(deeper, "pwmac"), 2 * 136 * mid * pixels);
    EXPECT_EQ(added(deeper, "dwmac"), 49 * mid * pixels);
    const std::string first = "r=" + name + "|k3_e3 k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3" + after;
    EXPECT_EQ(added(first, "se"), 0);
    EXPECT_EQ(added(first, "hswish_act"), 0);
    EXPECT_EQ(added(first, "n"), 1);
  }
  EXPECT_EQ(Physics(SearchSpace::load("fbnet")).column("se"), -1);
  EXPECT_EQ(Physics(SearchSpace::load("fbnet")).n_columns(), 8);
}

TEST(Physics, DependsOnTheGeometry) {
  const auto small = SearchSpace::load("fbnet", "cifar100"), large = SearchSpace::load("fbnet", "imagenet");
  const std::vector<std::uint8_t> choices(22, 3);
  EXPECT_NE(one(small, choices, "pwmac"), one(large, choices, "pwmac"));
  EXPECT_EQ(one(small, choices, "n"), one(large, choices, "n"));
}

}  // namespace
}  // namespace oneproxy
