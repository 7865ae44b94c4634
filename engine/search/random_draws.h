#pragma once
// Draws in sequence from one stream of the seeded generator.
#include <cstdint>

#include "oneproxy/kernels/base/random.h"

namespace oneproxy {

class RandomDraws {
 public:
  explicit RandomDraws(Philox random) : random_(random) {}
  std::uint64_t below(std::uint64_t bound) { return random_.below(next_++, bound); }
  double uniform() { return random_.uniform(next_++); }

 private:
  Philox random_;
  std::uint64_t next_ = 0;
};

}  // namespace oneproxy
