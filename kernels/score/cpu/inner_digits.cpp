#include "oneproxy/kernels/score/cpu/inner_digits.h"

namespace oneproxy::detail {

InnerDigits inner_digits(std::span<const std::uint32_t> radices, std::uint64_t max_count) {
  InnerDigits inner{static_cast<int>(radices.size()), 1};
  while (inner.first > 0 && inner.count * radices[inner.first - 1] <= max_count) inner.count *= radices[--inner.first];
  return inner;
}

}  // namespace oneproxy::detail
