#include "oneproxy/kernels/additive/levels.h"

#include <algorithm>
#include <cstring>

#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy::detail {
namespace {

constexpr std::int64_t kNever = -(std::int64_t{1} << 62);    // below every quality
constexpr std::int64_t kDone = INT64_MAX - 1;                // above every latency; one more must not overflow
constexpr std::int64_t kTile = std::int64_t{1} << 16;        // candidates of a tile
constexpr int kBatch = 8;                                    // tiles at a time, whatever the number of threads
constexpr std::int64_t kInParallel = std::int64_t{1} << 15;  // fewer candidates are done before a thread wakes up

int link_bytes(std::int64_t n_sources) {
  const std::int64_t largest = (n_sources << Level::kSampleBits) - 1;
  return largest < 256 ? 1 : largest < 65536 ? 2 : 4;
}

// The unread part of a source within a tile.
struct Cursor {
  const StairPoint* at = nullptr;
  const StairPoint* stop = nullptr;  // end of the part in this block
  std::int64_t next = 0, end = 0;    // positions: of `stop`, and where the tile ends
  const Level* level = nullptr;
  StairPoint shift{};

  bool next_block() {
    if (next >= end) return false;
    const std::int64_t b = next >> Level::kBlockBits, first = b << Level::kBlockBits;
    const std::int64_t last = std::min(end, first + Level::kBlock);
    at = level->block(b).points.get() + (next - first);
    stop = at + (last - next);
    next = last;
    return true;
  }

  // To the first point of a quality (not shifted) above `limit`; at->quality <= limit. False where there is none.
  bool skip(std::int64_t limit) {
    while (true) {
      const StairPoint* low = at;
      std::ptrdiff_t step = 1;
      while (step < stop - low && low[step].quality <= limit) {
        low += step;
        step *= 2;
      }
      const StairPoint* high = step < stop - low ? low + step : stop;
      while (high - low > 1) {
        const StairPoint* middle = low + (high - low) / 2;
        (middle->quality <= limit ? low : high) = middle;
      }
      at = high;
      if (at != stop) return true;
      if (!next_block()) return false;
      if (at->quality > limit) return true;
    }
  }
};

// The result of one tile, in memory that is used again.
struct Tile {
  std::unique_ptr<StairPoint[]> points;
  std::unique_ptr<std::uint32_t[]> links;
  std::int64_t capacity = 0, count = 0;
  std::vector<Cursor> cursors;
  std::vector<std::int64_t> keys;
  std::vector<std::uint32_t> winners;

  void reserve(std::int64_t n) {
    if (n <= capacity) return;
    points.reset(new StairPoint[n]);
    links.reset(new std::uint32_t[n]);
    capacity = n;
  }
};

// begin, end [n_sources] positions; `highest`: the best quality of all candidates of lower latency.
// kDepth: of the tournament, 2^kDepth >= n_sources; 0: any depth.
template <bool kGrid, int kDepth>
void merge_tile(std::span<const Source> sources, const std::int64_t* begin, const std::int64_t* end,
                std::int64_t highest, QualityGrid grid, int any_depth, Tile& tile) {
  const int depth = kDepth > 0 ? kDepth : any_depth;
  const std::uint32_t leaves = std::uint32_t{1} << depth;
  std::int64_t fixed_keys[kDepth > 0 ? 2 << kDepth : 1];
  std::uint32_t fixed_winners[kDepth > 0 ? 2 << kDepth : 1];
  std::int64_t* keys = fixed_keys;
  std::uint32_t* winners = fixed_winners;
  if (kDepth == 0) {
    tile.keys.resize(2 * leaves);
    tile.winners.resize(2 * leaves);
    keys = tile.keys.data();
    winners = tile.winners.data();
  }
  tile.cursors.resize(sources.size());
  for (std::uint32_t s = 0; s < leaves; ++s) {
    winners[leaves + s] = s;
    keys[leaves + s] = kDone;
    if (s >= sources.size()) continue;
    Cursor& cursor = tile.cursors[s];
    cursor = Cursor{nullptr, nullptr, begin[s], end[s], sources[s].level, sources[s].shift};
    if (!cursor.next_block()) continue;
    const std::int64_t limit = highest - cursor.shift.quality;
    if (cursor.at->quality > limit || cursor.skip(limit)) keys[leaves + s] = cursor.at->latency + cursor.shift.latency;
  }
  for (std::uint32_t i = leaves - 1; i >= 1; --i) {  // equal keys: the left one, of the lower source
    const bool right = keys[2 * i + 1] < keys[2 * i];
    keys[i] = keys[2 * i + right];
    winners[i] = winners[2 * i + right];
  }

  auto next_cell = [&](std::int64_t quality) {
    return grid.lowest + ((quality - grid.lowest) / grid.height + 1) * grid.height;
  };
  std::int64_t enters = kNever;  // the quality at which a new cell begins
  if (kGrid && highest != kNever) enters = next_cell(highest);
  StairPoint* points = tile.points.get();
  std::uint32_t* links = tile.links.get();
  std::int64_t n = 0, last = kNever;  // latency of the last point
  std::int64_t key = keys[1];
  std::uint32_t source = winners[1];
  while (key != kDone) {
    Cursor& cursor = tile.cursors[source];
    const StairPoint* at = cursor.at;
    const std::int64_t quality = at->quality + cursor.shift.quality;
    bool there = true;
    if (quality > highest) {
      // A point of the same latency but lower quality, of an earlier source, gives way.
      if (!kGrid || quality >= enters || key == last) {
        const std::int64_t place = n - (key == last);
        points[place] = {key, quality};
        links[place] =
            source << Level::kSampleBits | (reinterpret_cast<std::uintptr_t>(at) / sizeof(StairPoint) % Level::kSample);
        n = place + 1;
        last = key;
        if (kGrid && quality >= enters) enters = next_cell(quality);
      }
      highest = quality;
      if (++cursor.at == cursor.stop) there = cursor.next_block();
    } else {
      there = cursor.skip(highest - cursor.shift.quality);
    }
    key = there ? cursor.at->latency + cursor.shift.latency : kDone;
    std::uint32_t i = leaves + source;
    keys[i] = key;
    for (int level = 0; level < depth; ++level) {
      const std::int64_t other = keys[i ^ 1];
      const std::uint32_t other_source = winners[i ^ 1];
      const bool lost = other < key + static_cast<std::int64_t>(i & 1);
      key = lost ? other : key;
      source = lost ? other_source : source;
      i >>= 1;
      keys[i] = key;
      winners[i] = source;
    }
  }
  tile.count = n;
}

template <bool kGrid>
void merge_tile(std::span<const Source> sources, const std::int64_t* begin, const std::int64_t* end,
                std::int64_t highest, QualityGrid grid, Tile& tile) {
  int depth = 1;
  while ((std::size_t{1} << depth) < sources.size()) ++depth;
  auto merge = depth == 1   ? merge_tile<kGrid, 1>
               : depth == 2 ? merge_tile<kGrid, 2>
               : depth == 3 ? merge_tile<kGrid, 3>
               : depth == 4 ? merge_tile<kGrid, 4>
                            : merge_tile<kGrid, 0>;
  merge(sources, begin, end, highest, grid, depth, tile);
}

// Positions in each source at which the tiles begin, [n_tiles + 1, n_sources].
std::vector<std::int64_t> cut_tiles(std::span<const Source> sources) {
  const auto n_sources = static_cast<std::int64_t>(sources.size());
  const std::int64_t spacing = std::max<std::int64_t>(16, kTile / std::max<std::int64_t>(16, n_sources));
  std::vector<std::int64_t> samples, cuts(sources.size(), 0);
  for (const Source& source : sources)
    for (std::int64_t i = spacing; i < source.level->size(); i += spacing)
      samples.push_back(source.level->at(i).latency + source.shift.latency);
  std::sort(samples.begin(), samples.end());
  const auto step = static_cast<std::size_t>(kTile / spacing);
  for (std::size_t i = step; i < samples.size(); i += step) {
    if (samples[i] == samples[i - step]) continue;
    for (const Source& source : sources) cuts.push_back(source.level->lower_bound(samples[i] - source.shift.latency));
  }
  for (const Source& source : sources) cuts.push_back(source.level->size());
  return cuts;
}

}  // namespace

Level Level::empty_sum(MemoryMeter& meter) {
  Level level;
  level.blocks_.resize(1);
  Block& block = level.blocks_[0];
  block.points.reset(static_cast<StairPoint*>(::operator new(sizeof(StairPoint), std::align_val_t(256))));
  block.points[0] = {0, 0};
  block.count = block.capacity = level.size_ = 1;
  block.samples = {0};
  block.links = {0};
  meter.used += static_cast<std::int64_t>(sizeof(StairPoint));  // whatever the budget
  return level;
}

std::int64_t Level::lower_bound(std::int64_t latency) const {
  const auto block = std::partition_point(blocks_.begin(), blocks_.end(),
                                          [&](const Block& b) { return b.points[b.count - 1].latency < latency; });
  if (block == blocks_.end()) return size_;
  const StairPoint* first = block->points.get();
  const StairPoint* found =
      std::partition_point(first, first + block->count, [&](const StairPoint& p) { return p.latency < latency; });
  return (block - blocks_.begin()) * kBlock + (found - first);
}

std::int64_t Level::position(std::int64_t latency, std::uint32_t remainder) const {
  auto block = blocks_.begin();
  if (blocks_.size() > 1)
    block = std::partition_point(blocks_.begin() + 1, blocks_.end(),
                                 [&](const Block& b) { return b.samples[0] <= latency; }) -
            1;
  const std::int64_t* base = block->samples.data();
  auto n = static_cast<std::size_t>((block->count + kSample - 1) / kSample);
  while (n > 1) {  // the last sample that is not above
    const std::size_t half = n / 2;
    base += base[half] <= latency ? half : 0;
    n -= half;
  }
  return (block - blocks_.begin()) * kBlock + (base - block->samples.data()) * kSample + remainder;
}

std::uint32_t Level::link(std::int64_t i) const {
  const std::uint8_t* place = blocks_[i >> kBlockBits].links.data() + (i & (kBlock - 1)) * link_bytes_;
  if (link_bytes_ == 1) return *place;
  std::uint16_t two;
  std::uint32_t four;
  if (link_bytes_ == 2) {
    std::memcpy(&two, place, sizeof(two));
    return two;
  }
  std::memcpy(&four, place, sizeof(four));
  return four;
}

void Level::release_points(std::int64_t before, MemoryMeter& meter) {
  for (; released_blocks_ < static_cast<std::int64_t>(blocks_.size()); ++released_blocks_) {
    Block& block = blocks_[released_blocks_];
    if (released_blocks_ * kBlock + block.count > before) break;
    block.points.reset();
    meter.used -= block.capacity * static_cast<std::int64_t>(sizeof(StairPoint));
  }
}

class LevelWriter {
 public:
  LevelWriter(Level& level, int link_bytes, MemoryMeter& meter) : level_(level), meter_(meter) {
    level_.link_bytes_ = link_bytes;
  }

  // Appends tiles in order; after the last ones nothing follows. False where the meter refuses.
  bool append(std::span<Tile> tiles, bool last) {
    std::int64_t total = 0, starts[kBatch];
    for (std::size_t t = 0; t < tiles.size(); ++t) {
      starts[t] = level_.size_ + total;
      total += tiles[t].count;
    }
    if (!make_room(total, last)) return false;
    level_.size_ += total;
    if (total < kInParallel) {
      for (std::size_t t = 0; t < tiles.size(); ++t) copy(tiles[t], starts[t]);
    } else {
      parallel_for(static_cast<std::int64_t>(tiles.size()), [&](std::int64_t t) { copy(tiles[t], starts[t]); });
    }
    return true;
  }

 private:
  bool make_room(std::int64_t total, bool last) {
    for (std::int64_t left = total; left > 0;) {
      auto& blocks = level_.blocks_;
      if (blocks.empty() || blocks.back().count == blocks.back().capacity) {
        const std::int64_t capacity = last ? std::min(left, Level::kBlock) : Level::kBlock;
        const std::int64_t samples = (capacity + Level::kSample - 1) / Level::kSample;
        const auto point = static_cast<std::int64_t>(sizeof(StairPoint));
        if (!meter_.take(capacity * (point + level_.link_bytes_) + samples * 8)) return false;
        Level::Block block;
        block.capacity = capacity;
        block.points.reset(static_cast<StairPoint*>(::operator new(capacity* point, std::align_val_t(256))));
        block.links.resize(capacity * level_.link_bytes_);
        block.samples.resize(samples);
        blocks.push_back(std::move(block));
      }
      const std::int64_t now = std::min(left, blocks.back().capacity - blocks.back().count);
      blocks.back().count += now;
      left -= now;
    }
    return true;
  }

  void copy(const Tile& tile, std::int64_t start) const {
    for (std::int64_t i = 0; i < tile.count;) {
      const std::int64_t at = start + i, place = at & (Level::kBlock - 1);
      Level::Block& block = level_.blocks_[at >> Level::kBlockBits];
      const std::int64_t n = std::min(tile.count - i, block.capacity - place);
      std::memcpy(block.points.get() + place, tile.points.get() + i, n * sizeof(StairPoint));
      copy_links(tile.links.get() + i, n, block.links.data() + place * level_.link_bytes_);
      for (std::int64_t s = (place + Level::kSample - 1) / Level::kSample; s * Level::kSample < place + n; ++s)
        block.samples[s] = tile.points[i + s * Level::kSample - place].latency;
      i += n;
    }
  }

  void copy_links(const std::uint32_t* links, std::int64_t n, std::uint8_t* to) const {
    if (level_.link_bytes_ == 1) {
      for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<std::uint8_t>(links[i]);
    } else if (level_.link_bytes_ == 2) {
      for (std::int64_t i = 0; i < n; ++i) {
        const auto two = static_cast<std::uint16_t>(links[i]);
        std::memcpy(to + 2 * i, &two, sizeof(two));
      }
    } else {
      std::memcpy(to, links, n * sizeof(std::uint32_t));
    }
  }

  Level& level_;
  MemoryMeter& meter_;
};

int stored_sixteenths(std::int64_t n_sources) { return 16 * link_bytes(n_sources) + 8; }

bool merge_level(std::span<const Source> sources, QualityGrid grid, std::int64_t max_points, bool release,
                 MemoryMeter& meter, Level& level) {
  static thread_local std::vector<Tile> tiles(kBatch);  // cleared pages cost more than the merge of a small level
  const std::size_t n_sources = sources.size();
  const std::vector<std::int64_t> cuts = cut_tiles(sources);
  const auto n_tiles = static_cast<std::int64_t>(cuts.size() / n_sources) - 1;
  LevelWriter writer(level, link_bytes(static_cast<std::int64_t>(n_sources)), meter);
  for (std::int64_t first = 0; first < n_tiles; first += kBatch) {
    const std::int64_t count = std::min<std::int64_t>(kBatch, n_tiles - first);
    Tile* batch = tiles.data();  // not the helpers' own ones
    auto merge = [&](std::int64_t t) {
      const std::int64_t* begin = cuts.data() + (first + t) * n_sources;
      const std::int64_t* end = begin + n_sources;
      std::int64_t highest = kNever, candidates = 0;
      for (std::size_t s = 0; s < n_sources; ++s) {
        if (begin[s] > 0)
          highest = std::max(highest, sources[s].level->at(begin[s] - 1).quality + sources[s].shift.quality);
        candidates += end[s] - begin[s];
      }
      batch[t].reserve(candidates);
      if (grid.height > 0)
        merge_tile<true>(sources, begin, end, highest, grid, batch[t]);
      else
        merge_tile<false>(sources, begin, end, highest, grid, batch[t]);
    };
    if (count == 1)
      merge(0);
    else
      parallel_for(count, merge);
    if (!writer.append({batch, static_cast<std::size_t>(count)}, first + count == n_tiles)) return false;
    if (level.size() > max_points) return false;
    if (!release) continue;
    // A level may serve several sources, which stand together: it goes up to the least advanced of them. The point
    // before a cut is still read.
    const std::int64_t* reached = cuts.data() + (first + count) * n_sources;
    for (std::size_t s = 0; s < n_sources;) {
      Level* const shared = sources[s].level;
      std::int64_t before = shared->size();
      for (; s < n_sources && sources[s].level == shared; ++s) before = std::min(before, reached[s] - 1);
      shared->release_points(first + count == n_tiles ? shared->size() : before, meter);
    }
  }
  return true;
}

}  // namespace oneproxy::detail
