#include "oneproxy/kernels/additive/front.h"

#include <algorithm>
#include <string>

#include "oneproxy/kernels/additive/chains.h"
#include "oneproxy/kernels/additive/levels.h"
#include "oneproxy/kernels/additive/three.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

using namespace detail;

constexpr std::int64_t kAnyNumber = INT64_MAX;
constexpr std::int64_t kPairBytes = sizeof(StairPoint);

}  // namespace

// levels[c][d - 1]: front of the sums over digits d .. n-1 with the tables of chain c; d = n: no digits. A chain has
// one table; behind a digit 0 that selects no table there is one chain. Of the levels in use either the pairs or the
// triples.
struct AdditiveFront::Implementation {
  std::size_t n_digits = 0;
  Chains chains;
  MemoryMeter meter;
  std::int64_t stored_points = 0, gap = 0;
  std::vector<std::vector<Level>> levels;
  Level top;
  bool three = false;
  std::vector<std::vector<SpaceLevel>> space_levels;
  SpaceLevel space_top;

  Implementation(const AdditiveProblem& problem, Chains made, std::int64_t memory_bytes)
      : n_digits(problem.radices.size()), chains(std::move(made)), three(problem.n_objectives() == 3) {
    meter.budget = memory_bytes;
  }

  std::vector<Source> top_sources() {
    std::vector<Source> sources;
    for (std::int64_t v = 0; v < chains.first.size(); ++v) {
      const AdditivePoint& sum = chains.first.sums[v];
      sources.push_back({&levels[chains.chain_of[v]][0], {sum.latency, sum.quality}});
    }
    return sources;
  }

  // False where the budget would be passed: then nothing of this object is of use.
  bool build(bool thinned) {
    // 1/16 bytes a point of all levels that are still to come, if they were equally large.
    std::int64_t to_come = stored_sixteenths(chains.first.size()) + 2 * 16 * kPairBytes;
    for (const auto& chain : chains.chains) {
      if (chains.chains.size() > 1) to_come += 16 * kPairBytes;  // the last level of each chain waits for the others
      for (const Choices& choices : chain) to_come += stored_sixteenths(choices.size());
    }
    std::int64_t max_chain_gap = 0;
    bool exact = true;
    auto add_level = [&](std::span<const Source> sources, std::int64_t quality_range, std::int64_t lowest,
                         std::int64_t& chain_gap, Level& level) {
      std::int64_t candidates = 0;
      for (const Source& source : sources) candidates += source.level->size();
      const std::int64_t max_points = fair_share(to_come);
      if (thinned && (max_points < 2 || meter.budget <= 0)) return false;
      if (!thinned || candidates <= max_points) {
        if (!merge_level(sources, {}, kAnyNumber, true, meter, level)) return false;
      } else {
        const MemoryMeter before = meter;
        const bool fits = exact && merge_level(sources, {}, max_points, false, meter, level);
        if (!fits) {
          if (exact) meter.used = before.used;
          exact = false;
          level = Level();
          const QualityGrid grid{quality_range / (max_points - 1) + 1, lowest};
          if (!merge_level(sources, grid, kAnyNumber, true, meter, level)) return false;
          chain_gap += grid.height - 1;
        } else {
          for (const Source& source : sources) source.level->release_points(source.level->size(), meter);
        }
      }
      to_come -= stored_sixteenths(static_cast<std::int64_t>(sources.size()));
      stored_points += level.size();
      return true;
    };

    std::int64_t top_lowest = INT64_MAX, top_highest = INT64_MIN;
    std::vector<std::int64_t> chain_lowest, chain_range;
    for (const auto& chain : chains.chains) {
      auto& stairs = levels.emplace_back(chain.size() + 1);
      stairs.back() = Level::empty_sum(meter);
      std::int64_t lowest = 0, range = 0, chain_gap = 0;
      exact = true;
      for (std::size_t d = chain.size(); d-- > 0;) {
        std::vector<Source> sources;
        std::int64_t min_quality = INT64_MAX, max_quality = INT64_MIN;
        for (const AdditivePoint& sum : chain[d].sums) {
          sources.push_back({&stairs[d + 1], {sum.latency, sum.quality}});
          min_quality = std::min(min_quality, sum.quality);
          max_quality = std::max(max_quality, sum.quality);
        }
        lowest += min_quality;
        range += max_quality - min_quality;
        if (!add_level(sources, range, lowest, chain_gap, stairs[d])) return false;
      }
      chain_lowest.push_back(lowest);
      chain_range.push_back(range);
      max_chain_gap = std::max(max_chain_gap, chain_gap);
    }
    for (std::int64_t v = 0; v < chains.first.size(); ++v) {
      const std::int64_t least = chains.first.sums[v].quality + chain_lowest[chains.chain_of[v]];
      top_lowest = std::min(top_lowest, least);
      top_highest = std::max(top_highest, least + chain_range[chains.chain_of[v]]);
    }
    gap = max_chain_gap;
    exact = gap == 0;
    return add_level(top_sources(), top_highest - top_lowest, top_lowest, gap, top);
  }

  // Points of a level such that those to come, equally large, would fit as well.
  std::int64_t fair_share(std::int64_t to_come) const {
    const std::int64_t slack = 3 * Level::kBlock * (kPairBytes + 5);                // blocks that are not full
    const std::int64_t left = std::min(meter.budget - meter.used, INT64_MAX / 16);  // a budget may be endless
    const std::int64_t small = left * 16 / to_come;
    return small < Level::kBlock ? small : std::max(Level::kBlock - 1, (left - slack) * 16 / to_come);
  }

  void build_three() {
    auto too_much = [&] {
      return Error("additive front: the levels of three objectives pass the memory budget of " +
                   std::to_string(meter.budget) + " bytes; raise it, or drop an objective");
    };
    auto add_level = [&](std::span<const SpaceSource> sources, SpaceLevel& level) {
      if (!merge_level(sources, meter, level) || level.size() > INT32_MAX) throw too_much();
      stored_points += level.size();
    };
    auto release = [&](SpaceLevel& level) {
      meter.used -= level.size() * static_cast<std::int64_t>(sizeof(AdditivePoint));
      level.points = {};
    };
    for (const auto& chain : chains.chains) {
      auto& stairs = space_levels.emplace_back(chain.size() + 1);
      stairs.back() = {{AdditivePoint{}}, {0}, {0}};
      for (std::size_t d = chain.size(); d-- > 0;) {
        std::vector<SpaceSource> sources;
        for (const AdditivePoint& sum : chain[d].sums) sources.push_back({&stairs[d + 1], sum});
        add_level(sources, stairs[d]);
        if (d + 1 < chain.size()) release(stairs[d + 1]);
      }
    }
    std::vector<SpaceSource> sources;
    for (std::int64_t v = 0; v < chains.first.size(); ++v)
      sources.push_back({&space_levels[chains.chain_of[v]][0], chains.first.sums[v]});
    add_level(sources, space_top);
    for (auto& stairs : space_levels)
      if (stairs.size() > 1) release(stairs[0]);
  }

  AdditivePoint point(std::int64_t i) const {
    if (three) return space_top.points[i];
    const StairPoint& pair = top.at(i);
    return {pair.latency, pair.quality, 0};
  }

  // digits [count, n_digits] of points first .. first + count - 1. Digit after digit of many points: the searches of
  // one point wait for each other, those of many do not.
  void digits(std::int64_t first, std::int64_t count, std::uint32_t* digits) const {
    if (three)
      space_digits(first, count, digits);
    else
      stair_digits(first, count, digits);
  }

  void space_digits(std::int64_t first, std::int64_t count, std::uint32_t* digits) const {
    for (std::int64_t p = 0; p < count; ++p, digits += n_digits) {
      const std::uint32_t rank = space_top.ranks[first + p];
      digits[0] = chains.first.values[rank];
      std::uint32_t at = space_top.parents[first + p];
      const auto c = static_cast<std::size_t>(chains.chain_of[rank]);
      for (std::size_t d = 1; d < n_digits; ++d) {
        const SpaceLevel& level = space_levels[c][d - 1];
        digits[d] = chains.chains[c][d - 1].values[level.ranks[at]];
        at = level.parents[at];
      }
    }
  }

  void stair_digits(std::int64_t first, std::int64_t count, std::uint32_t* digits) const {
    constexpr std::uint32_t kRemainder = Level::kSample - 1;
    constexpr std::int64_t kTogether = 32;
    std::int64_t latencies[kTogether];
    std::uint32_t links[kTogether];
    int chain[kTogether];
    for (std::int64_t begin = 0; begin < count; begin += kTogether) {
      const std::int64_t n = std::min(kTogether, count - begin);
      std::uint32_t* out = digits + begin * n_digits;
      for (std::int64_t p = 0; p < n; ++p) {
        links[p] = top.link(first + begin + p);
        const std::uint32_t rank = links[p] >> Level::kSampleBits;
        out[p * n_digits] = chains.first.values[rank];
        latencies[p] = top.at(first + begin + p).latency - chains.first.sums[rank].latency;
        chain[p] = chains.chain_of[rank];
      }
      for (std::size_t d = 1; d < n_digits; ++d)
        for (std::int64_t p = 0; p < n; ++p) {
          const Level& level = levels[chain[p]][d - 1];
          const Choices& choices = chains.chains[chain[p]][d - 1];
          links[p] = level.link(level.position(latencies[p], links[p] & kRemainder));
          const std::uint32_t rank = links[p] >> Level::kSampleBits;
          out[p * n_digits + d] = choices.values[rank];
          latencies[p] -= choices.sums[rank].latency;
        }
    }
  }
};

AdditiveFront::AdditiveFront() = default;
AdditiveFront::~AdditiveFront() = default;
AdditiveFront::AdditiveFront(AdditiveFront&&) noexcept = default;
AdditiveFront& AdditiveFront::operator=(AdditiveFront&&) noexcept = default;

std::int64_t AdditiveFront::size() const {
  return implementation_->three ? implementation_->space_top.size() : implementation_->top.size();
}
AdditivePoint AdditiveFront::point(std::int64_t i) const {
  ONEPROXY_ASSERT(i >= 0 && i < size());
  return implementation_->point(i);
}
void AdditiveFront::digits(std::int64_t i, std::span<std::uint32_t> digits) const {
  ONEPROXY_ASSERT(i >= 0 && i < size() && digits.size() == implementation_->n_digits);
  implementation_->digits(i, 1, digits.data());
}
std::int64_t AdditiveFront::gap() const { return implementation_->gap; }
std::int64_t AdditiveFront::stored_points() const { return implementation_->stored_points; }
std::int64_t AdditiveFront::peak_bytes() const { return implementation_->meter.peak; }

std::vector<std::uint32_t> AdditiveFront::all_digits() const {
  constexpr std::int64_t kPiece = 1024;
  const std::size_t width = implementation_->n_digits;
  std::vector<std::uint32_t> all(static_cast<std::size_t>(size()) * width);
  auto trace = [&](std::int64_t piece) {
    const std::int64_t begin = piece * kPiece;
    implementation_->digits(begin, std::min(kPiece, size() - begin), all.data() + begin * width);
  };
  parallel_for((size() + kPiece - 1) / kPiece, trace);
  return all;
}

std::int64_t AdditiveFront::last_within(std::int64_t limit) const {
  std::int64_t low = 0, high = size();
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (point(middle).latency <= limit)
      low = middle + 1;
    else
      high = middle;
  }
  return low - 1;
}

AdditiveFront additive_front(const AdditiveProblem& problem, const AdditiveFrontSettings& settings) {
  check_problem(problem);
  Chains chains = make_chains(problem);
  AdditiveFront front;
  using Implementation = AdditiveFront::Implementation;
  front.implementation_ = std::make_unique<Implementation>(problem, chains, settings.memory_bytes);
  if (front.implementation_->three) {
    front.implementation_->build_three();
    return front;
  }
  if (front.implementation_->build(false)) return front;
  front.implementation_ = std::make_unique<Implementation>(problem, std::move(chains), settings.memory_bytes);
  if (!front.implementation_->build(true))
    throw Error("additive front: not even a grid fits in the memory budget of " +
                std::to_string(settings.memory_bytes) + " bytes; raise it");
  return front;
}

}  // namespace oneproxy
