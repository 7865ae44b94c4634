#pragma once
// The last digits of an index, whose sums are tabulated. Private to kernels/.
#include <cstdint>
#include <span>

namespace oneproxy::detail {

// As many digits at the end of an index as their product is at most `max_count`.
struct InnerDigits {
  int first = 0;            // digits first .. n_digits-1 are inner; n_digits where even the last is too large
  std::uint64_t count = 1;  // product of their radices
};
InnerDigits inner_digits(std::span<const std::uint32_t> radices, std::uint64_t max_count);

}  // namespace oneproxy::detail
