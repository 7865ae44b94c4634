#include "oneproxy/kernels/score/cuda/places.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy::detail {

std::vector<PlaceGroup> group_digits(std::span<const std::uint32_t> radices, const DigitSplit& split,
                                     std::uint64_t max_radix, std::uint64_t max_last) {
  std::vector<PlaceGroup> groups;
  std::uint64_t stride = 1;
  for (int d = static_cast<int>(radices.size()) - 1; d >= 0; --d) {
    if (d == split.left_digits - 1) stride = 1;
    const std::uint64_t limit = groups.size() <= 1 ? max_last : max_radix;
    const bool left = d < split.left_digits;
    if (groups.empty() || limit == 1 || groups.back().left != left ||
        std::uint64_t{groups.back().radix} * radices[d] > limit) {
      groups.push_back({});
      groups.back().stride = stride;
      groups.back().left = left;
    }
    auto& group = groups.back();
    group.radix *= radices[d];
    group.first_digit = static_cast<std::uint32_t>(d);
    ++group.n_digits;
    stride *= radices[d];
  }
  std::reverse(groups.begin(), groups.end());
  std::uint64_t offset = 0;
  for (auto& group : groups) {
    group.offset = static_cast<std::uint32_t>(offset);
    offset += group.radix;
    if (offset >> 31) throw Error("score: the digits have more than 2^31 values; split them into smaller digits");
  }
  return groups;
}

Start start_at(const IndexRange& run, std::uint64_t position, const DigitSplit& split, std::uint64_t step) {
  Start start;
  auto& places = start.places;
  places.split = split;
  places.shuffled = run.shuffled;
  places.seed = run.seed;
  places.begin = run.begin + position;
  if (run.shuffled) return start;
  start.skip = static_cast<std::uint32_t>(places.begin % step);
  places.begin -= start.skip;
  places.left = static_cast<std::uint64_t>(places.begin / split.right);
  places.right = static_cast<std::uint64_t>(places.begin % split.right);
  return start;
}

}  // namespace oneproxy::detail
