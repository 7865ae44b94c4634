#pragma once
// Sorting doubles with a 64-bit companion, the work under every rank. Radix sorts:
//   sort_items      few items, one thread, any keys
//   order_by_value  few values, one thread, fastest
//   sort_buckets    many items, all threads: a histogram of the leading bits cuts the range into buckets that
//                   fit a core's cache; each bucket is sorted and handed to `visit` while it is there
// None keeps the order of equal keys.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {

struct KeyValue {
  std::uint64_t key;
  std::uint64_t value;
};

// Bits in the order of the doubles: x < y exactly where ordered_key(x) < ordered_key(y); -0.0 as 0.0. No NaN.
inline std::uint64_t ordered_key(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x + 0.0);  // -0.0 + 0.0 = 0.0
  const auto sign_mask = static_cast<std::uint64_t>(static_cast<std::int64_t>(bits) >> 63);
  return bits ^ (sign_mask | (std::uint64_t{1} << 63));
}

// Uninitialised items. Large arrays ask for huge pages, which spares most of the page faults, and when done with stay
// for the next call (256 MiB in all at most): the system clears every fresh page, a fifth of the time of a sort.
struct FreeItems {
  std::size_t bytes = 0;
  void operator()(KeyValue* items) const;
};
using ItemArray = std::unique_ptr<KeyValue[], FreeItems>;
ItemArray make_items(std::int64_t n);

// Sorts items [n] by key; scratch [n] is overwritten. Two passes over the 20 or so leading bits that differ, then
// the runs that these leave undecided.
void sort_items(KeyValue* items, KeyValue* scratch, std::int64_t n);

// The order of x [n], 1 <= n < 2^32, no NaN: n entries by ascending value, each a place and an index. Entries of
// different places are of different values. scratch [2 n] holds the result. Two passes over the place of each
// value between the least and the largest, an integer of about 20 bits, then an insertion sort within places:
// where values spread within a few orders of magnitude this decides far more than as many leading bits, most of
// which tell exponents. nullptr where too many values crowd in few places, or are infinite.
const std::uint64_t* order_by_value(std::span<const double> x, std::uint64_t* scratch);
inline std::uint32_t entry_index(std::uint64_t entry) { return static_cast<std::uint32_t>(entry); }
inline bool same_place(std::uint64_t a, std::uint64_t b) { return (a ^ b) >> 32 == 0; }

// Where the buckets of a large sort lie: the window of leading bits and the bucket of each window value.
struct BucketPlan {
  std::int64_t n = 0;
  std::int64_t n_chunks = 0;
  int shift = 0;  // the window is (key >> shift) & mask
  std::uint64_t mask = 0;
  std::vector<std::uint32_t> bucket_of;  // [mask + 1]
  std::vector<std::int64_t> begin;       // [buckets + 1] first item of each bucket
  std::vector<std::int64_t> position;    // [n_chunks, buckets] where the chunk's next item of the bucket goes

  std::int64_t chunk_begin(std::int64_t chunk) const {
    return static_cast<std::int64_t>(static_cast<__int128>(n) * chunk / n_chunks);
  }
  std::uint32_t bucket(std::uint64_t key) const { return bucket_of[(key >> shift) & mask]; }
};

// Chunks of the input and the window, from the bits that differ between the keys.
BucketPlan plan_chunks(std::int64_t n);
void plan_window(BucketPlan& plan, std::uint64_t varying);
// Cuts the range into buckets. counts [n_chunks][mask + 1]: the keys of each chunk by window value.
void plan_buckets(BucketPlan& plan, const std::vector<std::vector<std::uint32_t>>& counts);

inline constexpr std::int64_t parallel_from = std::int64_t{1} << 15;  // fewer items are not worth the threads
inline constexpr std::int64_t max_bucket = std::int64_t{1} << 17;     // a bucket of more items is cut again

using BucketVisitor = std::function<void(KeyValue* items, std::int64_t count, std::int64_t offset)>;

struct LoadItem {
  const KeyValue* items;
  KeyValue operator()(std::int64_t i) const { return items[i]; }
};

// load(i) -> KeyValue for i in 0 .. n-1, called several times from any thread.
// visit(items, count, offset): a sorted bucket, which starts at position `offset` of the whole order; equal keys
// are never in two buckets. Called from several threads at once; may overwrite the items.
// items [n] receives what visit leaves behind, in sorted order.
template <typename Load>
void sort_buckets(std::int64_t n, const Load& load, KeyValue* items, const BucketVisitor& visit) {
  if (n < parallel_from) {
    for (std::int64_t i = 0; i < n; ++i) items[i] = load(i);
    const ItemArray scratch = make_items(n);
    sort_items(items, scratch.get(), n);
    visit(items, n, std::int64_t{0});
    return;
  }

  BucketPlan plan = plan_chunks(n);
  std::vector<std::uint64_t> varying(plan.n_chunks);
  const std::uint64_t first_key = load(0).key;
  parallel_for(plan.n_chunks, [&](std::int64_t chunk) {
    const std::int64_t end = plan.chunk_begin(chunk + 1);
    std::uint64_t bits = 0;
    for (std::int64_t i = plan.chunk_begin(chunk); i < end; ++i) bits |= load(i).key ^ first_key;
    varying[chunk] = bits;
  });
  std::uint64_t all_varying = 0;
  for (const std::uint64_t bits : varying) all_varying |= bits;
  plan_window(plan, all_varying);

  std::vector<std::vector<std::uint32_t>> counts(plan.n_chunks);
  parallel_for(plan.n_chunks, [&](std::int64_t chunk) {
    std::vector<std::uint32_t> count(plan.mask + 1);
    const std::int64_t end = plan.chunk_begin(chunk + 1);
    for (std::int64_t i = plan.chunk_begin(chunk); i < end; ++i) ++count[(load(i).key >> plan.shift) & plan.mask];
    counts[chunk] = std::move(count);
  });
  plan_buckets(plan, counts);

  const auto n_buckets = static_cast<std::int64_t>(plan.begin.size()) - 1;
  parallel_for(plan.n_chunks, [&](std::int64_t chunk) {
    std::int64_t* position = plan.position.data() + chunk * n_buckets;
    const std::int64_t end = plan.chunk_begin(chunk + 1);
    for (std::int64_t i = plan.chunk_begin(chunk); i < end; ++i) {
      const KeyValue item = load(i);
      items[position[plan.bucket(item.key)]++] = item;
    }
  });

  // Buckets in runs of neighbours with about the same number of items, so that scratch is allocated rarely.
  const std::int64_t n_runs = plan.n_chunks * 4;
  parallel_for(n_runs, [&](std::int64_t run) {
    const auto bucket_at = [&](std::int64_t r) {
      const auto at = static_cast<std::int64_t>(static_cast<__int128>(n) * r / n_runs);
      return std::lower_bound(plan.begin.begin(), plan.begin.end() - 1, at) - plan.begin.begin();
    };
    const std::int64_t first = bucket_at(run), last = bucket_at(run + 1);
    std::int64_t largest = 0;
    for (std::int64_t b = first; b < last; ++b) {
      const std::int64_t count = plan.begin[b + 1] - plan.begin[b];
      if (count <= max_bucket) largest = std::max(largest, count);
    }
    const ItemArray scratch = make_items(largest);
    for (std::int64_t b = first; b < last; ++b) {
      const std::int64_t begin = plan.begin[b], count = plan.begin[b + 1] - begin;
      if (count == 0 || count > max_bucket) continue;
      sort_items(items + begin, scratch.get(), count);
      visit(items + begin, count, begin);
    }
  });

  // What the window could not cut: buckets of one key are done, the others are sorted by all threads in turn.
  std::vector<std::int64_t> large;
  for (std::int64_t b = 0; b < n_buckets; ++b)
    if (plan.begin[b + 1] - plan.begin[b] > max_bucket) large.push_back(b);
  parallel_for(static_cast<std::int64_t>(large.size()), [&](std::int64_t i) {
    const std::int64_t begin = plan.begin[large[i]], end = plan.begin[large[i] + 1];
    const std::uint64_t key = items[begin].key;
    if (!std::all_of(items + begin, items + end, [key](const KeyValue& item) { return item.key == key; })) return;
    visit(items + begin, end - begin, begin);
    large[i] = -1;
  });
  for (const std::int64_t b : large) {
    if (b < 0) continue;
    const std::int64_t begin = plan.begin[b], count = plan.begin[b + 1] - begin;
    const ItemArray copy = make_items(count);
    std::copy(items + begin, items + begin + count, copy.get());
    sort_buckets(
        count, LoadItem{copy.get()}, items + begin,
        [&](KeyValue* sorted, std::int64_t size, std::int64_t offset) { visit(sorted, size, begin + offset); });
  }
}

}  // namespace oneproxy
