#include "oneproxy/kernels/base/staircase.h"

#include <gtest/gtest.h>

#include <utility>

#include "oneproxy/kernels/base/random.h"

namespace oneproxy {
namespace {

template <class Number>
class Staircases : public testing::Test {};
using Numbers = testing::Types<std::int64_t, double>;
TYPED_TEST_SUITE(Staircases, Numbers);

TYPED_TEST(Staircases, KeepWhatNothingCovers) {
  using Number = TypeParam;
  const Philox random{1, 79};
  std::uint64_t draw = 0;
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random.below(draw++, static_cast<std::uint64_t>(high - low + 1)));
  };
  for (const std::int64_t range : {3, 60, 100'000}) {
    detail::Staircase<Number> staircase;
    std::vector<std::pair<Number, Number>> all;
    const auto any = [&](const auto& what) { return std::any_of(all.begin(), all.end(), what); };
    for (int i = 0; i < 3000; ++i) {
      // Near a rising line, so that many stay and blocks split.
      const std::int64_t at = between(-range, range);
      const auto quality = static_cast<Number>(at), third = static_cast<Number>(at + between(0, range / 50));
      const bool covered = any([&](const auto& p) { return p.first >= quality && p.second <= third; });
      EXPECT_EQ(staircase.covers(quality, third), covered);
      EXPECT_EQ(staircase.template covers<true>(quality, third),
                any([&](const auto& p) { return p.first > quality && p.second <= third; }));
      EXPECT_EQ(staircase.add(quality, third), !covered);
      all.emplace_back(quality, third);
    }
    std::vector<std::pair<Number, Number>> kept;
    staircase.for_each([&](Number quality, Number third) { kept.emplace_back(quality, third); });
    for (std::size_t i = 1; i < kept.size(); ++i) {
      EXPECT_LT(kept[i - 1].first, kept[i].first);
      EXPECT_LT(kept[i - 1].second, kept[i].second);
    }
    if (range == 100'000) {
      EXPECT_GT(kept.size(), 200u);
    }
  }
}

}  // namespace
}  // namespace oneproxy
