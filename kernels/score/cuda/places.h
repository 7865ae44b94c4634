#pragma once
// From a position in a run to the digits there, as kernels do it: 64-bit arithmetic however large the space is.
//
// An index is two parts, left * split.right + right (DigitSplit), each below 2^64. Digits are grouped so that no group
// crosses the border of the parts; the value of a group is the mixed radix of its digits.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/base/digits.h"

namespace oneproxy::detail {

struct PlaceGroup {
  std::uint64_t stride = 1;  // product of the radices behind it in its part
  std::uint32_t radix = 1;   // product of its digits' radices
  std::uint32_t offset = 0;  // its first row in the table of all groups' values
  std::uint32_t first_digit = 0, n_digits = 0;
  bool left = false;
};

// A chunk of a run, or a list of digits on the device.
struct Places {
  DigitSplit split;
  std::uint64_t left = 0, right = 0;  // parts of the first place, in order
  ArchIndex begin = 0;                // the first place, shuffled
  std::uint64_t seed = 0;
  bool shuffled = false;
  const std::uint32_t* list = nullptr;     // [n, n_digits], instead of all the above
  const std::uint32_t* radices = nullptr;  // [n_digits], for a list
  int n_digits = 0;
};

struct IndexParts {
  std::uint64_t left, right;
};

// The parts of the place `offset` after the first one; it lies in the space.
ONEPROXY_HD inline IndexParts parts_at(const Places& places, std::uint64_t offset) {
  IndexParts parts{places.left, places.right};
  if (places.shuffled) {
    shuffled_parts(places.begin + offset, places.split, places.seed, parts.left, parts.right);
    return parts;
  }
  const std::uint64_t size = places.split.right;
  const std::uint64_t carry = offset < size ? 0 : offset / size;
  const std::uint64_t rest = offset - carry * size, room = size - places.right;
  const bool wraps = rest >= room;  // right + rest may pass 64 bits
  parts.right = wraps ? rest - room : places.right + rest;
  parts.left += carry + (wraps ? 1 : 0);
  return parts;
}

ONEPROXY_HD inline std::uint64_t divide(std::uint64_t a, std::uint64_t b) {
  if (((a | b) >> 32) == 0) return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);  // far cheaper
  return a / b;
}

// use(g, value) for groups 0 .. n_groups-1, in order, of the architecture `offset` after the first.
template <class Use>
ONEPROXY_HD inline void each_group(const Places& places, const PlaceGroup* groups, int n_groups, std::uint64_t offset,
                                   Use use) {
  if (places.list != nullptr) {
    const std::uint32_t* digits = places.list + offset * places.n_digits;
    for (int g = 0; g < n_groups; ++g) {
      std::uint32_t value = 0;
      for (std::uint32_t d = groups[g].first_digit; d < groups[g].first_digit + groups[g].n_digits; ++d)
        value = value * places.radices[d] + digits[d];
      use(g, value);
    }
    return;
  }
  IndexParts rest = parts_at(places, offset);
  for (int g = 0; g < n_groups; ++g) {
    const bool left = groups[g].left;
    const std::uint64_t part = left ? rest.left : rest.right, stride = groups[g].stride;
    const std::uint64_t value = divide(part, stride);
    if (left)
      rest.left = part - value * stride;
    else
      rest.right = part - value * stride;
    use(g, static_cast<std::uint32_t>(value));
  }
}

// From the last digit upwards, as many digits a group as its product stays at most `max_radix`; `max_last` for the last
// group. A digit with a larger radix is a group of its own; with a limit of 1 each digit is, also those of radix 1.
std::vector<PlaceGroup> group_digits(std::span<const std::uint32_t> radices, const DigitSplit& split,
                                     std::uint64_t max_radix, std::uint64_t max_last);

// The place `position` of a run, rounded down to a multiple of `step` (1 where it is shuffled).
struct Start {
  Places places;
  std::uint32_t skip = 0;  // places before the position
};
Start start_at(const IndexRange& run, std::uint64_t position, const DigitSplit& split, std::uint64_t step);

}  // namespace oneproxy::detail
