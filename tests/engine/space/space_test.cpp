#include "oneproxy/engine/space/space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/space/official_index.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/rank/rank.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

TEST(NasBench201, EveryArchitectureBothWays) {
  const auto space = SearchSpace::load("nasbench201");
  ASSERT_EQ(to_decimal(space.size()), "15625");
  std::set<std::string> strings;
  for (ArchIndex i = 0; i < space.size(); ++i) {
    const auto choices = space.choices(i);
    EXPECT_EQ(space.index(choices), i);
    const auto text = space.to_string(choices);
    EXPECT_EQ(space.parse(text), choices) << text;
    strings.insert(text);
  }
  EXPECT_EQ(strings.size(), 15625u);
}

TEST(NasBench201, StringsAreThePublishedForm) {
  const auto space = SearchSpace::load("nasbench201");
  const std::string text =
      "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|";
  EXPECT_EQ(space.parse(text), (std::vector<std::uint8_t>{4, 2, 1, 2, 1, 1}));
  EXPECT_EQ(space.to_string(space.parse("4,2,1,2,1,1")), text);
  EXPECT_EQ(space.parse("4-2-1-2-1-1"), space.parse("4 2 1 2 1 1"));
}

TEST(NasBench201, OfficialIndexBothWays) {
  const Store store(shipped_store());
  const auto space = SearchSpace::load("nasbench201");
  const OfficialIndex official(store, space);
  // Index 0 of the published numbering.
  EXPECT_EQ(official.official(space.index(space.parse("4,2,1,2,1,1"))), 0);
  std::set<std::int64_t> seen;
  for (ArchIndex i = 0; i < space.size(); ++i) {
    const auto number = official.official(i);
    ASSERT_TRUE(number.has_value());
    EXPECT_EQ(official.index(*number), i);
    seen.insert(*number);
  }
  EXPECT_EQ(seen.size(), 15625u);
  EXPECT_EQ(*seen.rbegin(), 15624);
  EXPECT_FALSE(official.index(15625).has_value());
}

TEST(NasBench201, CostsAreThePublishedOnes) {
  // FLOPs and parameters that NAS-Bench-201 reports for CIFAR-10: 220.12 M and 1.531546 M with 3x3 convolutions on all
  // edges, 7.78 M and 0.073306 M with nothing on them.
  const auto space = SearchSpace::load("nasbench201");
  const auto most = space.cost(std::vector<std::uint8_t>(6, 3)), least = space.cost(std::vector<std::uint8_t>(6, 0));
  EXPECT_NEAR(most.macs / 1e6, 220.12, 0.005);
  EXPECT_EQ(most.parameters, 1531546);
  EXPECT_NEAR(least.macs / 1e6, 7.78, 0.005);
  EXPECT_EQ(least.parameters, 73306);
  // CIFAR-100 differs by its classifier, ImageNet16-120 by a quarter of the pixels.
  EXPECT_EQ(SearchSpace::load("nasbench201", "cifar100").cost(std::vector<std::uint8_t>(6, 0)).macs - least.macs, 5760);
  EXPECT_LT(SearchSpace::load("nasbench201", "imagenet16_120").cost(std::vector<std::uint8_t>(6, 3)).macs,
            most.macs / 3.9);
}

TEST(FBNet, LayersHaveTheirShapes) {
  const auto space = SearchSpace::load("fbnet");
  EXPECT_EQ(to_decimal(space.size()), "984770902183611232881");  // 9^22
  ASSERT_EQ(space.n_decisions(), 22);
  const auto& last = space.decisions().back().choices.front().placements.front();
  EXPECT_EQ(last.in_channels, 184);
  EXPECT_EQ(last.out_channels, 352);
  EXPECT_EQ(last.resolution, 4);  // 32 halved three times
  EXPECT_EQ(SearchSpace::load("fbnet", "imagenet").decisions().back().choices.front().placements.front().resolution, 7);
}

TEST(FBNet, BlockCostsByHand) {
  const auto space = SearchSpace::load("fbnet");
  // Layer 1: 16 -> 24 channels at 32x32, stride 1. k3_e3: 16*48 + 48*9 + 48*24 weights, at 1024 pixels each.
  const auto& block = space.decisions()[1].choices[2];
  EXPECT_EQ(block.operation.name, "k3_e3");
  EXPECT_EQ(block.cost.parameters, 16 * 48 + 48 * 9 + 48 * 24);
  EXPECT_EQ(block.cost.macs, 1024.0 * (16 * 48 + 48 * 9 + 48 * 24));
  // In two groups the 1x1 convolutions cost half.
  EXPECT_EQ(space.decisions()[1].choices[1].cost.parameters, (16 * 16 + 16 * 24) / 2 + 16 * 9);
  // skip: nothing between equal shapes, a projection otherwise.
  EXPECT_EQ(space.decisions()[2].choices[8].cost.macs, 0);
  EXPECT_EQ(space.decisions()[1].choices[8].cost.parameters, 16 * 24);
}

TEST(FBNet, MacsRankTheFpga) {
  // The right geometry shows: SRCC of MACs with the fpga is .98 (with ImageNet's shapes .90).
  const Store store(shipped_store());
  auto srcc = [&](const std::string& geometry) {
    const auto space = SearchSpace::load("fbnet", geometry);
    const Measurements data(store, space, "help");
    return spearman(data.device("model:macs").values, data.device("fpga").values, Backend::cpu).value;
  };
  EXPECT_GT(srcc("cifar100"), 0.975);
  EXPECT_LT(srcc("imagenet"), 0.95);
}

TEST(FBNet, RandomArchitecturesBothWays) {
  const auto space = SearchSpace::load("fbnet");
  const Philox random{1, 2};
  for (int i = 0; i < 2000; ++i) {
    const ArchIndex index =
        ((static_cast<ArchIndex>(random.bits(2 * i)) << 64) | random.bits(2 * i + 1)) % space.size();
    const auto choices = space.choices(index);
    EXPECT_EQ(space.index(choices), index);
    EXPECT_EQ(space.parse(space.to_string(choices)), choices);
  }
}

TEST(Space, FaultsAreNamed) {
  EXPECT_THAT(error_of([] { SearchSpace::load("nasbench21"); }), HasSubstr("nearest: nasbench201"));
  EXPECT_THAT(error_of([] { SearchSpace::load("fbnet", "cifar10"); }), HasSubstr("cifar100"));
  const auto space = SearchSpace::load("nasbench201");
  EXPECT_THAT(error_of([&] { space.parse("|nor_conv_5x5~0|+|none~0|none~1|+|none~0|none~1|none~2|"); }),
              HasSubstr("nor_conv_3x3"));
  EXPECT_THAT(error_of([&] { space.parse("|none~0|+|none~0|none~1|"); }), HasSubstr("has 3 decisions"));
  EXPECT_THAT(error_of([&] { space.parse("|none~0|+|none~1|none~0|+|none~0|none~1|none~2|"); }), HasSubstr("edge 0-2"));
  EXPECT_THAT(error_of([&] { space.parse("|none~0|none~0|none~1|+|none~0|none~1|none~2|"); }), HasSubstr("edge 0-2"));
  EXPECT_THAT(error_of([&] { space.parse("0,1,2,3,4,5"); }), HasSubstr("0 to 4"));
  EXPECT_THAT(error_of([&] { space.parse(""); }), HasSubstr("has 0 decisions"));
  EXPECT_THAT(error_of([&] { space.choices(15625); }), HasSubstr("15625"));
}

}  // namespace
}  // namespace oneproxy
