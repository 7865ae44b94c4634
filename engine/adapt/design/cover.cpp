#include "oneproxy/engine/adapt/design/cover.h"

#include <functional>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

Cover greedy_cover(const std::vector<char>& serves, int n) {
  ONEPROXY_ASSERT(static_cast<int>(serves.size()) == n * n);
  Cover cover;
  std::vector<char> served(n, 0);
  for (int left = n; left > 0;) {
    int best = -1, best_gain = 0;
    for (int p = 0; p < n; ++p) {
      int gain = 0;
      for (int t = 0; t < n; ++t) gain += !served[t] && (serves[p * n + t] || p == t);
      if (gain > best_gain) best_gain = gain, best = p;
    }
    cover.proxies.push_back(best);
    for (int t = 0; t < n; ++t)
      if (serves[best * n + t] || t == best) {
        left -= !served[t];
        served[t] = 1;
      }
  }
  cover.exact = cover.proxies.size() <= 1;
  return cover;
}

Cover smallest_cover(const std::vector<char>& serves, int n, std::int64_t max_sets) {
  Cover best = greedy_cover(serves, n);
  if (n > 64) return best;
  std::vector<std::uint64_t> mask(n, 0);
  for (int p = 0; p < n; ++p)
    for (int t = 0; t < n; ++t)
      if (serves[p * n + t] || p == t) mask[p] |= std::uint64_t{1} << t;
  const std::uint64_t all = n == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
  std::int64_t tried = 0;
  std::vector<int> chosen;
  const std::function<bool(int, int, std::uint64_t)> search = [&](int first, int left, std::uint64_t served) {
    if (left == 0) return ++tried, served == all;
    for (int p = first; p + left <= n && tried <= max_sets; ++p) {
      chosen.push_back(p);
      if (search(p + 1, left - 1, served | mask[p])) return true;
      chosen.pop_back();
    }
    return false;
  };
  for (int k = 1; k < static_cast<int>(best.proxies.size()); ++k) {
    chosen.clear();
    if (search(0, k, 0)) return {chosen, true};
    if (tried > max_sets) return best;
  }
  best.exact = true;
  return best;
}

}  // namespace oneproxy
