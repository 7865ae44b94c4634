#pragma once
// Index of an architecture <-> its choices: mixed radix, decision 0 most significant.
//   index = ((c0 * r1 + c1) * r2 + c2) ...   for choices c [D] and radices r [D]
// 128 bit, because FBNet alone has 9^22 = 9.8e20 architectures. Plain C++, callable on host and device.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#if defined(__CUDACC__)
#define ONEPROXY_HD __host__ __device__
#else
#define ONEPROXY_HD
#endif

namespace oneproxy {

using ArchIndex = unsigned __int128;

// choices [n_decisions] of `index`; index < product of radices.
ONEPROXY_HD inline void decode_index(ArchIndex index, const std::uint8_t* radices, int n_decisions,
                                     std::uint8_t* choices) {
  for (int d = n_decisions - 1; d >= 0; --d) {
    choices[d] = static_cast<std::uint8_t>(index % radices[d]);
    index /= radices[d];
  }
}

ONEPROXY_HD inline ArchIndex encode_index(const std::uint8_t* choices, const std::uint8_t* radices, int n_decisions) {
  ArchIndex index = 0;
  for (int d = 0; d < n_decisions; ++d) index = index * radices[d] + choices[d];
  return index;
}

// Product of the radices. Throws Error where it passes 128 bits or a radix is 0.
ArchIndex space_size(std::span<const std::uint8_t> radices);

// Decimal, the form in which indices are written to files.
std::string to_decimal(ArchIndex index);
ArchIndex from_decimal(std::string_view text);  // throws Error on anything but a decimal number below 2^128

}  // namespace oneproxy
