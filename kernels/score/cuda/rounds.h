#pragma once
#include <cstdint>

namespace oneproxy::detail {

// How many architectures go between two sights of the filter: few while it knows nothing, then more and more; fewer
// again where the survivors did not fit. Nothing is lost: a round that did not fit is repeated.
class Rounds {
 public:
  // The filter knows `scored` architectures already.
  Rounds(std::uint64_t capacity, std::uint64_t max_size, std::uint64_t scored);
  std::uint64_t size() const { return size_; }
  // Of the round that ran; true where all of them fitted.
  bool survived(std::uint64_t survivors);

 private:
  std::uint64_t capacity_, max_size_, size_, ceiling_;
};

}  // namespace oneproxy::detail
