#include "oneproxy/kernels/score/cuda/mma_layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <utility>

namespace oneproxy::detail {
namespace {

template <class Layout>
class MmaLayout : public testing::Test {};
using Layouts = testing::Types<Bf16Layout, Tf32Layout>;
TYPED_TEST_SUITE(MmaLayout, Layouts);

TYPED_TEST(MmaLayout, EveryElementHasOneRegister) {
  std::set<std::pair<int, int>> a, b, c;
  for (int lane = 0; lane < 32; ++lane) {
    for (int half = 0; half < TypeParam::kHalves; ++half) {
      for (int word = 0; word < 4; ++word) {
        const Element at = TypeParam::a(lane, word, half);
        ASSERT_TRUE(at.row >= 0 && at.row < 16 && at.column >= 0 && at.column < TypeParam::kColumns);
        a.emplace(at.row, at.column);
      }
      for (int word = 0; word < 2; ++word) {
        const Element at = TypeParam::b(lane, word, half);
        ASSERT_TRUE(at.row >= 0 && at.row < TypeParam::kColumns && at.column >= 0 && at.column < 8);
        b.emplace(at.row, at.column);
      }
    }
    for (int word = 0; word < 4; ++word) c.emplace(mma_c(lane, word).row, mma_c(lane, word).column);
  }
  EXPECT_EQ(a.size(), 16u * TypeParam::kColumns);
  EXPECT_EQ(b.size(), 8u * TypeParam::kColumns);
  EXPECT_EQ(c.size(), 128u);
}

// The figures of the PTX ISA for one lane, so that a symmetric mistake in a formula shows.
TEST(MmaLayoutPtx, KnownRegisters) {
  const auto same = [](Element at, int row, int column) { return at.row == row && at.column == column; };
  // Lane 6: group 1, thread 2 of it.
  EXPECT_TRUE(same(Bf16Layout::a(6, 0, 1), 1, 5));
  EXPECT_TRUE(same(Bf16Layout::a(6, 1, 0), 9, 4));
  EXPECT_TRUE(same(Bf16Layout::a(6, 2, 0), 1, 12));
  EXPECT_TRUE(same(Bf16Layout::a(6, 3, 1), 9, 13));
  EXPECT_TRUE(same(Bf16Layout::b(6, 0, 1), 5, 1));
  EXPECT_TRUE(same(Bf16Layout::b(6, 1, 0), 12, 1));
  EXPECT_TRUE(same(Tf32Layout::a(6, 0, 0), 1, 2));
  EXPECT_TRUE(same(Tf32Layout::a(6, 1, 0), 9, 2));
  EXPECT_TRUE(same(Tf32Layout::a(6, 2, 0), 1, 6));
  EXPECT_TRUE(same(Tf32Layout::a(6, 3, 0), 9, 6));
  EXPECT_TRUE(same(Tf32Layout::b(6, 0, 0), 2, 1));
  EXPECT_TRUE(same(Tf32Layout::b(6, 1, 0), 6, 1));
  EXPECT_TRUE(same(mma_c(6, 1), 1, 5));
  EXPECT_TRUE(same(mma_c(6, 2), 9, 4));
}

// What lets the C registers of one layer be the A registers of the next: for each lane, column n of its two rows.
TYPED_TEST(MmaLayout, OutputsOfALaneAreItsNextInputs) {
  constexpr int tiles = TypeParam::kColumns / 8;
  for (int lane = 0; lane < 32; ++lane) {
    std::set<std::pair<int, int>> outputs, inputs;
    for (int tile = 0; tile < tiles; ++tile)
      for (int word = 0; word < 4; ++word) {
        const Element at = mma_c(lane, word);
        outputs.emplace(at.row, output_of_n<TypeParam>(tile, at.column));
      }
    for (int word = 0; word < 4; ++word)
      for (int half = 0; half < TypeParam::kHalves; ++half) {
        const Element at = TypeParam::a(lane, word, half);
        inputs.emplace(at.row, column_of_k<TypeParam>(at.column));
      }
    EXPECT_EQ(outputs, inputs) << "lane " << lane;
    for (const auto& [row, column] : inputs) {
      EXPECT_EQ(column / TypeParam::kPerLane, lane % 4);  // neighbours: one vector load
      EXPECT_EQ(row % 8, lane / 4);
    }
  }
}

TYPED_TEST(MmaLayout, EveryWeightIsPackedOnce) {
  for (const int width : {32, 64, 128}) {
    std::set<std::pair<int, int>> packed;
    const int words = packed_words<TypeParam>(width);
    for (int i = 0; i < words; ++i)
      packed_word<TypeParam>(width, i, [&](int output, int input) {
        EXPECT_TRUE(output >= 0 && output < width && input >= 0 && input < width);
        packed.emplace(output, input);
        return 0.0f;
      });
    EXPECT_EQ(packed.size(), static_cast<std::size_t>(width) * width);
  }
}

TEST(Rounding, IsToNearest) {
  EXPECT_EQ(bf16_bits(1.0f), 0x3F80u);
  EXPECT_EQ(bf16_bits(1.0f + 0x1p-8f), 0x3F80u);  // a tie, to even
  EXPECT_EQ(bf16_bits(1.0f + 0x1p-8f + 0x1p-20f), 0x3F81u);
  EXPECT_EQ(bf16_bits(1.0f + 3 * 0x1p-8f), 0x3F82u);  // a tie, to even
  EXPECT_EQ(bf16_bits(-1.0f - 0x1p-9f), 0xBF80u);
  EXPECT_EQ(tf32_bits(1.0f + 0x1p-11f), std::bit_cast<std::uint32_t>(1.0f + 0x1p-10f));  // a tie, away from zero
  EXPECT_EQ(tf32_bits(1.0f + 0x1p-12f), std::bit_cast<std::uint32_t>(1.0f));
}

}  // namespace
}  // namespace oneproxy::detail
