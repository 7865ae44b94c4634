#pragma once
// The fewest proxies that serve a fleet: a set cover.
#include <cstdint>
#include <vector>

namespace oneproxy {

// serves [n, n] row-major: proxy (row) serves target (column); every device serves itself.
struct Cover {
  std::vector<int> proxies;  // in order of choice
  bool exact = false;        // proven to be the fewest
};

// Greedy, the one that serves most of what is left first (ties: the lowest index).
Cover greedy_cover(const std::vector<char>& serves, int n);
// The fewest, by trying all sets below the greedy one's size; `max_sets` bounds the work, beyond it greedy's is
// returned and `exact` is false. Of several, the first in lexicographic order. n <= 64.
Cover smallest_cover(const std::vector<char>& serves, int n, std::int64_t max_sets);

}  // namespace oneproxy
