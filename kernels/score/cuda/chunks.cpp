#include "oneproxy/kernels/score/cuda/chunks.h"

#include <algorithm>
#include <bit>

#include "oneproxy/kernels/base/index.h"

namespace oneproxy::detail {

std::int64_t wide_rows(int widest, int element_bytes, std::int64_t l2_bytes) {
  // Two layers' activations and some room for weights and tables.
  const std::int64_t rows = l2_bytes * 7 / 8 / (2 * std::int64_t{widest} * element_bytes);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rows) | 1)), 1024,
                                  1 << 18);
}

std::vector<std::uint64_t> piece_borders(std::uint64_t count, int n) {
  std::vector<std::uint64_t> borders;
  for (int i = 0; i <= n; ++i) borders.push_back(static_cast<std::uint64_t>(static_cast<ArchIndex>(count) * i / n));
  return borders;
}

}  // namespace oneproxy::detail
