#include "oneproxy/kernels/additive/front.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <tuple>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy {
namespace {

// A problem with its memory.
struct Case {
  std::vector<std::uint32_t> radices;
  std::vector<std::int64_t> weights[3], bias[3];  // bias empty: no such objective
  std::vector<std::uint8_t> allowed;

  std::size_t width() const { return std::accumulate(radices.begin(), radices.end(), std::size_t{0}); }
  AdditiveProblem problem() const {
    return {radices, {weights[0], bias[0]}, {weights[1], bias[1]}, {weights[2], bias[2]}, allowed};
  }
};

struct Draws {
  Philox random;
  std::uint64_t next = 0;
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random.below(next++, static_cast<std::uint64_t>(high - low + 1)));
  }
};

Case random_case(std::uint64_t seed, std::vector<std::uint32_t> radices, int objectives, std::int64_t low,
                 std::int64_t high, bool tables = false, bool masks = false) {
  Draws draws{{seed, 77}};
  Case made;
  made.radices = std::move(radices);
  for (int o = 0; o < objectives; ++o) {
    // One of the objectives has one table even where the others have several.
    const std::size_t n_tables = tables && o != static_cast<int>(seed % 3) ? made.radices[0] : 1;
    for (std::size_t i = 0; i < n_tables * made.width(); ++i) made.weights[o].push_back(draws.between(low, high));
    for (std::size_t t = 0; t < n_tables; ++t) made.bias[o].push_back(draws.between(-5, 5));
  }
  if (masks) {
    const std::size_t n_masks = tables ? made.radices[0] : 1;
    for (std::size_t i = 0; i < n_masks * made.width(); ++i) made.allowed.push_back(draws.between(0, 4) != 0);
    for (std::size_t m = 0; m < n_masks; ++m)  // no digit without a value
      for (std::size_t d = 0, place = 0; d < made.radices.size(); place += made.radices[d++])
        made.allowed[m * made.width() + place + static_cast<std::size_t>(draws.between(0, made.radices[d] - 1))] = 1;
  }
  return made;
}

struct Entry {
  AdditivePoint point;
  std::uint64_t index;
};

std::vector<std::uint32_t> digits_of(std::uint64_t index, const std::vector<std::uint32_t>& radices) {
  std::vector<std::uint32_t> digits(radices.size());
  for (std::size_t d = radices.size(); d-- > 0; index /= radices[d])
    digits[d] = static_cast<std::uint32_t>(index % radices[d]);
  return digits;
}

AdditivePoint sums_of(const Case& made, const std::vector<std::uint32_t>& digits) {
  std::int64_t sums[3] = {0, 0, 0};
  for (int o = 0; o < 3; ++o) {
    if (made.bias[o].empty()) continue;
    const std::size_t t = made.bias[o].size() == 1 ? 0 : digits[0];
    sums[o] = made.bias[o][t];
    for (std::size_t d = 0, place = 0; d < digits.size(); place += made.radices[d++])
      sums[o] += made.weights[o][t * made.width() + place + digits[d]];
  }
  return {sums[0], sums[1], sums[2]};
}

// Every allowed architecture, by definition.
std::vector<Entry> enumerate(const Case& made) {
  std::uint64_t size = 1;
  for (const auto radix : made.radices) size *= radix;
  std::vector<Entry> all;
  for (std::uint64_t index = 0; index < size; ++index) {
    const auto digits = digits_of(index, made.radices);
    bool allowed = true;
    const std::size_t mask = made.allowed.size() > made.width() ? digits[0] * made.width() : 0;
    for (std::size_t d = 0, place = 0; d < digits.size() && !made.allowed.empty(); place += made.radices[d++])
      allowed = allowed && made.allowed[mask + place + digits[d]];
    if (allowed) all.push_back({sums_of(made, digits), index});
  }
  return all;
}

auto order_of(const Entry& e) { return std::make_tuple(e.point.latency, -e.point.quality, e.point.third, e.index); }

bool no_worse(const AdditivePoint& a, const AdditivePoint& b) {
  return a.latency <= b.latency && a.quality >= b.quality && a.third <= b.third;
}

// After sorting only an earlier one can dominate or equal a later one; whatever is dominated is so by one of the front.
std::vector<Entry> front_of(std::vector<Entry> all) {
  std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return order_of(a) < order_of(b); });
  std::vector<Entry> front;
  for (const Entry& entry : all)
    if (std::none_of(front.rbegin(), front.rend(), [&](const Entry& f) { return no_worse(f.point, entry.point); }))
      front.push_back(entry);
  return front;
}

std::uint64_t index_of(const std::vector<std::uint32_t>& digits, const std::vector<std::uint32_t>& radices) {
  std::uint64_t index = 0;
  for (std::size_t d = 0; d < digits.size(); ++d) index = index * radices[d] + digits[d];
  return index;
}

void expect_front(const Case& made, const AdditiveFront& front, const std::vector<Entry>& expected,
                  const std::string& what) {
  SCOPED_TRACE(what);
  EXPECT_EQ(front.gap(), 0);
  ASSERT_EQ(front.size(), static_cast<std::int64_t>(expected.size()));
  const auto all = front.all_digits();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const AdditivePoint point = front.point(static_cast<std::int64_t>(i));
    ASSERT_EQ(std::tie(point.latency, point.quality, point.third),
              std::tie(expected[i].point.latency, expected[i].point.quality, expected[i].point.third))
        << "point " << i;
    std::vector<std::uint32_t> digits(made.radices.size());
    front.digits(static_cast<std::int64_t>(i), digits);
    ASSERT_EQ(index_of(digits, made.radices), expected[i].index) << "point " << i;
    ASSERT_TRUE(std::equal(digits.begin(), digits.end(), all.begin() + i * digits.size())) << "point " << i;
  }
}

const std::vector<std::vector<std::uint32_t>> kShapes = {{1},
                                                         {5},
                                                         {1, 1, 1},
                                                         {2, 3},
                                                         {3, 1, 4, 2},
                                                         {9, 9, 9},
                                                         {2, 2, 2, 2, 2, 2, 2, 2, 2, 2},
                                                         {3, 40, 2, 5},
                                                         {4, 3, 5, 2, 6}};

TEST(AdditiveFront, IsTheFrontOfEveryArchitecture) {
  for (const int objectives : {2, 3})
    for (const std::int64_t range : {0, 1, 3, 30, 1'000'000})  // tiny ranges: nearly everything is tied
      for (std::size_t shape = 0; shape < kShapes.size(); ++shape)
        for (std::uint64_t seed = 0; seed < 12; ++seed) {
          const bool tables = seed % 4 == 1 || seed % 4 == 3, masks = seed % 4 >= 2;
          const Case made = random_case(seed, kShapes[shape], objectives, -range, range, tables, masks);
          expect_front(made, additive_front(made.problem()), front_of(enumerate(made)),
                       "objectives " + std::to_string(objectives) + ", range " + std::to_string(range) + ", shape " +
                           std::to_string(shape) + ", seed " + std::to_string(seed));
        }
}

TEST(AdditiveFront, OfSevenHundredThousandArchitectures) {
  for (std::uint64_t seed = 0; seed < 2; ++seed)
    for (const std::int64_t range : {20, 1'000'000'000}) {
      const Case made = random_case(seed, {9, 9, 9, 9, 9, 12}, 2, -range, range);
      expect_front(made, additive_front(made.problem()), front_of(enumerate(made)), "seed " + std::to_string(seed));
    }
}

// Latencies a little apart and qualities that follow them: hardly anything is dominated, so that levels fill many tiles
// and several blocks.
Case hard_case(std::size_t n_digits, std::uint32_t radix, int objectives) {
  Draws draws{{5, 78}};
  Case made;
  made.radices.assign(n_digits, radix);
  for (int o = 0; o < objectives; ++o) made.bias[o] = {0};
  for (std::size_t i = 0; i < made.width(); ++i) {
    const std::int64_t latency = draws.between(0, 1 << 20);
    made.weights[0].push_back(latency);
    made.weights[1].push_back(16 * latency + draws.between(0, 200));
    if (objectives == 3) made.weights[2].push_back(draws.between(0, 1 << 10) - latency / 1024);
  }
  return made;
}

TEST(AdditiveFront, OfManyTilesAndBlocks) {
  const Case made = hard_case(7, 7, 2);
  const auto expected = [&] {
    std::vector<Entry> all = enumerate(made), front;
    std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return order_of(a) < order_of(b); });
    for (const Entry& entry : all)
      if (front.empty() || entry.point.quality > front.back().point.quality) front.push_back(entry);
    return front;
  }();
  EXPECT_GT(expected.size(), std::size_t{1} << 17);
  for (const int threads : {1, 2, 5}) {
    set_thread_count(threads);
    expect_front(made, additive_front(made.problem()), expected, std::to_string(threads) + " threads");
  }
  set_thread_count(0);
}

TEST(AdditiveFront, ThreeObjectivesInTilesAreThoseOfOneTile) {
  const Case made = hard_case(5, 8, 3);  // 32,768 candidates: the last level is cut
  const auto expected = front_of(enumerate(made));
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    expect_front(made, additive_front(made.problem()), expected, std::to_string(threads) + " threads");
  }
  set_thread_count(0);
}

TEST(AdditiveFront, KnowsNoGauge) {
  // A constant may move from one digit to another, or to the bias.
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Case made = random_case(seed, {4, 5, 3, 6}, 2 + seed % 2, -20, 20);
    Case moved = made;
    for (auto& weights : moved.weights) {
      if (weights.empty()) continue;
      for (std::size_t i = 0; i < 4; ++i) weights[i] += 1'000'000'007;
      for (std::size_t i = 9; i < 12; ++i) weights[i] -= 1'000'000'000;
    }
    for (auto& bias : moved.bias)
      if (!bias.empty()) bias[0] -= 7;
    expect_front(moved, additive_front(moved.problem()), front_of(enumerate(made)), "seed " + std::to_string(seed));
  }
}

TEST(AdditiveFront, AllEqualIsTheFirstArchitecture) {
  Case made;
  made.radices.assign(22, 9);
  for (int o = 0; o < 2; ++o) {
    made.weights[o].assign(made.width(), -3);
    made.bias[o] = {1};
  }
  const AdditiveFront front = additive_front(made.problem());
  ASSERT_EQ(front.size(), 1);
  EXPECT_EQ(front.point(0).latency, 1 - 66);
  EXPECT_EQ(front.all_digits(), std::vector<std::uint32_t>(22, 0));
}

TEST(AdditiveFront, LastWithinALimit) {
  const Case made = random_case(3, {4, 5, 3, 6}, 2, -20, 20);
  const AdditiveFront front = additive_front(made.problem());
  for (std::int64_t limit = -100; limit <= 100; ++limit) {
    std::int64_t expected = -1;
    for (std::int64_t i = 0; i < front.size(); ++i)
      if (front.point(i).latency <= limit) expected = i;
    EXPECT_EQ(front.last_within(limit), expected) << limit;
  }
}

// What the certificate says, point by point; what the result holds is achievable.
void expect_certified(const Case& made, const AdditiveFront& front, const AdditiveFront& exact) {
  std::vector<std::uint32_t> digits(made.radices.size());
  for (std::int64_t i = 0; i < front.size(); ++i) {
    front.digits(i, digits);
    const AdditivePoint sum = sums_of(made, digits), point = front.point(i);
    ASSERT_EQ(std::tie(sum.latency, sum.quality), std::tie(point.latency, point.quality)) << "point " << i;
  }
  for (std::int64_t i = 0; i < exact.size(); ++i) {
    const AdditivePoint point = exact.point(i);
    const std::int64_t found = front.last_within(point.latency);
    ASSERT_GE(found, 0) << "point " << i;
    ASSERT_GE(front.point(found).quality, point.quality - front.gap()) << "point " << i;
  }
}

TEST(AdditiveFront, ThinsOnACertifiedGridWhereMemoryEnds) {
  const Case made = hard_case(7, 8, 2);
  const AdditiveFront exact = additive_front(made.problem());
  const std::int64_t range = exact.point(exact.size() - 1).quality - exact.point(0).quality;
  std::int64_t last_gap = range;
  for (const std::int64_t bytes : {3'000, 30'000, 300'000, 5'000'000}) {
    const AdditiveFront front = additive_front(made.problem(), {bytes});
    SCOPED_TRACE(bytes);
    EXPECT_LE(front.peak_bytes(), bytes);
    EXPECT_GT(front.gap(), 0);
    EXPECT_LE(front.gap(), last_gap);
    last_gap = front.gap();
    expect_certified(made, front, exact);
  }
  EXPECT_LT(last_gap, range / 1000);
  EXPECT_EQ(additive_front(made.problem(), {exact.peak_bytes()}).gap(), 0);
  EXPECT_GT(additive_front(made.problem(), {exact.peak_bytes() - 1}).gap(), 0);
}

TEST(AdditiveFront, ThinsConditionalTablesToo) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const Case made = random_case(seed, {3, 9, 9, 9, 9}, 2, -1'000'000, 1'000'000, true);
    const AdditiveFront exact = additive_front(made.problem());
    const AdditiveFront front = additive_front(made.problem(), {4'000});
    EXPECT_LE(front.peak_bytes(), 4'000);
    expect_certified(made, front, exact);
  }
}

TEST(AdditiveBest, IsTheBestWithinEveryLimit) {
  for (std::size_t shape = 0; shape < kShapes.size(); ++shape)
    for (const std::int64_t range : {1, 6, 1'000'000})
      for (std::uint64_t seed = 0; seed < 8; ++seed) {
        SCOPED_TRACE("shape " + std::to_string(shape) + ", range " + std::to_string(range) + ", seed " +
                     std::to_string(seed));
        const Case made = random_case(seed, kShapes[shape], 2, -range, range, seed % 4 == 1, seed % 4 == 2);
        const auto front = front_of(enumerate(made));
        std::vector<std::int64_t> limits = {INT64_MIN, INT64_MAX};
        for (const Entry& entry : front) {
          limits.push_back(entry.point.latency);
          limits.push_back(entry.point.latency - 1);
        }
        const auto best = additive_best(made.problem(), limits);
        for (std::size_t l = 0; l < limits.size(); ++l) {
          const Entry* expected = nullptr;
          for (const Entry& entry : front)
            if (entry.point.latency <= limits[l]) expected = &entry;
          ASSERT_EQ(best[l].found, expected != nullptr) << "limit " << limits[l];
          if (!expected) continue;
          ASSERT_EQ(best[l].point.latency, expected->point.latency) << "limit " << limits[l];
          ASSERT_EQ(best[l].point.quality, expected->point.quality) << "limit " << limits[l];
          ASSERT_EQ(index_of(best[l].digits, made.radices), expected->index) << "limit " << limits[l];
        }
      }
}

std::string error_of(const Case& made, AdditiveFrontSettings settings = {}) {
  try {
    additive_front(made.problem(), settings);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(AdditiveFront, RefusesWhatItCanNotDo) {
  const Case sound = random_case(1, {3, 2}, 3, -5, 5);
  EXPECT_EQ(error_of(sound), "");
  Case made = sound;
  made.weights[0][4] = std::int64_t{1} << 61;
  EXPECT_NE(error_of(made).find("sums of latency could pass 2^61"), std::string::npos);
  made.weights[0][4] = INT64_MIN;
  EXPECT_NE(error_of(made).find("sums of latency could pass 2^61"), std::string::npos);
  made = sound;
  made.weights[1].pop_back();
  EXPECT_NE(error_of(made).find("quality has 4 weights"), std::string::npos);
  made = sound;
  made.bias[2] = {0, 0};
  EXPECT_NE(error_of(made).find("the third objective has 2 tables"), std::string::npos);
  made = sound;
  made.radices = {5, 0};
  EXPECT_NE(error_of(made).find("digit 1 has radix 0"), std::string::npos);
  made = sound;
  made.allowed = {1, 1, 1, 0, 0};
  EXPECT_NE(error_of(made).find("no value of digit 1 is allowed"), std::string::npos);
  made.allowed = {1};
  EXPECT_NE(error_of(made).find("mask of allowed values has 1 entries"), std::string::npos);
  EXPECT_NE(error_of(sound, {10}).find("three objectives pass the memory budget of 10 bytes"), std::string::npos);
  made = sound;
  made.bias[2].clear();
  made.weights[2].clear();
  EXPECT_NE(error_of(made, {10}).find("not even a grid fits in the memory budget of 10 bytes"), std::string::npos);
  EXPECT_THROW(additive_front({}), Error);
  EXPECT_THROW(additive_best(sound.problem(), {}), Error);
}

}  // namespace
}  // namespace oneproxy
