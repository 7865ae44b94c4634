#pragma once
// bfloat16: the upper half of a float, 8 significant bits, rounded to nearest, ties to even. What the hardware's
// products treat as zero (below 2^-126) is zero here too. For finite numbers.
#include <bit>
#include <cstdint>

namespace oneproxy {

inline std::uint16_t bf16_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  return (rounded & 0x7F800000) == 0 ? 0 : static_cast<std::uint16_t>(rounded >> 16);
}

inline float bf16_value(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace oneproxy
