#include "oneproxy/kernels/score/cuda/rounds.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "oneproxy/kernels/score/cuda/chunks.h"

namespace oneproxy::detail {
namespace {

TEST(Chunks, StayInTheCache) {
  for (const std::int64_t l2 : {std::int64_t{40} << 20, std::int64_t{60} << 20})
    for (const int bytes : {2, 4})
      for (const std::int64_t beside : {std::int64_t{0}, std::int64_t{15} << 20}) {
        const auto rows = wide_rows(400, bytes, beside, l2);
        EXPECT_LE(2 * rows * 400 * bytes + beside, l2);
        EXPECT_GE(2 * (rows + 1024) * 400 * bytes + beside, l2 * 7 / 8);
        EXPECT_EQ(rows % 1024, 0);
      }
  EXPECT_EQ(wide_rows(1 << 20, 4, 0, 1 << 20), 1024);
  EXPECT_EQ(wide_rows(400, 4, std::int64_t{60} << 20, std::int64_t{40} << 20), 1024);  // no room at all
}

TEST(Pieces, CoverTheRunOnce) {
  for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000003}, ~std::uint64_t{0}})
    for (const int n : {1, 3, 8}) {
      const auto borders = piece_borders(count, n);
      ASSERT_EQ(borders.size(), static_cast<std::size_t>(n) + 1);
      EXPECT_EQ(borders.front(), 0u);
      EXPECT_EQ(borders.back(), count);
      EXPECT_TRUE(std::is_sorted(borders.begin(), borders.end()));
      for (int i = 0; i < n; ++i) EXPECT_LE(borders[i + 1] - borders[i], count / n + (count % n > 0));
    }
}

// A run whose share of survivors changes: every architecture is taken once, and no round is repeated for ever.
TEST(Rounds, TakeEverythingOnce) {
  const std::uint64_t capacity = 1000, most = 1 << 20;
  for (const double share : {0.0, 0.001, 0.3, 1.0}) {
    Rounds rounds(capacity, most, 0);
    std::uint64_t taken = 0, repeats = 0, steps = 0;
    const std::uint64_t count = 5'000'000;
    while (taken < count) {
      ASSERT_LT(++steps, 100'000u);
      const std::uint64_t n = std::min(rounds.size(), count - taken);
      ASSERT_GE(n, 1u);
      // All survive in the middle of the run.
      const bool middle = taken > 1'000'000 && taken < 1'200'000;
      const auto survivors = static_cast<std::uint64_t>(middle ? n : share * static_cast<double>(n));
      if (rounds.survived(survivors))
        taken += n;
      else
        ++repeats;
    }
    EXPECT_EQ(taken, count);
    EXPECT_LT(repeats, steps / 2 + 1);
    if (share == 0) {
      EXPECT_LT(steps, 1500u);
    }
  }
  EXPECT_EQ(Rounds(capacity, most, 0).size(), capacity);
  EXPECT_EQ(Rounds(capacity, most, 1 << 30).size(), most);
}

}  // namespace
}  // namespace oneproxy::detail
