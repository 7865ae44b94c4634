#include "oneproxy/kernels/base/index.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr ArchIndex max_index = ~ArchIndex{0};

}  // namespace

ArchIndex space_size(std::span<const std::uint8_t> radices) {
  // A zero anywhere is the mistake to report, even behind an overflow.
  const auto zero = std::find(radices.begin(), radices.end(), 0);
  if (zero != radices.end())
    throw Error("decision " + std::to_string(zero - radices.begin()) + " has radix 0; every decision needs a choice");
  ArchIndex size = 1;
  for (std::size_t d = 0; d < radices.size(); ++d) {
    if (size > max_index / radices[d])
      throw Error("the space passes 2^128 architectures at decision " + std::to_string(d) + " of " +
                  std::to_string(radices.size()) + "; fix some decisions to make it smaller");
    size *= radices[d];
  }
  return size;
}

std::string to_decimal(ArchIndex index) {
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(index % 10)));
    index /= 10;
  } while (index != 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

ArchIndex from_decimal(std::string_view text) {
  const auto fail = [text](const char* why) -> Error {
    return Error("'" + std::string(text) + "' is no architecture index: " + why);
  };
  if (text.empty()) throw fail("write a decimal number, digits only");
  ArchIndex index = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') throw fail("write a decimal number, digits only");
    const ArchIndex digit = static_cast<ArchIndex>(c - '0');
    if (index > (max_index - digit) / 10) throw fail("it is 2^128 or more");
    index = index * 10 + digit;
  }
  return index;
}

}  // namespace oneproxy
