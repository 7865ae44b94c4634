#include "oneproxy/kernels/score/cuda/leaf.h"

#include <algorithm>

namespace oneproxy::detail {

Leaf leaf_digits(std::span<const std::uint32_t> radices, const DigitSplit& split, bool digit_0_selects) {
  constexpr std::uint32_t kMaxSize = 256, kMaxSegment = 64;
  const int n = static_cast<int>(radices.size()), first_allowed = std::max(split.left_digits, digit_0_selects ? 1 : 0);
  Leaf leaf{n, 1, 1, 1};
  while (leaf.first > first_allowed && std::uint64_t{leaf.size} * radices[leaf.first - 1] <= kMaxSize)
    leaf.size *= radices[--leaf.first];
  if (leaf.first == n && n > first_allowed) leaf.size = radices[--leaf.first];  // one long digit
  if (leaf.first < n) leaf.last = radices[n - 1];
  if (leaf.first == n - 1 && leaf.last > kMaxSize) leaf.segments = (leaf.last + kMaxSegment - 1) / kMaxSegment;
  return leaf;
}

}  // namespace oneproxy::detail
