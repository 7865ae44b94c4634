#pragma once
// The digits of many shuffled positions of a run, faster than one by one. Private to kernels/.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/base/digits.h"

namespace oneproxy::detail {

// [count, n_digits] of the positions first .. first + count - 1; `split` is split_digits(radices).
std::vector<std::uint32_t> shuffled_digits(std::span<const std::uint32_t> radices, const IndexRange& run,
                                           const DigitSplit& split, std::uint64_t first, std::int64_t count);

}  // namespace oneproxy::detail
