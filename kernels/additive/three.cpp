#include "oneproxy/kernels/additive/three.h"

#include <algorithm>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/base/staircase.h"

namespace oneproxy::detail {
namespace {

bool precedes(const AdditivePoint& a, const AdditivePoint& b) {
  if (a.latency != b.latency) return a.latency < b.latency;
  return a.quality != b.quality ? a.quality > b.quality : a.third < b.third;
}

AdditivePoint shifted(const AdditivePoint& p, const AdditivePoint& by) {
  return {p.latency + by.latency, p.quality + by.quality, p.third + by.third};
}

constexpr std::int64_t kDone = INT64_MAX - 1;
constexpr std::int64_t kInParallel = 1 << 14;
constexpr int kTiles = 8;  // whatever the number of threads

// Candidates of sources' points begin .. end; `staircase`: of all candidates before.
void merge_tile(std::span<const SpaceSource> sources, const std::int64_t* begin, const std::int64_t* end,
                Staircase<std::int64_t>& staircase, SpaceLevel& out) {
  std::size_t leaves = 1;
  while (leaves < sources.size()) leaves *= 2;
  std::vector<std::int64_t> keys(2 * leaves, kDone), at(begin, begin + sources.size());
  std::vector<std::uint32_t> winners(2 * leaves, 0);
  auto head = [&](std::uint32_t s) { return shifted(sources[s].level->points[at[s]], sources[s].shift); };
  // Of two heads of one latency the first in order; of equal ones that of the lower source.
  auto left_wins = [&](std::uint32_t left, std::uint32_t right) { return !precedes(head(right), head(left)); };
  auto play = [&](std::size_t i) {
    const std::size_t l = 2 * i, r = 2 * i + 1;
    bool right = keys[r] < keys[l];
    if (keys[r] == keys[l] && keys[l] != kDone) right = !left_wins(winners[l], winners[r]);
    keys[i] = right ? keys[r] : keys[l];
    winners[i] = right ? winners[r] : winners[l];
  };
  for (std::uint32_t s = 0; s < leaves; ++s) {
    winners[leaves + s] = s;
    if (s < sources.size() && at[s] < end[s])
      keys[leaves + s] = sources[s].level->points[at[s]].latency + sources[s].shift.latency;
  }
  for (std::size_t i = leaves - 1; i >= 1; --i) play(i);
  while (keys[1] != kDone) {
    const std::uint32_t s = winners[1];
    const AdditivePoint point = head(s);
    if (staircase.add(point.quality, point.third)) {
      out.points.push_back(point);
      out.ranks.push_back(s);
      out.parents.push_back(static_cast<std::uint32_t>(at[s]));
    }
    ++at[s];
    std::size_t i = leaves + s;
    keys[i] = at[s] < end[s] ? sources[s].level->points[at[s]].latency + sources[s].shift.latency : kDone;
    while (i > 1) play(i /= 2);
  }
}

// Latencies at which the candidates are cut in about equal parts, ascending.
std::vector<std::int64_t> cut_latencies(std::span<const SpaceSource> sources, std::int64_t candidates) {
  const std::int64_t spacing = std::max<std::int64_t>(1, candidates / 2048);
  std::vector<std::int64_t> samples, cuts;
  for (const SpaceSource& source : sources)
    for (std::int64_t i = spacing / 2; i < source.level->size(); i += spacing)
      samples.push_back(source.level->points[i].latency + source.shift.latency);
  std::sort(samples.begin(), samples.end());
  for (int t = 1; t < kTiles; ++t) {
    const std::int64_t cut = samples[samples.size() * t / kTiles];
    if (cuts.empty() || cut > cuts.back()) cuts.push_back(cut);
  }
  return cuts;
}

}  // namespace

bool merge_level(std::span<const SpaceSource> sources, MemoryMeter& meter, SpaceLevel& level) {
  const std::size_t n = sources.size();
  std::int64_t candidates = 0;
  for (const SpaceSource& source : sources) candidates += source.level->size();
  std::vector<std::int64_t> cuts;
  if (candidates >= kInParallel) cuts = cut_latencies(sources, candidates);
  const std::size_t n_tiles = cuts.size() + 1;
  std::vector<std::int64_t> bounds(n, 0);
  for (const std::int64_t cut : cuts)
    for (const SpaceSource& source : sources) {
      const auto& points = source.level->points;
      bounds.push_back(
          std::partition_point(points.begin(), points.end(),
                               [&](const AdditivePoint& p) { return p.latency + source.shift.latency < cut; }) -
          points.begin());
    }
  for (const SpaceSource& source : sources) bounds.push_back(source.level->size());

  // What dominates a tile's candidates from before: the staircases of all sources' points up to the cut. Sources that
  // share a level stand together; its staircase grows from cut to cut and is shifted there.
  std::vector<Staircase<std::int64_t>> staircases(n_tiles);
  for (std::size_t first = 0, last = 0; n_tiles > 1 && first < n; first = last) {
    const SpaceLevel* shared = sources[first].level;
    while (last < n && sources[last].level == shared) ++last;
    struct Snapshot {
      std::int64_t prefix;
      std::size_t source, tile;
    };
    std::vector<Snapshot> snapshots;
    for (std::size_t t = 1; t < n_tiles; ++t)
      for (std::size_t s = first; s < last; ++s) snapshots.push_back({bounds[t * n + s], s, t});
    std::sort(snapshots.begin(), snapshots.end(),
              [](const Snapshot& a, const Snapshot& b) { return a.prefix < b.prefix; });
    Staircase<std::int64_t> grown;
    std::int64_t next = 0;
    for (const Snapshot& snapshot : snapshots) {
      for (; next < snapshot.prefix; ++next) grown.add(shared->points[next].quality, shared->points[next].third);
      const AdditivePoint& shift = sources[snapshot.source].shift;
      grown.for_each([&](std::int64_t quality, std::int64_t third) {
        staircases[snapshot.tile].add(quality + shift.quality, third + shift.third);
      });
    }
  }

  std::vector<SpaceLevel> tiles(n_tiles);
  parallel_for(static_cast<std::int64_t>(n_tiles), [&](std::int64_t t) {
    merge_tile(sources, bounds.data() + t * n, bounds.data() + (t + 1) * n, staircases[t], tiles[t]);
  });
  std::int64_t total = 0;
  for (const SpaceLevel& tile : tiles) total += tile.size();
  constexpr std::int64_t kPointBytes = sizeof(AdditivePoint) + 2 * sizeof(std::uint32_t);
  if (!meter.take(total * kPointBytes)) return false;
  if (n_tiles == 1) {
    level = std::move(tiles[0]);
    return true;
  }
  level.points.reserve(total);
  level.ranks.reserve(total);
  level.parents.reserve(total);
  for (SpaceLevel& tile : tiles) {
    level.points.insert(level.points.end(), tile.points.begin(), tile.points.end());
    level.ranks.insert(level.ranks.end(), tile.ranks.begin(), tile.ranks.end());
    level.parents.insert(level.parents.end(), tile.parents.begin(), tile.parents.end());
    tile = {};
  }
  return true;
}

}  // namespace oneproxy::detail
