#include "oneproxy/kernels/base/radix_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace oneproxy {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(OrderedKey, FollowsTheOrderOfDoubles) {
  const std::vector<double> ascending{-infinity, -1e308, -1.5,   -1, -1e-308, -5e-324,
                                      0,         5e-324, 1e-308, 1,  1.5,     infinity};
  for (std::size_t i = 1; i < ascending.size(); ++i)
    EXPECT_LT(ordered_key(ascending[i - 1]), ordered_key(ascending[i])) << ascending[i];
  EXPECT_EQ(ordered_key(-0.0), ordered_key(0.0));
}

// Values that strain one part each: digits, ties, exponents, crowding, outliers.
std::vector<double> values_of(const std::string& kind, std::int64_t n) {
  std::mt19937_64 random(n);
  std::normal_distribution<double> normal;
  std::vector<double> x(n);
  for (std::int64_t i = 0; i < n; ++i) {
    const double value = normal(random);
    if (kind == "normal") x[i] = value;
    if (kind == "integers") x[i] = std::floor(20 * value);
    if (kind == "magnitudes") x[i] = std::copysign(std::exp(150 * value), value);
    if (kind == "crowded") x[i] = i % 100 == 0 ? value * 1e9 : 1 + value * 1e-13;
    if (kind == "infinities") x[i] = i % 10 == 0 ? std::copysign(infinity, value) : value;
    if (kind == "constant") x[i] = 7;
    if (kind == "descending") x[i] = static_cast<double>(-i);
    if (kind == "two_giants") x[i] = i % 3 == 0 ? value * 1e-12 : i % 3 == 1 ? 5 : 1e300 * (1 + value * 1e-10);
  }
  return x;
}

struct SortCase {
  std::string kind;
  std::int64_t n;
};
std::ostream& operator<<(std::ostream& out, const SortCase& c) { return out << c.kind << " n=" << c.n; }

class RadixSort : public testing::TestWithParam<SortCase> {
 protected:
  const std::vector<double> x = values_of(GetParam().kind, GetParam().n);
  const std::int64_t n = GetParam().n;
  std::vector<double> sorted = [this] {
    std::vector<double> values = x;
    std::sort(values.begin(), values.end());
    return values;
  }();

  // `index` is a permutation that puts x in order.
  void expect_order(const std::vector<std::uint64_t>& index) {
    ASSERT_EQ(static_cast<std::int64_t>(index.size()), n);
    std::vector<char> seen(n);
    for (std::int64_t i = 0; i < n; ++i) {
      ASSERT_LT(index[i], static_cast<std::uint64_t>(n));
      ASSERT_FALSE(seen[index[i]]) << "row " << index[i] << " comes twice";
      seen[index[i]] = 1;
      ASSERT_EQ(x[index[i]], sorted[i]) << "position " << i;
    }
  }
};

TEST_P(RadixSort, Items) {
  std::vector<KeyValue> items(n), scratch(n);
  for (std::int64_t i = 0; i < n; ++i) items[i] = {ordered_key(x[i]), static_cast<std::uint64_t>(i)};
  sort_items(items.data(), scratch.data(), n);
  std::vector<std::uint64_t> index;
  for (const KeyValue& item : items) index.push_back(item.value);
  expect_order(index);
}

TEST_P(RadixSort, ByValue) {
  std::vector<std::uint64_t> scratch(2 * n);
  const std::uint64_t* order = order_by_value(x, scratch.data());
  const bool may_refuse = GetParam().kind != "normal" && GetParam().kind != "integers" && GetParam().kind != "constant";
  if (order == nullptr) {
    EXPECT_TRUE(may_refuse);
    return;
  }
  std::vector<std::uint64_t> index;
  for (std::int64_t i = 0; i < n; ++i) index.push_back(entry_index(order[i]));
  expect_order(index);
  for (std::int64_t i = 1; i < n; ++i) {
    if (same_place(order[i - 1], order[i])) continue;
    ASSERT_LT(x[index[i - 1]], x[index[i]]) << "position " << i;
  }
}

TEST_P(RadixSort, Buckets) {
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    std::vector<KeyValue> items(n);
    std::vector<std::int64_t> visits(n);
    std::vector<std::uint64_t> index(n);
    const auto load = [this](std::int64_t i) { return KeyValue{ordered_key(x[i]), static_cast<std::uint64_t>(i)}; };
    sort_buckets(n, load, items.data(), [&](KeyValue* bucket, std::int64_t count, std::int64_t offset) {
      for (std::int64_t i = 0; i < count; ++i) {
        ++visits[offset + i];
        index[offset + i] = bucket[i].value;
        bucket[i].value = 1;
      }
    });
    set_thread_count(0);
    expect_order(index);
    EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), n) << "each item is visited once";
    for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(items[i].key, ordered_key(sorted[i]));
    for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(items[i].value, 1u) << "what visit wrote is lost";
  }
}

std::vector<SortCase> sort_cases() {
  std::vector<SortCase> cases;
  for (const char* kind :
       {"normal", "integers", "magnitudes", "crowded", "infinities", "constant", "descending", "two_giants"})
    for (const std::int64_t n : {1, 2, 24, 25, 100, 3000, 40000}) cases.push_back({kind, n});
  // Past the size at which a bucket is cut again.
  for (const char* kind : {"normal", "crowded", "two_giants"}) cases.push_back({kind, 4 * max_bucket});
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Kinds, RadixSort, testing::ValuesIn(sort_cases()));

TEST(RadixSortBuckets, EqualKeysShareABucket) {
  const std::int64_t n = 200000;
  const auto load = [](std::int64_t i) { return KeyValue{ordered_key(static_cast<double>(i % 5000)), 0}; };
  std::vector<KeyValue> items(n);
  std::mutex mutex;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  sort_buckets(n, load, items.data(), [&](KeyValue* bucket, std::int64_t count, std::int64_t) {
    const std::lock_guard lock(mutex);
    ranges.emplace_back(bucket[0].key, bucket[count - 1].key);
  });
  std::sort(ranges.begin(), ranges.end());
  EXPECT_GT(ranges.size(), 1u);
  for (std::size_t i = 1; i < ranges.size(); ++i) EXPECT_LT(ranges[i - 1].second, ranges[i].first);
}

}  // namespace
}  // namespace oneproxy
