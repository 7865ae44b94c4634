// Spaces whose stages have a depth: composite digits, strings, costs by resolution.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

TEST(OfaMobileNetV3, HasEveryNetworkOnce) {
  const auto space = SearchSpace::load("ofa_mbv3");
  ASSERT_EQ(space.n_decisions(), 21);
  ASSERT_EQ(space.digits().size(), 6u);
  ArchIndex size = 25;
  for (int s = 1; s <= 5; ++s) {
    EXPECT_EQ(space.digits()[s].radix, 7371u);
    size *= 7371;
  }
  EXPECT_EQ(to_decimal(space.size()), to_decimal(size));
  EXPECT_EQ(space.resolutions().size(), 25u);
  EXPECT_EQ(space.code().n_rows, 225);
  EXPECT_EQ(space.code().parts, 4);
}

TEST(OfaMobileNetV3, EveryVariantOfAStageBothWays) {
  const auto space = SearchSpace::load("ofa_mbv3");
  const auto code = space.code();
  std::vector<std::uint32_t> digits = {3, 0, 0, 0, 0, 0};
  for (int s = 1; s <= 5; ++s) {
    std::set<std::string> strings;
    int previous_depth = 2;
    std::vector<std::uint8_t> previous;
    const int base = 25 + 7371 * (s - 1);  // of the digit's first entry in the code
    for (std::uint32_t value = 0; value < 7371; ++value) {
      digits[s] = value;
      const auto choices = space.choices_of(digits);
      ASSERT_TRUE(space.valid(choices)) << space.fault(choices);
      ASSERT_EQ(space.digits_of(choices), digits);
      const auto blocks = std::vector<std::uint8_t>(choices.begin() + 4 * s - 3, choices.begin() + 4 * s + 1);
      int depth = 4;
      while (blocks[depth - 1] == 0) --depth;
      ASSERT_GE(depth, previous_depth);  // smallest first; within a depth the first block is most significant
      if (depth == previous_depth) {
        ASSERT_LT(previous, blocks);
      }
      previous_depth = depth;
      previous = blocks;
      // The code's rows are the one-hot code of the four decisions.
      for (int b = 0; b < 4; ++b) ASSERT_EQ(code.rows[(base + value) * 4 + b], 25 + (4 * (s - 1) + b) * 10 + blocks[b]);
      const auto text = space.to_string(choices);
      ASSERT_EQ(space.parse(text), choices) << text;
      strings.insert(text);
    }
    EXPECT_EQ(strings.size(), 7371u);
    digits[s] = 17 * s;
  }
  for (int r = 0; r < 25; ++r) {
    EXPECT_EQ(code.rows[r * 4], r);
    for (int part = 1; part < 4; ++part) EXPECT_EQ(code.rows[r * 4 + part], -1);
  }
}

// index -> choices -> string -> choices -> index
void both_ways(const SearchSpace& space) {
  const Philox random{7, 1};
  for (int i = 0; i < 10000; ++i) {
    const ArchIndex drawn = (static_cast<ArchIndex>(random.bits(2 * i)) << 64) | random.bits(2 * i + 1);
    const ArchIndex index = i == 0 ? 0 : i == 1 ? space.size() - 1 : drawn % space.size();
    const auto choices = space.choices(index);
    ASSERT_EQ(space.index(choices), index);
    ASSERT_EQ(space.parse(space.to_string(choices)), choices) << space.to_string(choices);
    std::string numbers;
    for (const auto choice : choices) numbers += std::to_string(choice) + ",";
    ASSERT_EQ(space.parse(numbers), choices);
  }
}

TEST(OfaMobileNetV3, RandomNetworksBothWays) { both_ways(SearchSpace::load("ofa_mbv3")); }

TEST(OfaMobileNetV3, StringsShowWhatIsActive) {
  const auto space = SearchSpace::load("ofa_mbv3");
  const auto choices = space.parse("12,1,6,0,0,9,9,9,9,1,2,3,0,4,5,0,0,7,8,9,1");
  const std::string text =
      "r=176|k3_e3 k5_e6|k7_e6 k7_e6 k7_e6 k7_e6|k3_e3 k3_e4 k3_e6|k5_e3 k5_e4|k7_e3 k7_e4 k7_e6 k3_e3";
  EXPECT_EQ(space.to_string(choices), text);
  EXPECT_EQ(space.parse("r=176|k3_e3|k5_e6|none|none|k7_e6|k7_e6|k7_e6|k7_e6|k3_e3|k3_e4|k3_e6|none|k5_e3|k5_e4|none|"
                        "none|k7_e3|k7_e4|k7_e6|k3_e3"),
            choices);
  EXPECT_EQ(space.parse(" r=176 | k3_e3  k5_e6|k7_e6 k7_e6 k7_e6 k7_e6|k3_e3 k3_e4 k3_e6 none|k5_e3 k5_e4 |k7_e3 k7_e4 "
                        "k7_e6 k3_e3"),
            choices);
}

TEST(OfaMobileNetV3, FaultsAreNamed) {
  const auto space = SearchSpace::load("ofa_mbv3");
  const std::string rest = "|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3";
  const auto error = [&](const std::string& text) { return error_of([&] { space.parse(text); }); };
  EXPECT_THAT(error("r=260|k3_e3 k3_e3" + rest), HasSubstr("no resolution 260; nearest: 224"));
  EXPECT_THAT(error("r=175|k3_e3 k3_e3" + rest), HasSubstr("nearest: 176"));
  EXPECT_THAT(error("k3_e3 k3_e3" + rest), HasSubstr("begin with its resolution"));
  EXPECT_THAT(error("r=176|k3_e3" + rest), HasSubstr("stage 1 has 1 active blocks; it needs 2 to 4"));
  EXPECT_THAT(error("r=176|k3_e3 none k3_e3" + rest), HasSubstr("block 3 of stage 1 is active after block 2"));
  EXPECT_THAT(error("r=176|k3_e3 k3_e3 k3_e3 k3_e3 k3_e3" + rest), HasSubstr("at most 4"));
  EXPECT_THAT(error("r=176|k3_e5 k3_e3" + rest), HasSubstr("k3_e3"));
  EXPECT_THAT(error("r=176|k3_e3 k3_e3"), HasSubstr("5 stages"));
  EXPECT_THAT(error("r=176|k3_e3||k3_e3|k3_e3|k3_e3|k3_e3"), HasSubstr("1 active"));
  EXPECT_THAT(error("0,1,0,1,0,1,1,0,0,1,1,0,0,1,1,0,0,1,1,0,0"), HasSubstr("block 3 of stage 1"));
  EXPECT_THAT(error("0,1,1,0,0,1,0,0,0,1,1,0,0,1,1,0,0,1,1,0,0"), HasSubstr("stage 2 has 1 active"));
  EXPECT_THAT(error("25,1,1,0,0,1,1,0,0,1,1,0,0,1,1,0,0,1,1,0,0"), HasSubstr("0 to 24"));
  EXPECT_THAT(error("1,1"), HasSubstr("has 2 decisions"));
  const std::vector<std::uint8_t> nothing(21, 0);
  EXPECT_FALSE(space.valid(nothing));
  EXPECT_THAT(error_of([&] { space.index(nothing); }), HasSubstr("stage 1 has 0 active"));
}

TEST(OfaMobileNetV3, CostsAreThePublishedOnes) {
  // Once-for-All's released networks of width 1.2 name their MACs: "flops-389M" and "flops-482M", both at 224x224.
  const auto space = SearchSpace::load("ofa_mbv3");
  const auto cost = [&](const std::string& text) { return space.cost(space.parse(text)); };
  const auto small =
      cost("r=224|k3_e3 k3_e3|k5_e3 k5_e6 k3_e3|k5_e4 k5_e4 k3_e3|k5_e6 k5_e4 k3_e4 k3_e4|k3_e6 k3_e6 k7_e6 k3_e3");
  EXPECT_NEAR(small.macs / 1e6, 389, 0.5);  // 389.49
  EXPECT_NEAR(cost("r=224|k5_e3 k3_e3 k3_e3|k5_e4 k3_e4 k5_e4 k3_e3|k5_e4 k5_e6 k3_e3 k3_e3|k5_e6 k7_e6 k3_e6 k5_e4|"
                   "k7_e6 k3_e6 k3_e6 k3_e3")
                      .macs /
                  1e6,
              482, 0.5);                           // 482.41
  EXPECT_NEAR(small.parameters / 1e6, 8.4, 0.05);  // published; normalisation of the blocks is not counted here
  // A smaller input costs less, and the weights stay.
  const std::string net = "|k3_e3 k5_e6|k7_e6 k7_e6|k3_e3 k3_e4|k5_e3 k5_e4|k7_e3 k7_e4";
  EXPECT_LT(cost("r=128" + net).macs, 0.36 * cost("r=224" + net).macs);
  EXPECT_EQ(cost("r=128" + net).parameters, cost("r=224" + net).parameters);
  double previous = 0;
  for (const int r : space.resolutions()) {
    const double macs = cost("r=" + std::to_string(r) + net).macs;
    EXPECT_GT(macs, previous) << r;
    previous = macs;
  }
}

TEST(ProxylessNas, HasEveryNetworkOnce) {
  const auto space = SearchSpace::load("proxylessnas");
  ArchIndex size = 6;
  for (int s = 0; s < 5; ++s) size *= 6 + 36 + 216 + 1296;
  EXPECT_EQ(to_decimal(space.size()), to_decimal(size));
  both_ways(space);
  // Skips last: the same blocks in the same order are one network.
  const std::string rest = "|k3_e3|k3_e3|k3_e3|k3_e3|k3_e3";
  EXPECT_EQ(space.parse("k5_e6 k3_e3 skip skip" + rest), space.parse("k5_e6 k3_e3" + rest));
  EXPECT_THAT(error_of([&] { space.parse("k5_e6 skip k3_e3" + rest); }),
              HasSubstr("block 3 of stage 1 is active after"));
  EXPECT_THAT(error_of([&] { space.parse("k5_e6|k3_e3|k3_e3|k3_e3|k3_e3|skip"); }), HasSubstr("stage 6 has 0 active"));
}

TEST(ProxylessNas, CostsByHand) {
  const auto space = SearchSpace::load("proxylessnas");
  const auto macs = [&](const std::string& text) { return space.cost(space.parse(text)).macs; };
  const std::string rest = "|k3_e3|k3_e3|k3_e3|k3_e3|k3_e3";
  // A second block of stage 1: 24 -> 72 -> 24 channels at 56x56, 5x5 depthwise.
  EXPECT_EQ(macs("k3_e3 k5_e3" + rest) - macs("k3_e3" + rest), 3136.0 * (24 * 72 + 25 * 72 + 72 * 24));
  // Its first: 16 -> 96 at 112x112, halved by the depthwise layer.
  EXPECT_EQ(macs("k3_e6" + rest) - macs("k3_e3" + rest), 12544.0 * 16 * 48 + 3136.0 * (9 * 48 + 48 * 24));
}

TEST(MobileNetV2, HasEveryNetworkOnce) {
  const auto space = SearchSpace::load("mobilenetv2");
  ArchIndex size = 6;
  for (int s = 0; s < 5; ++s) size *= 36 + 216 + 1296;
  EXPECT_EQ(to_decimal(space.size()), to_decimal(size));
  both_ways(space);
  EXPECT_THAT(error_of([&] { space.parse("k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3"); }),
              HasSubstr("stage 1 has 1 active blocks; it needs 2 to 4"));
}

}  // namespace
}  // namespace oneproxy
