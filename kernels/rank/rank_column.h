#pragma once
// The order of one column, which all ranks on the CPU start from.
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "oneproxy/kernels/base/radix_sort.h"

namespace oneproxy::detail {

inline constexpr std::int64_t on_stack = 256;  // values ranked without touching the heap

// Calls run(begin, end) for each run of equal keys in sorted items [n].
template <typename Run>
void for_each_run(const KeyValue* items, std::int64_t n, const Run& run) {
  for (std::int64_t begin = 0, end; begin < n; begin = end) {
    end = begin + 1;
    while (end < n && items[end].key == items[begin].key) ++end;
    run(begin, end);
  }
}

// Calls place(row, at, begin, end) for each row of x: its position in the order, and the positions begin .. end - 1
// of its value. Long columns call from several threads.
template <typename Place>
void rank_column(std::span<const double> x, const Place& place) {
  const auto n = static_cast<std::int64_t>(x.size());
  if (n < parallel_from) {
    std::array<std::uint64_t, 2 * on_stack> small;
    std::unique_ptr<std::uint64_t[]> large;
    if (n > on_stack) large = std::make_unique_for_overwrite<std::uint64_t[]>(2 * n);
    if (const std::uint64_t* order = order_by_value(x, n > on_stack ? large.get() : small.data())) {
      for (std::int64_t begin = 0, end; begin < n; begin = end) {
        const double value = x[entry_index(order[begin])];
        end = begin + 1;
        while (end < n && same_place(order[end], order[begin]) && x[entry_index(order[end])] == value) ++end;
        for (std::int64_t i = begin; i < end; ++i) place(entry_index(order[i]), i, begin, end);
      }
      return;
    }
  }
  const auto load = [x](std::int64_t i) { return KeyValue{ordered_key(x[i]), static_cast<std::uint64_t>(i)}; };
  const ItemArray items = make_items(n);
  sort_buckets(n, load, items.get(), [&place](const KeyValue* bucket, std::int64_t count, std::int64_t offset) {
    for_each_run(bucket, count, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) place(bucket[i].value, offset + i, offset + begin, offset + end);
    });
  });
}

}  // namespace oneproxy::detail
