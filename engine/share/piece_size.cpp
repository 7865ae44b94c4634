#include "oneproxy/engine/share/piece_size.h"

#include <algorithm>

namespace oneproxy {
namespace {
constexpr double kMostGrowth = 4;
constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
}  // namespace

std::uint64_t PieceSize::next(std::uint64_t dealt) const {
  const auto n = static_cast<std::uint64_t>(n_processes_);
  const std::uint64_t share = n > 1 ? (left_ - std::min(dealt, left_)) / (4 * n) : left_;
  return std::clamp(piece_, std::uint64_t{1}, std::max(share, least_));
}

void PieceSize::took(std::uint64_t step, double seconds) {
  const auto sized = [&](double factor) {
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(static_cast<double>(step) * factor), kFirst, kMost);
  };
  piece_ = sized(std::min(kMostGrowth, kSeconds / seconds));
  least_ = sized(std::min(kMostGrowth, kLeastSeconds / seconds));
}

}  // namespace oneproxy
