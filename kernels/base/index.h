#pragma once
// The number of an architecture in its space: mixed radix, digit 0 most significant (kernels/base/digits.h).
// 128 bit, because FBNet alone has 9^22 = 9.8e20 architectures.
#include <cstdint>
#include <string>
#include <string_view>

#if defined(__CUDACC__)
#define ONEPROXY_HD __host__ __device__
#else
#define ONEPROXY_HD
#endif

namespace oneproxy {

using ArchIndex = unsigned __int128;

// Decimal, the form in which indices are written to files.
std::string to_decimal(ArchIndex index);
ArchIndex from_decimal(std::string_view text);  // throws Error on anything but a decimal number below 2^128

}  // namespace oneproxy
