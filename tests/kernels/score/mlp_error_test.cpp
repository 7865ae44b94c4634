#include "oneproxy/kernels/score/mlp_error.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/score/score_cases.h"

namespace oneproxy::detail {
namespace {

using test::OwnedDigits;
using test::OwnedMlp;
using Radices = std::vector<std::uint32_t>;

TEST(ErrorBound, TheQuickOneIsNoSmallerAndAtMostTwiceAsLarge) {
  const OwnedDigits digits(Radices(6, 5), 2, 1);
  for (const auto& widths : std::vector<std::vector<int>>{{7}, {64, 64}, {33, 400, 12}}) {
    const OwnedMlp owned(digits, widths, 3);
    for (const Backend backend : {Backend::cpu, Backend::cuda})
      for (const Precision precision : {Precision::bf16, Precision::fp32, Precision::fp64}) {
        const double bound = mlp_error_bound(owned.mlp(), digits.code(), precision, backend);
        const double quick = quick_mlp_error_bound(owned.mlp(), digits.code(), precision, backend);
        EXPECT_TRUE(bound <= quick && quick <= 2 * bound) << bound << " " << quick;
      }
  }
}

TEST(ErrorBound, IsZeroFiniteOrInfinite) {
  const OwnedDigits digits(Radices(6, 5), 1, 1);
  OwnedMlp owned(digits, {32, 32}, 1);
  EXPECT_EQ(mlp_error_bound(owned.mlp(), digits.code(), Precision::fp64, Backend::cuda), 0);
  const double fp32 = mlp_error_bound(owned.mlp(), digits.code(), Precision::fp32, Backend::cuda);
  const double tf32 = mlp_error_bound(owned.mlp(), digits.code(), Precision::tf32, Backend::cuda);
  const double bf16 = mlp_error_bound(owned.mlp(), digits.code(), Precision::bf16, Backend::cuda);
  EXPECT_TRUE(0 < fp32 && fp32 < 1e-3 && fp32 < tf32 && tf32 < bf16 && bf16 < 1) << fp32 << " " << tf32 << " " << bf16;
  owned.weights[0][5] = 1e38;
  EXPECT_TRUE(std::isinf(mlp_error_bound(owned.mlp(), digits.code(), Precision::bf16, Backend::cuda)));
}

}  // namespace
}  // namespace oneproxy::detail
