#include "oneproxy/kernels/base/index.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr ArchIndex max_index = ~ArchIndex{0};

}  // namespace

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
