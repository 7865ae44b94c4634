#pragma once
// Draws in sequence from one stream of the seeded generator.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "oneproxy/kernels/base/random.h"

namespace oneproxy {

class RandomDraws {
 public:
  explicit RandomDraws(Philox random) : random_(random) {}
  std::uint64_t below(std::uint64_t bound) { return random_.below(next_++, bound); }
  double uniform() { return random_.uniform(next_++); }
  // Standard normal (Box and Muller, 1958), of two uniform draws.
  double normal() {
    const double u = std::max(uniform(), 1e-300), angle = 2 * M_PI * uniform();
    return std::sqrt(-2 * std::log(u)) * std::cos(angle);
  }
  // Of unit mean.
  double exponential() { return -std::log(std::max(uniform(), 1e-300)); }

 private:
  Philox random_;
  std::uint64_t next_ = 0;
};

}  // namespace oneproxy
