#include "oneproxy/kernels/score/cuda/narrow_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/cuda/first_layer.h"
#include "oneproxy/kernels/score/cuda/fleet_plan.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy::detail {
namespace {

using test::OwnedDigits;
using test::OwnedMlp;
using Radices = std::vector<std::uint32_t>;

TEST(NarrowPlans, FitTheSharedMemoryOfTheirDevice) {
  const OwnedDigits digits(Radices(22, 9), 1, 1);
  for (const int shared : {49152, 101376, 166912, 232448}) {
    const DeviceLimits device{100, shared};
    for (const auto precision : {Precision::fp32, Precision::tf32, Precision::bf16})
      for (const auto& widths : std::vector<std::vector<int>>{
               {64, 64}, {128, 128}, {17, 100}, {32, 32, 32, 32}, {128, 128, 128}, {128, 128, 128, 128, 128, 128}}) {
        const OwnedMlp owned(digits, widths, 2);
        NarrowPlan plan;
        const bool planned = plan_narrow(owned.mlp(), precision, device, plan);
        SCOPED_TRACE(to_string(plan));
        if (!planned) continue;
        EXPECT_GE(plan.width, *std::max_element(widths.begin(), widths.end()));
        const auto most = narrow_max_inner(plan);
        EXPECT_GE(most, 64u);
        place_table(plan, static_cast<std::uint32_t>(most), device);
        EXPECT_LE(plan.shared_bytes, shared);
        const auto packed = pack_narrow(owned.mlp(), plan);
        const auto table = plan.place == TablePlace::shared_memory ? most * plan.table_stride * 4 : 0;
        EXPECT_GE(plan.shared_bytes, static_cast<int>(packed.fragments.size() * 4 + packed.vectors.size() * 4 + table));
      }
  }
}

// The lanes of one vector load of the table meet different banks of shared memory.
TEST(NarrowPlans, TableRowsMeetDifferentBanks) {
  const OwnedDigits digits(Radices(22, 9), 1, 1);
  for (const auto precision : {Precision::fp32, Precision::tf32, Precision::bf16})
    for (const int width : {32, 64, 128}) {
      const OwnedMlp owned(digits, {width, width}, 2);
      NarrowPlan plan;
      ASSERT_TRUE(plan_narrow(owned.mlp(), precision, {}, plan));
      // Rows and floats of the lanes that are served at once: a quarter of a warp for 16 bytes a lane, half for 8.
      const int rows = precision == Precision::fp32 ? 8 : precision == Precision::bf16 ? 2 : 4;
      const int floats = precision == Precision::fp32 ? 4 : precision == Precision::bf16 ? 16 : 8;
      std::vector<int> used(32, 0);
      for (int row = 0; row < rows; ++row)
        for (int i = 0; i < floats; ++i) ++used[(row * plan.table_stride + i) % 32];
      EXPECT_EQ(*std::max_element(used.begin(), used.end()), 1) << to_string(precision) << " " << width;
    }
}

TEST(NarrowPlans, RefuseWhatHasNoKernel) {
  const OwnedDigits digits(Radices(6, 5), 1, 1);
  NarrowPlan plan;
  const auto planned = [&](std::vector<int> widths, Precision precision) {
    return plan_narrow(OwnedMlp(digits, std::move(widths), 1).mlp(), precision, {}, plan);
  };
  EXPECT_FALSE(planned({129, 64}, Precision::bf16));
  EXPECT_FALSE(planned({64, 400}, Precision::bf16));
  EXPECT_FALSE(planned({64}, Precision::bf16));             // no product between hidden layers
  EXPECT_FALSE(planned({128, 128, 128}, Precision::fp32));  // two layers in one thread's registers
  EXPECT_FALSE(planned({64, 64}, Precision::fp64));
  EXPECT_FALSE(planned(std::vector<int>(9, 128), Precision::bf16));  // 256 KiB of weights
  EXPECT_TRUE(planned({128, 128, 128}, Precision::bf16));
}

TEST(FirstLayer, RefusesTablesBeyondTheMemory) {
  const OwnedDigits digits({7371, 7371}, 1, 1);
  const OwnedMlp owned(digits, {400, 400}, 1);
  EXPECT_THROW(first_layer_tables(owned.mlp(), digits.code(), split_digits(digits.radices), 400, 4096, 1 << 20), Error);
}

TEST(FleetPlans, ChooseTheCutWithTheFewestRows) {
  const OwnedDigits digits(Radices(6, 5), 1, 1);
  const OwnedMlp owned(digits, {64, 64}, 1);
  FleetPlan plan;
  ASSERT_TRUE(plan_fleet(owned.mlp(), digits.code(), {0, 15625}, Precision::bf16, {}, plan));
  EXPECT_EQ(plan.narrow.inner, 125u);
  EXPECT_EQ(plan.n_base, 125u);
  EXPECT_LE(plan.narrow.shared_bytes, 232448 / 2);  // two blocks a multiprocessor
  const OwnedDigits fbnet(Radices(22, 9), 1, 1);
  const OwnedMlp large(fbnet, {128, 128}, 1);
  EXPECT_FALSE(plan_fleet(large.mlp(), fbnet.code(), {0, 1ull << 40}, Precision::bf16, {}, plan));
  EXPECT_FALSE(plan_fleet(large.mlp(), fbnet.code(), {0, ~0ull}, Precision::bf16, {}, plan));
}

}  // namespace
}  // namespace oneproxy::detail
