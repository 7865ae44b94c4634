#include "oneproxy/engine/share/intervals.h"

#include <gtest/gtest.h>

#include <random>

namespace oneproxy {
namespace {

constexpr std::uint64_t kPlaces = 60;

std::vector<bool> marked(const Intervals& intervals) {
  std::vector<bool> places(kPlaces);
  for (const auto& one : intervals)
    for (auto i = one.begin; i < one.end; ++i) places[i] = true;
  return places;
}

void expect_in_order(const Intervals& intervals) {
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    EXPECT_LT(intervals[i].begin, intervals[i].end);
    if (i > 0) {
      EXPECT_GT(intervals[i].begin, intervals[i - 1].end);
    }
  }
}

// Against places that are marked one by one.
TEST(Intervals, AgreeWithPlaces) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    Intervals some;
    for (auto n = random() % 6; n > 0; --n) {
      const auto a = random() % kPlaces, b = random() % kPlaces;
      some.push_back({std::min(a, b), std::max(a, b)});
    }
    const auto places = marked(some);
    const auto all = united(some);
    expect_in_order(all);
    EXPECT_EQ(marked(all), places);
    EXPECT_EQ(length(all), static_cast<std::uint64_t>(std::count(places.begin(), places.end(), true)));

    Intervals one_by_one;
    for (const auto& one : some) unite(one_by_one, one);
    EXPECT_EQ(one_by_one, all);

    const auto begin = random() % kPlaces, end = begin + random() % (kPlaces - begin);
    const auto rest = without({begin, end}, all);
    expect_in_order(rest);
    for (std::uint64_t i = 0; i < kPlaces; ++i) EXPECT_EQ(marked(rest)[i], i >= begin && i < end && !places[i]) << i;

    const auto from = random() % kPlaces, count = random() % kPlaces;
    std::vector<bool> expected(kPlaces);
    std::uint64_t nth = 0;
    for (std::uint64_t i = 0; i < kPlaces; ++i)
      if (places[i]) {
        expected[i] = nth >= from && nth < from + count;
        ++nth;
      }
    EXPECT_EQ(marked(slice(all, from, count)), expected);
  }
}

}  // namespace
}  // namespace oneproxy
