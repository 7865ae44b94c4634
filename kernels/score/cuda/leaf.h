#pragma once
// Ranges of tables: the digits that one thread runs through.
#include <cstdint>
#include <span>

#include "oneproxy/kernels/base/digits.h"

namespace oneproxy::detail {

// The last digits, which a thread runs through for one prefix.
struct Leaf {
  int first = 0;           // digits first .. n_digits-1; n_digits: no leaf
  std::uint32_t size = 1;  // product of their radices
  std::uint32_t last = 1;  // radix of the last digit
  // A leaf of one long digit is cut: segment s has the values s, s + segments, ..., so that neighbouring threads read
  // neighbouring weights.
  std::uint32_t segments = 1;
};
// Of the right part of an index only, and without digit 0 where that selects the table.
Leaf leaf_digits(std::span<const std::uint32_t> radices, const DigitSplit& split, bool digit_0_selects);

}  // namespace oneproxy::detail
