#include "oneproxy/kernels/base/random.h"

#include <numeric>
#include <utility>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::vector<std::int64_t> random_permutation(std::int64_t n, const Philox& random) {
  ONEPROXY_ASSERT(n >= 0);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = 0; i + 1 < n; ++i) {
    const auto step = random.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(n - i));
    std::swap(order[i], order[i + static_cast<std::int64_t>(step)]);
  }
  return order;
}

}  // namespace oneproxy
