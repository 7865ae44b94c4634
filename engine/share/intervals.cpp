#include "oneproxy/engine/share/intervals.h"

#include <algorithm>

namespace oneproxy {

std::uint64_t length(const Intervals& intervals) {
  std::uint64_t sum = 0;
  for (const auto& one : intervals) sum += one.length();
  return sum;
}

Intervals united(Intervals intervals) {
  std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  Intervals all;
  for (const auto& one : intervals) {
    if (one.end <= one.begin) continue;
    if (!all.empty() && one.begin <= all.back().end)
      all.back().end = std::max(all.back().end, one.end);
    else
      all.push_back(one);
  }
  return all;
}

void unite(Intervals& all, const Interval& one) {
  if (one.end <= one.begin) return;
  const auto first = std::lower_bound(all.begin(), all.end(), one.begin,
                                      [](const Interval& a, std::uint64_t begin) { return a.end < begin; });
  Interval joined = one;
  auto last = first;  // behind the last one that is joined
  for (; last != all.end() && last->begin <= one.end; ++last)
    joined = {std::min(joined.begin, last->begin), std::max(joined.end, last->end)};
  if (first == last) {
    all.insert(first, joined);
    return;
  }
  *first = joined;
  all.erase(first + 1, last);
}

Intervals without(const Interval& whole, const Intervals& taken) {
  Intervals left;
  std::uint64_t at = whole.begin;
  for (const auto& one : taken) {
    if (one.end <= at) continue;
    if (one.begin >= whole.end) break;
    if (one.begin > at) left.push_back({at, one.begin});
    at = one.end;
  }
  if (at < whole.end) left.push_back({at, whole.end});
  return left;
}

Intervals slice(const Intervals& intervals, std::uint64_t from, std::uint64_t count) {
  Intervals part;
  for (const auto& one : intervals) {
    if (count == 0) break;
    if (from >= one.length()) {
      from -= one.length();
      continue;
    }
    const auto n = std::min(one.length() - from, count);
    part.push_back({one.begin + from, one.begin + from + n});
    count -= n;
    from = 0;
  }
  return part;
}

}  // namespace oneproxy
