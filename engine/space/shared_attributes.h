#pragma once
// What choices of a decision have in common: an expansion, a kernel, how often it repeats. Where a decision chooses
// among the product of a few attributes, its choices are many and its attributes few, and a few measurements say more
// about the attributes.
#include <string>
#include <vector>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// One value of one attribute, as a column of a code.
struct SharedAttribute {
  int decision = 0;
  std::string name;       // "block 2 expansion 4"
  std::vector<char> has;  // [choices] of the decision: 1 where the choice has this value
};

// Of all decisions whose choices differ in two attributes or more and are at least twice as many as the values of
// these; else the one-hot code of the choices says the same with as few columns. Attributes of one value are left out.
std::vector<SharedAttribute> shared_attributes(const SearchSpace& space);

}  // namespace oneproxy
