#include "oneproxy/kernels/additive/linear_score.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>

#include "oneproxy/kernels/additive/linear_score_detail.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace detail {
namespace {

constexpr std::int64_t chunk_scores = std::int64_t{1} << 16;  // that one thread writes at a time

// Places a decision in a table for any byte. Not 256: all decisions would crowd into few sets of the cache.
constexpr std::int64_t byte_stride = 264;

std::int64_t chunks_of(std::int64_t n, std::int64_t chunk) { return (n + chunk - 1) / chunk; }

// Several sums at a time, for each is a chain of additions that wait for one another.
template <int lanes>
void score_rows(double bias, std::span<const double> weights, std::span<const std::uint8_t> choices,
                std::int64_t n_decisions, std::int64_t arch, std::span<double> scores) {
  double sums[lanes];
  std::fill_n(sums, lanes, bias);
  const std::uint8_t* choice = choices.data() + arch * n_decisions;
  const double* weight = weights.data();
  for (std::int64_t d = 0; d < n_decisions; ++d, weight += byte_stride)
    for (int lane = 0; lane < lanes; ++lane) sums[lane] += weight[choice[lane * n_decisions + d]];
  std::copy_n(sums, lanes, scores.data() + arch);
}

// longer[i * radix + c] = sums[i] + weights[c]: the sums [n] with one more decision. The radix is known to the compiler
// where it is small, for then a row is a few vectors, and a loop over it would cost more than the additions.
using Extend = void (*)(const double* __restrict sums, std::int64_t n, const double* __restrict weights, int radix,
                        double* __restrict longer);

template <int fixed_radix>
void extend(const double* __restrict sums, std::int64_t n, const double* __restrict weights, int any_radix,
            double* __restrict longer) {
  const int radix = fixed_radix > 0 ? fixed_radix : any_radix;
  double row[fixed_radix > 0 ? fixed_radix : 255];
  std::copy_n(weights, radix, row);
  for (std::int64_t i = 0; i < n; ++i)
    for (int c = 0; c < radix; ++c) longer[i * radix + c] = sums[i] + row[c];
}

Extend extend_by(int radix) {
  constexpr Extend any = extend<0>;
  constexpr Extend fixed[] = {any,       extend<1>, extend<2>, extend<3>,  extend<4>,  extend<5>, extend<6>,
                              extend<7>, extend<8>, extend<9>, extend<10>, extend<11>, extend<12>};
  return static_cast<std::size_t>(radix) < std::size(fixed) ? fixed[radix] : any;
}

// Writes the tiles of one thread, one after another.
class TileWriter {
 public:
  TileWriter(const LinearTable& table, const RangePlan& plan)
      : table_(table),
        plan_(plan),
        choices_(plan.first_choices.size()),
        rows_(static_cast<std::size_t>(plan.tiles.n_rows)),
        spare_rows_(rows_.size()) {}

  // The part of the tile that lies within the scores [count] of the range.
  void write(std::int64_t tile, std::span<double> scores) {
    const std::int64_t size = plan_.tiles.size(), count = static_cast<std::int64_t>(scores.size());
    const std::int64_t at = tile * size - plan_.tiles.skip;
    if (at >= 0 && at + size <= count) return write_whole(tile, scores.data() + at);
    whole_.resize(static_cast<std::size_t>(size));
    write_whole(tile, whole_.data());
    const std::int64_t from = std::max<std::int64_t>(-at, 0), to = std::min(count - at, size);
    std::copy(whole_.begin() + from, whole_.begin() + to, scores.begin() + at + from);
  }

 private:
  void write_whole(std::int64_t tile, double* scores) {
    const Tiles& tiles = plan_.tiles;
    const std::uint8_t* radices = table_.radices.data();
    offset_choices(plan_.first_choices.data(), radices, tiles.n_outer, static_cast<std::uint64_t>(tile),
                   choices_.data());
    rows_[0] = add_choices(table_.bias, table_.weights.data(), radices, choices_.data(), tiles.n_outer);
    std::int64_t n = 1;
    const double* weights = table_.weights.data() + tiles.row_weights;
    for (int d = tiles.n_outer; d + 1 < tiles.n_decisions; ++d) {
      extend_by(radices[d])(rows_.data(), n, weights, radices[d], spare_rows_.data());
      rows_.swap(spare_rows_);
      n *= radices[d];
      weights += radices[d];
    }
    extend_by(tiles.row_size)(rows_.data(), n, weights, tiles.row_size, scores);
  }

  const LinearTable& table_;
  const RangePlan& plan_;
  std::vector<std::uint8_t> choices_;
  std::vector<double> rows_, spare_rows_, whole_;
};

}  // namespace

RangePlan plan_range(std::span<const std::uint8_t> radices, ArchIndex begin, std::int64_t count) {
  RangePlan plan;
  Tiles& tiles = plan.tiles;
  tiles.n_decisions = static_cast<int>(radices.size());
  tiles.row_size = radices.back();
  tiles.n_rows = 1;
  tiles.n_outer = tiles.n_decisions - 1;
  for (; tiles.n_outer > 0; --tiles.n_outer) {
    const std::int32_t rows = tiles.n_rows * radices[tiles.n_outer - 1];
    if (rows > most_rows || rows * tiles.row_size > largest_tile) break;
    tiles.n_rows = rows;
  }
  const auto outer = radices.first(static_cast<std::size_t>(tiles.n_outer));
  tiles.row_weights = std::accumulate(outer.begin(), outer.end(), std::int64_t{0});
  tiles.last_weights = std::accumulate(radices.begin(), radices.end() - 1, std::int64_t{0});

  const auto size = static_cast<ArchIndex>(tiles.size());
  tiles.skip = static_cast<std::int64_t>(begin % size);
  tiles.n_tiles = chunks_of(tiles.skip + count, tiles.size());
  plan.first_choices.resize(outer.size());
  decode_index(begin / size, outer.data(), tiles.n_outer, plan.first_choices.data());
  return plan;
}

std::int64_t score_choices_cpu(const LinearTable& table, std::span<const std::uint8_t> choices,
                               std::span<double> scores) {
  constexpr int lanes = 4;
  // Weights at [decision][any byte]. A choice outside its radix meets NaN, so that only architectures of a NaN score
  // need a check.
  const auto n_decisions = static_cast<std::int64_t>(table.radices.size());
  std::vector<double> weights(static_cast<std::size_t>(n_decisions * byte_stride),
                              std::numeric_limits<double>::quiet_NaN());
  const double* from = table.weights.data();
  for (std::int64_t d = 0; d < n_decisions; ++d) {
    std::copy_n(from, table.radices[d], weights.data() + d * byte_stride);
    from += table.radices[d];
  }

  constexpr std::int64_t chunk_archs = 4096;
  const auto n = static_cast<std::int64_t>(scores.size());
  std::vector<std::int64_t> bad(static_cast<std::size_t>(chunks_of(n, chunk_archs)), -1);  // [chunk] its first one
  parallel_for(static_cast<std::int64_t>(bad.size()), [&](std::int64_t chunk) {
    const std::int64_t end = std::min(n, (chunk + 1) * chunk_archs);
    std::int64_t arch = chunk * chunk_archs;
    for (; arch + lanes <= end; arch += lanes)
      score_rows<lanes>(table.bias, weights, choices, n_decisions, arch, scores);
    for (; arch < end; ++arch) score_rows<1>(table.bias, weights, choices, n_decisions, arch, scores);
    for (arch = chunk * chunk_archs; arch < end; ++arch) {
      if (!std::isnan(scores[arch])) continue;
      const std::uint8_t* choice = choices.data() + arch * n_decisions;
      if (std::equal(table.radices.begin(), table.radices.end(), choice, std::greater<>())) continue;
      bad[chunk] = arch;
      break;
    }
  });
  const auto first = std::find_if(bad.begin(), bad.end(), [](std::int64_t arch) { return arch >= 0; });
  return first == bad.end() ? -1 : *first;
}

void score_range_cpu(const LinearTable& table, ArchIndex begin, std::span<double> scores) {
  const RangePlan plan = plan_range(table.radices, begin, static_cast<std::int64_t>(scores.size()));
  const std::int64_t chunk_tiles = chunks_of(chunk_scores, plan.tiles.size());
  parallel_for(chunks_of(plan.tiles.n_tiles, chunk_tiles), [&](std::int64_t chunk) {
    TileWriter writer(table, plan);
    const std::int64_t end = std::min(plan.tiles.n_tiles, (chunk + 1) * chunk_tiles);
    for (std::int64_t tile = chunk * chunk_tiles; tile < end; ++tile) writer.write(tile, scores);
  });
}

}  // namespace detail

namespace {

void check_table(const LinearTable& table, const char* where) {
  if (table.radices.empty()) throw Error(std::string(where) + ": the table has no decisions; it needs one at least");
  std::size_t entries = 0;
  for (std::size_t d = 0; d < table.radices.size(); ++d) {
    if (table.radices[d] == 0)
      throw Error(std::string(where) + ": decision " + std::to_string(d) +
                  " has radix 0; every decision needs a choice");
    entries += table.radices[d];
  }
  if (table.weights.size() != entries)
    throw Error(std::string(where) + ": " + std::to_string(table.weights.size()) + " weights for radices that sum to " +
                std::to_string(entries) + "; pass one weight a choice");
}

Error bad_choice(const LinearTable& table, std::span<const std::uint8_t> choices, std::int64_t arch) {
  const auto row = choices.subspan(static_cast<std::size_t>(arch) * table.radices.size(), table.radices.size());
  std::size_t d = 0;
  while (row[d] < table.radices[d]) ++d;
  return Error("score_linear: architecture " + std::to_string(arch) + " has choice " + std::to_string(row[d]) +
               " at decision " + std::to_string(d) + " of radix " + std::to_string(table.radices[d]) +
               "; choices there are 0.." + std::to_string(table.radices[d] - 1));
}

}  // namespace

void score_linear(const LinearTable& table, std::span<const std::uint8_t> choices, std::span<double> scores,
                  Backend backend) {
  require_backend(backend);
  check_table(table, "score_linear");
  const std::size_t n_decisions = table.radices.size();
  if (choices.size() % n_decisions != 0 || choices.size() / n_decisions != scores.size())
    throw Error("score_linear: " + std::to_string(choices.size()) + " choices for " + std::to_string(scores.size()) +
                " scores of " + std::to_string(n_decisions) +
                " decisions each; pass n * decisions choices and n scores");
  if (scores.empty()) return;
  std::int64_t bad = -1;
#ifdef ONEPROXY_HAS_CUDA
  if (backend == Backend::cuda)
    bad = detail::score_choices_cuda(table, choices, scores);
  else
#endif
    bad = detail::score_choices_cpu(table, choices, scores);
  if (bad >= 0) throw bad_choice(table, choices, bad);
}

void score_linear_range(const LinearTable& table, ArchIndex begin, std::span<double> scores, Backend backend) {
  require_backend(backend);
  check_table(table, "score_linear_range");
  const ArchIndex size = space_size(table.radices);
  if (begin > size || scores.size() > size - begin)
    throw Error("score_linear_range: " + std::to_string(scores.size()) + " architectures from " + to_decimal(begin) +
                " pass the end of the space at " + to_decimal(size) + "; shorten the range");
  if (scores.empty()) return;
#ifdef ONEPROXY_HAS_CUDA
  if (backend == Backend::cuda) return detail::score_range_cuda(table, begin, scores);
#endif
  detail::score_range_cpu(table, begin, scores);
}

}  // namespace oneproxy
