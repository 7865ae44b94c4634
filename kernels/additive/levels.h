#pragma once
// Staircases of two objectives: stored levels of kernels/additive/front.h, and the merge of shifted copies of one.
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "oneproxy/kernels/additive/chains.h"

namespace oneproxy::detail {

struct StairPoint {
  std::int64_t latency, quality;
};

// Bytes of all levels; false where the budget would be passed.
struct MemoryMeter {
  std::int64_t budget = 0, used = 0, peak = 0;
  bool take(std::int64_t bytes) {
    if (used + bytes > budget) return false;
    used += bytes;
    peak = peak < used ? used : peak;
    return true;
  }
};

struct AlignedDelete {
  void operator()(void* memory) const { ::operator delete(memory, std::align_val_t(256)); }
};

// A sorted staircase in blocks of 2^16 points. The points go when the next level stands; links and samples stay.
class Level {
 public:
  static constexpr int kBlockBits = 16, kSampleBits = 4;
  static constexpr std::int64_t kBlock = std::int64_t{1} << kBlockBits, kSample = std::int64_t{1} << kSampleBits;
  struct Block {
    std::int64_t count = 0, capacity = 0;
    std::unique_ptr<StairPoint[], AlignedDelete> points;  // aligned, so that an address tells the sample's remainder
    std::vector<std::uint8_t> links;                      // [capacity, link_bytes]
    std::vector<std::int64_t> samples;                    // latency of every kSample-th point
  };

  Level() = default;
  // The front of no digits: one point, nothing added.
  static Level empty_sum(MemoryMeter& meter);

  std::int64_t size() const { return size_; }
  const StairPoint& at(std::int64_t i) const { return blocks_[i >> kBlockBits].points[i & (kBlock - 1)]; }
  const Block& block(std::int64_t b) const { return blocks_[b]; }
  // First position whose latency is not below the given one. All points must still be there.
  std::int64_t lower_bound(std::int64_t latency) const;
  // Where the point of this latency, whose position's remainder is known, stands.
  std::int64_t position(std::int64_t latency, std::uint32_t remainder) const;
  // Rank of the value << kSampleBits | remainder of the position in the level before.
  std::uint32_t link(std::int64_t i) const;
  void release_points(std::int64_t before, MemoryMeter& meter);

 private:
  friend class LevelWriter;
  int link_bytes_ = 1;
  std::int64_t size_ = 0, released_blocks_ = 0;
  std::vector<Block> blocks_;
};

// A copy of a level, shifted.
struct Source {
  Level* level;
  StairPoint shift;
};

// Cells of equal height: of the points whose running maximum of quality enters no new cell none is kept. 0: exact.
struct QualityGrid {
  std::int64_t height = 0;
  std::int64_t lowest = 0;  // no quality is below
};

// The staircase of all sources; of equal points that of the first source counts. release: the sources' points are no
// longer needed and go as they are consumed. False where the meter refuses or more than `max_points` would be kept;
// the level is then of no use, and neither are sources that were to be released.
bool merge_level(std::span<const Source> sources, QualityGrid grid, std::int64_t max_points, bool release,
                 MemoryMeter& meter, Level& level);

// The bytes that a stored point takes after its level has been consumed, in 1/16 byte.
int stored_sixteenths(std::int64_t n_sources);

}  // namespace oneproxy::detail
