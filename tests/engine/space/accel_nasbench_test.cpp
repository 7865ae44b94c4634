// The space of Accel-NASBench against the numbers published with its networks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/space/physics.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

SearchSpace space() { return SearchSpace::load("accel_nasbench"); }

// What the published count adds to the multiply-accumulates of convolutions: 4 a value that a batch normalisation puts
// out, and one a value that is pooled (before the classifier, and in each squeeze-and-excitation) and one a channel.
double counted_beside(const SearchSpace& space, const std::vector<std::uint8_t>& choices) {
  double normalised = 32.0 * 112 * 112 + 1280.0 * 49, pooled = 1280.0 * (49 + 1);
  for (int d = 0; d < space.n_decisions(); ++d) {
    const auto& choice = space.decisions()[d].choices[choices[d]];
    int in = choice.placements[0].in_channels, side = choice.placements[0].resolution,
        stride = choice.placements[0].stride;
    const int out = choice.placements[0].out_channels;
    for (int layer = 0; layer < choice.operation.repeats; ++layer) {
      const double mid = in * choice.operation.expansion, before = side * side;
      side /= stride;
      const double after = side * side;
      if (choice.operation.expansion > 1) normalised += mid * before;
      normalised += mid * after + out * after;
      if (choice.operation.squeeze_excitation) pooled += mid * (after + 1);
      in = out;
      stride = 1;
    }
  }
  return 4 * normalised + pooled;
}

TEST(AccelNasBench, HasEveryNetworkOnce) {
  const auto whole = space();
  EXPECT_EQ(to_decimal(whole.size()), "104485552128");  // 36^6 * 48
  ASSERT_EQ(whole.n_decisions(), 7);
  for (int d = 0; d < 7; ++d) EXPECT_EQ(whole.radices()[d], d == 5 ? 48 : 36);
  const Philox random{5, 0};
  for (int i = 0; i < 2000; ++i) {
    const ArchIndex index = random.below(i, static_cast<std::uint64_t>(whole.size()));
    const auto choices = whole.choices(index);
    EXPECT_EQ(whole.index(choices), index);
    EXPECT_EQ(whole.parse(whole.to_string(choices)), choices);
  }
}

TEST(AccelNasBench, ChoicesAreInTheOrderOfTheName) {
  const auto whole = space();
  const auto name = [&](int d, int c) { return whole.decisions()[d].choices[c].operation.name; };
  EXPECT_EQ(whole.decisions()[5].name, "block 5");
  EXPECT_EQ(name(0, 0), "e1_k3_l1_se0");
  EXPECT_EQ(name(0, 1), "e1_k3_l1_se1");
  EXPECT_EQ(name(0, 6), "e1_k5_l1_se0");
  EXPECT_EQ(name(0, 12), "e4_k3_l1_se0");
  EXPECT_EQ(name(0, 35), "e6_k5_l3_se1");
  EXPECT_EQ(name(5, 6), "e1_k3_l4_se0");
  EXPECT_EQ(name(5, 47), "e6_k5_l4_se1");
}

// Four layers in block 5 only.
TEST(AccelNasBench, FaultsAreNamed) {
  const auto whole = space();
  const std::string small = "e1_k3_l1_se0", deep = "e1_k3_l4_se0";
  const auto arch = [&](int d) {
    std::string text;
    for (int i = 0; i < 7; ++i) text += (i ? "|" : "") + (i == d ? deep : small);
    return text;
  };
  EXPECT_EQ(whole.parse(arch(5))[5], 6);
  EXPECT_THAT(error_of([&] { whole.parse(arch(4)); }), HasSubstr("operation of block 4 'e1_k3_l4_se0'"));
  EXPECT_THAT(error_of([&] { whole.parse(arch(5) + "|" + small); }), HasSubstr("8 decisions"));
}

// Published with the networks: parameters and MACs, in millions.
TEST(AccelNasBench, CostsAreThePublishedOnes) {
  const auto whole = space();
  const struct {
    const char* arch;
    double parameters, macs;
  } published[] = {
      {"e4_k5_l1_se0|e1_k5_l1_se0|e4_k3_l3_se0|e6_k3_l1_se0|e4_k5_l2_se0|e6_k5_l1_se0|e6_k3_l2_se0", 4.042824,
       369.019616},
      {"e4_k5_l3_se1|e4_k3_l1_se1|e4_k3_l1_se0|e6_k5_l2_se1|e6_k5_l1_se1|e6_k3_l3_se1|e6_k5_l2_se0", 5.30401,
       525.933712},
      {"e1_k3_l1_se1|e4_k5_l1_se0|e1_k3_l2_se1|e4_k5_l2_se0|e6_k3_l1_se0|e1_k3_l4_se1|e6_k5_l1_se1", 2.827148,
       155.981808},
      {"e1_k3_l2_se1|e6_k3_l1_se1|e4_k5_l3_se0|e6_k5_l1_se1|e4_k3_l3_se0|e4_k3_l3_se0|e6_k5_l3_se1", 6.743058,
       404.70848},
  };
  for (const auto& [arch, parameters, macs] : published) {
    const auto choices = whole.parse(arch);
    const Cost cost = whole.cost(choices);
    EXPECT_DOUBLE_EQ(cost.parameters / 1e6, parameters) << arch;
    EXPECT_DOUBLE_EQ((cost.macs + counted_beside(whole, choices)) / 1e6, macs) << arch;
  }
}

// The same of every network that the store holds.
TEST(AccelNasBench, CostsOfAllMeasuredNetworksAreThePublishedOnes) {
  const auto whole = space();
  const Store store(shipped_store());
  const auto rows = store.rows("accel_nasbench", "anb");
  ASSERT_EQ(rows.n, 5125);  // 5,138 of which 13 are the same network again
  const auto macs = store.metric("accel_nasbench", "anb", "macs"),
             parameters = store.metric("accel_nasbench", "anb", "params");
  double largest = 0, ratio = 0;
  for (int i = 0; i < rows.n; ++i) {
    const std::vector<std::uint8_t> choices(rows.row(i).begin(), rows.row(i).end());
    const Cost cost = whole.cost(choices);
    ASSERT_NEAR(cost.parameters, parameters.values[i] * 1e6, 0.01) << whole.to_string(choices);
    ASSERT_NEAR(cost.macs + counted_beside(whole, choices), macs.values[i] * 1e6, 0.01) << whole.to_string(choices);
    largest = std::max(largest, std::abs(cost.macs / (macs.values[i] * 1e6) - 1));
    ratio += cost.macs / (macs.values[i] * 1e6) / rows.n;
  }
  EXPECT_NEAR(largest, 0.143, 0.001);  // the most that convolutions fall short of the published count
  EXPECT_NEAR(ratio, 0.913, 0.001);
}

// Block 1 by hand: 16 -> 24 channels, 112 -> 56 pixels; two layers, expansion 4, 5x5, squeezed to a quarter of the
// input.
TEST(AccelNasBench, RepeatedBlockByHand) {
  const auto whole = space();
  const Cost cost = whole.decisions()[1].choices[whole.parse("1,21,0,0,0,0,0")[1]].cost;
  EXPECT_EQ(whole.decisions()[1].choices[21].operation.name, "e4_k5_l2_se1");
  const double first = 16 * 64 * 12544.0 + 25 * 64 * 3136.0 + 64 * 24 * 3136.0 + 2 * 64 * 4,
               second = 24 * 96 * 3136.0 + 25 * 96 * 3136.0 + 96 * 24 * 3136.0 + 2 * 96 * 6;
  EXPECT_EQ(cost.macs, first + second);
  EXPECT_EQ(cost.parameters,
            16 * 64 + 25 * 64 + 64 * 24 + 2 * (64 + 64 + 24) + 2 * 64 * 4 + 64 + 4 +  //
                24 * 96 + 25 * 96 + 96 * 24 + 2 * (96 + 96 + 24) + 2 * 96 * 6 + 96 + 6);
  EXPECT_EQ(cost.activation_bytes,
            4 * (16 * 12544.0 + 2 * 64 * 12544.0 + 2 * 64 * 3136.0 + 24 * 3136.0 + 2 * 64 * 3136.0 +  //
                 24 * 3136.0 + 2 * 96 * 3136.0 + 2 * 96 * 3136.0 + 24 * 3136.0 + 2 * 96 * 3136.0));
  // Expansion 1: depthwise and projection only.
  EXPECT_EQ(whole.decisions()[1].choices[0].operation.name, "e1_k3_l1_se0");
  EXPECT_EQ(whole.decisions()[1].choices[0].cost.macs, 9 * 16 * 3136.0 + 16 * 24 * 3136.0);
  EXPECT_EQ(whole.decisions()[1].choices[0].cost.activation_bytes, 4 * (16 * 12544.0 + 2 * 16 * 3136.0 + 24 * 3136.0));
}

TEST(AccelNasBench, PhysicsCountsEveryRepeat) {
  const auto whole = space();
  const Physics physics(whole);
  ASSERT_TRUE(physics.additive());
  const auto features = [&](const std::string& block) {
    std::vector<double> values(physics.n_columns());
    const std::string rest = "|e1_k3_l1_se0";
    physics.features(whole.parse("e1_k3_l1_se0|" + block + rest + rest + rest + rest + rest), values);
    return values;
  };
  const auto base = features("e1_k3_l1_se0"), with = features("e4_k5_l2_se1");
  const auto added = [&](const char* column) { return with[physics.column(column)] - base[physics.column(column)]; };
  EXPECT_EQ(added("n"), 1);
  EXPECT_EQ(added("k5"), 2);
  EXPECT_EQ(added("se"), 2);
  EXPECT_EQ(added("se_mac"), 2 * 64 * 4 + 2 * 96 * 6);
  EXPECT_EQ(added("pwmac"), 16 * 64 * 12544.0 + 64 * 24 * 3136.0 + 2 * 24 * 96 * 3136.0 - 16 * 24 * 3136.0);
  EXPECT_EQ(added("dwmac"), 25 * (64 + 96) * 3136.0 - 9 * 16 * 3136.0);
}

}  // namespace
}  // namespace oneproxy
