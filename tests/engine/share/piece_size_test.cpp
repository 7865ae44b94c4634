#include "oneproxy/engine/share/piece_size.h"

#include <gtest/gtest.h>

namespace oneproxy {
namespace {

constexpr std::uint64_t kHuge = std::uint64_t{1} << 60;

TEST(PieceSize, GrowsToHalfASecond) {
  PieceSize pieces(8, kHuge);
  EXPECT_EQ(pieces.next(0), PieceSize::kFirst);
  const double rate = 1e9;
  std::uint64_t before = 0;
  for (int i = 0; i < 20; ++i) {
    const auto step = pieces.next(0);
    if (i > 0) {
      EXPECT_LE(step, 4 * before);
    }
    before = step;
    pieces.took(step, static_cast<double>(step) / rate);
  }
  EXPECT_NEAR(static_cast<double>(pieces.next(0)), rate * PieceSize::kSeconds, 2);
  pieces.took(pieces.next(0), 5);  // who gets slower takes less
  EXPECT_NEAR(static_cast<double>(pieces.next(0)), rate * PieceSize::kSeconds / 10, 2);
  pieces.took(1, 0);  // a clock that stood still
  EXPECT_GE(pieces.next(0), PieceSize::kFirst);
}

// At a rate at which half a second is more than there is left, and 4 ms are less than the first piece.
TEST(PieceSize, ShrinksTowardsTheEndOfMany) {
  const std::uint64_t left = 10'000'000;
  PieceSize many(10, left), alone(1, left);
  for (int i = 0; i < 20; ++i) many.took(many.next(0), 0.1), alone.took(alone.next(0), 0.1);
  EXPECT_EQ(many.next(0), left / 40);
  EXPECT_EQ(many.next(left / 2), left / 80);
  EXPECT_EQ(many.next(left - 10), PieceSize::kFirst);
  EXPECT_EQ(many.next(left + 10), PieceSize::kFirst);  // others have taken the rest
  EXPECT_EQ(alone.next(left / 2), left);               // one waits for nobody
}

// A device that scores 2^14 in a microsecond does not ask a million times a second.
TEST(PieceSize, IsWorthAskingFor) {
  const double rate = 1e10;
  const std::uint64_t left = 1'000'000'000'000;
  PieceSize pieces(1000, left);
  for (int i = 0; i < 30; ++i) {
    const auto step = pieces.next(0);
    pieces.took(step, static_cast<double>(step) / rate);
  }
  EXPECT_NEAR(static_cast<double>(pieces.next(left)), rate * PieceSize::kLeastSeconds, 2);
}

}  // namespace
}  // namespace oneproxy
