#pragma once
// Numbers in the bytes of files that other programs wrote, least significant byte first.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace oneproxy {

// Element i of values that lie one after another, wherever they begin.
template <class T>
T element(std::string_view raw, std::int64_t i) {
  T value;
  std::memcpy(&value, raw.data() + i * sizeof value, sizeof value);
  return value;
}

// IEEE 754 binary16.
inline double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double magnitude = exponent == 31  ? (fraction ? std::nan("") : HUGE_VAL)
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

// The upper half of a float.
inline double bfloat16_value(std::uint16_t bits) { return double{std::bit_cast<float>(std::uint32_t{bits} << 16)}; }

}  // namespace oneproxy
