#pragma once
// Three objectives: the levels of kernels/additive/front.h as sorted lists of non-dominated points.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/additive/chains.h"
#include "oneproxy/kernels/additive/levels.h"

namespace oneproxy::detail {

struct SpaceLevel {
  std::vector<AdditivePoint> points;  // by (latency ascending, quality descending, third ascending)
  std::vector<std::uint32_t> ranks;   // of the value
  std::vector<std::uint32_t> parents;
  std::int64_t size() const { return static_cast<std::int64_t>(ranks.size()); }
};

struct SpaceSource {
  const SpaceLevel* level;
  AdditivePoint shift;
};

// The front of all sources; of equal points that of the first source counts. False where the meter refuses.
bool merge_level(std::span<const SpaceSource> sources, MemoryMeter& meter, SpaceLevel& level);

}  // namespace oneproxy::detail
