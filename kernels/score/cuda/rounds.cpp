#include "oneproxy/kernels/score/cuda/rounds.h"

#include <algorithm>

namespace oneproxy::detail {

Rounds::Rounds(std::uint64_t capacity, std::uint64_t max_size, std::uint64_t scored)
    : capacity_(capacity), max_size_(max_size), ceiling_(max_size) {
  const std::uint64_t first = std::min<std::uint64_t>(4096, capacity);
  size_ = std::min(max_size, std::max(first, scored > max_size / 4 ? max_size : 4 * scored));
}

bool Rounds::survived(std::uint64_t survivors) {
  if (survivors > capacity_) {
    // At most `capacity` architectures leave at most `capacity` survivors: these always fit.
    ceiling_ = std::max(size_ / 2, std::min(capacity_, max_size_));
    size_ = std::max(std::min(size_ / 8, capacity_), std::uint64_t{1});
    return false;
  }
  ceiling_ = std::min(max_size_, ceiling_ > max_size_ / 2 ? max_size_ : 2 * ceiling_);  // the next ones may be easier
  if (survivors < capacity_ / 8) size_ = std::min(ceiling_, size_ > max_size_ / 4 ? max_size_ : 4 * size_);
  return true;
}

}  // namespace oneproxy::detail
