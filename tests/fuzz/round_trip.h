#pragma once
// What holds for every architecture: its string names it.
#include <string>
#include <vector>

#include "oneproxy/engine/space/space.h"
#include "tests/fuzz/fuzz.h"

namespace oneproxy::fuzz {

// choices [n_decisions] of a network of the space.
inline void round_trip(const SearchSpace& space, const std::vector<std::uint8_t>& choices) {
  const auto text = space.to_string(choices);
  std::vector<std::uint8_t> again;
  require(accepted([&] { again = space.parse(text); }), "the string of an architecture is read: " + text);
  require(again == choices, "the string of an architecture names it: " + text);
}

}  // namespace oneproxy::fuzz
