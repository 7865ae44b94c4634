#include "oneproxy/kernels/score/cuda/chunks.h"

#include <algorithm>

#include "oneproxy/kernels/base/index.h"

namespace oneproxy::detail {

std::int64_t wide_rows(int widest, int element_bytes, std::int64_t beside, std::int64_t l2_bytes) {
  const std::int64_t room = l2_bytes * 7 / 8 - beside, row = 2 * std::int64_t{widest} * element_bytes;
  return std::clamp<std::int64_t>(room / row / 1024 * 1024, 1024, 1 << 18);
}

std::vector<std::uint64_t> piece_borders(std::uint64_t count, int n) {
  std::vector<std::uint64_t> borders;
  for (int i = 0; i <= n; ++i) borders.push_back(static_cast<std::uint64_t>(static_cast<ArchIndex>(count) * i / n));
  return borders;
}

}  // namespace oneproxy::detail
