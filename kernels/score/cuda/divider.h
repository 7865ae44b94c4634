#pragma once
// Quotients by a divisor that the host knows before a launch: the upper half of a product instead of a division, which
// takes a GPU about 20 instructions (Granlund and Montgomery, "Division by invariant integers using multiplication",
// PLDI 1994).
#include <bit>
#include <cstdint>

#include "oneproxy/kernels/base/index.h"

namespace oneproxy::detail {

// For numerators below 2^31.
struct Divider {
  std::uint32_t divisor = 1;
  std::uint32_t factor = std::uint32_t{1} << 31;  // 2^(31 + shift) / divisor, rounded up
  int shift = 0;                                  // 2^shift >= divisor

  Divider() = default;
  explicit Divider(std::uint32_t by)  // 1 .. 2^31
      : divisor(by),
        factor(static_cast<std::uint32_t>(((std::uint64_t{1} << (31 + std::bit_width(by - 1))) + by - 1) / by)),
        shift(std::bit_width(by - 1)) {}

  ONEPROXY_HD std::uint32_t quotient(std::uint32_t n) const {
    return static_cast<std::uint32_t>((std::uint64_t{n + n} * factor) >> 32) >> shift;
  }
};

}  // namespace oneproxy::detail
