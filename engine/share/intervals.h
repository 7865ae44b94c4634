#pragma once
// Which places of a long run are done: sorted intervals without overlaps or gaps of length 0 between them.
#include <cstdint>
#include <vector>

namespace oneproxy {

struct Interval {
  std::uint64_t begin = 0, end = 0;  // [begin, end)
  std::uint64_t length() const { return end - begin; }
  bool operator==(const Interval&) const = default;
};

using Intervals = std::vector<Interval>;

std::uint64_t length(const Intervals& intervals);

// The places that are in any of them; they may come in any order and overlap. Empty ones vanish.
Intervals united(Intervals intervals);

// `all`, which is as united() leaves it, with one more; quick where `all` is long.
void unite(Intervals& all, const Interval& one);

// The places of `whole` that are not in `taken`, which is as united() leaves it.
Intervals without(const Interval& whole, const Intervals& taken);

// `count` places of the intervals from the `from`-th on, fewer where they end.
Intervals slice(const Intervals& intervals, std::uint64_t from, std::uint64_t count);

}  // namespace oneproxy
