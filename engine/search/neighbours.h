#pragma once
// Small moves in a part of a space: architectures that differ in one decision. In a composite digit (a stage) that is
// another block, or one block more or less.
#include <cstdint>
#include <vector>

#include "oneproxy/engine/space/subspace.h"

namespace oneproxy {

class Neighbours {
 public:
  explicit Neighbours(const SubSpace& part);
  // Values of the part's digit that differ from `value` in as few decisions as any does (one, unless choices are
  // missing in this part). Empty where the digit has one value.
  const std::vector<std::uint32_t>& of(int digit, std::uint32_t value) const { return lists_[digit][value]; }
  // Digits that have more than one value.
  const std::vector<int>& free_digits() const { return free_; }

 private:
  std::vector<std::vector<std::vector<std::uint32_t>>> lists_;  // [n_digits][radix]
  std::vector<int> free_;
};

}  // namespace oneproxy
