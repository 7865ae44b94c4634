// A fleet of tables, reduced: a task is a tile of devices. In the order of quality an architecture is looked at by the
// devices that still have an open limit; one vector comparison says whether any of a few devices keeps one.
#include <algorithm>
#include <cmath>

#include "oneproxy/kernels/base/aligned.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/cpu/fleet_tile.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "oneproxy/kernels/score/fleet_layout.h"

namespace oneproxy::detail {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kPackedRows = 4096;  // 1 MiB a tile; beyond, a copy would cost more than it saves

NextWithin next_within_of(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return kNextWithinPortable;
#ifdef ONEPROXY_X86_64_TILES
    case Isa::avx2:
      return kNextWithinAvx2;
    case Isa::avx512:
    case Isa::avx512_bf16:
      return kNextWithinAvx512;
#endif
    default:
      ONEPROXY_ASSERT(!"an instruction set of this build");
      return nullptr;
  }
}

// What a limit of one device waits for.
struct Search {
  double limit;
  std::int64_t end;         // of the architectures that may be better; 0: closed
  std::int64_t found = -1;  // the first that keeps the limit
};

class TileReduction {
 public:
  TileReduction(const TableFleet& fleet, const FleetLayout& layout, const QualityOrder& order,
                const std::vector<std::uint32_t>& rows, std::int64_t first, FleetAnswers& answers)
      : order_(order),
        answers_(answers),
        first_(first),
        n_(std::min<std::int64_t>(kFleetLanes, fleet.n_devices - first)) {
    tile_.rows = rows.data();
    tile_.n_rows = layout.n_digits() + 1;
    if (n_ == kFleetLanes && layout.n_rows() > kPackedRows) {
      tile_.weights = fleet.weights.data() + first;
      tile_.bias = fleet.bias.data() + first;
      tile_.stride = fleet.n_devices;
      return;
    }
    const std::size_t n_bias = fleet.n_tables();
    packed_.assign((n_bias + layout.n_rows()) * kFleetLanes, 0.0);
    for (std::size_t r = 0; r < n_bias + layout.n_rows(); ++r) {
      const double* from =
          r < n_bias ? fleet.bias.data() + r * fleet.n_devices : fleet.weights.data() + (r - n_bias) * fleet.n_devices;
      std::copy_n(from + first, n_, packed_.data() + r * kFleetLanes);
    }
    tile_.bias = packed_.data();
    tile_.weights = packed_.data() + n_bias * kFleetLanes;
    tile_.stride = kFleetLanes;
  }

  void run(NextWithin next_within) {
    const std::int64_t n_limits = answers_.n_limits();
    searches_.resize(static_cast<std::size_t>(n_ * n_limits));
    for (std::int64_t lane = 0; lane < n_; ++lane)
      for (std::int64_t l = 0; l < n_limits; ++l)
        searches_[lane * n_limits + l] = {answers_.limits_of(first_ + lane)[l],
                                          order_.end_of(answers_.least_quality(first_ + lane, l))};
    double bars[kFleetLanes], latencies[kFleetLanes];
    std::fill(bars, bars + kFleetLanes, kNone);
    for (std::int64_t lane = 0; lane < n_; ++lane) bars[lane] = bar(lane);
    std::int64_t end = last_end();
    for (std::int64_t at = 0; (at = next_within(tile_, at, end, bars, latencies)) < end; ++at) {
      for (std::int64_t lane = 0; lane < n_; ++lane) {
        if (!(latencies[lane] <= bars[lane])) continue;
        for (auto& search : searches_of(lane)) {
          if (search.end == 0 || !(latencies[lane] <= search.limit)) continue;
          if (at < search.end) search.found = at;
          search.end = 0;
        }
        bars[lane] = bar(lane);
      }
      end = last_end();
    }
    for (std::int64_t lane = 0; lane < n_; ++lane) settle(lane);
  }

 private:
  std::span<Search> searches_of(std::int64_t lane) {
    const auto n_limits = static_cast<std::size_t>(answers_.n_limits());
    return std::span(searches_).subspan(static_cast<std::size_t>(lane) * n_limits, n_limits);
  }
  // The loosest open limit: most architectures are ruled out by it alone.
  double bar(std::int64_t lane) {
    double bar = kNone;
    for (const auto& search : searches_of(lane))
      if (search.end > 0) bar = std::fmax(bar, search.limit);
    return bar;
  }
  std::int64_t last_end() const {
    std::int64_t end = 0;
    for (const auto& search : searches_) end = std::max(end, search.end);
    return end;
  }
  double latency(std::int64_t i, std::int64_t lane) const {
    const std::uint32_t* rows = tile_.rows + i * tile_.n_rows;
    double sum = tile_.bias[rows[0] * tile_.stride + lane];
    for (int r = 1; r < tile_.n_rows; ++r) sum += tile_.weights[rows[r] * tile_.stride + lane];
    return sum;
  }
  // Of those of one quality the fastest is the answer to all limits that the first of them keeps or a later one does.
  void settle(std::int64_t lane) {
    std::int64_t group_end = 0;
    FleetBest best;
    const auto searches = searches_of(lane);
    std::vector<std::size_t> by_place(searches.size());
    for (std::size_t l = 0; l < by_place.size(); ++l) by_place[l] = l;
    std::sort(by_place.begin(), by_place.end(),
              [&](std::size_t a, std::size_t b) { return searches[a].found < searches[b].found; });
    for (const std::size_t l : by_place) {
      const std::int64_t found = searches[l].found;
      if (found < 0) continue;
      if (found >= group_end) {
        group_end = order_.end_of(order_.quality[found]);
        best = {order_.index[found], latency(found, lane), order_.quality[found]};
        for (std::int64_t i = found + 1; i < group_end; ++i)
          if (const double other = latency(i, lane); other < best.latency)
            best.latency = other, best.index = order_.index[i];
      }
      answers_.offer(first_ + lane, static_cast<std::int64_t>(l), best);
    }
  }

  const QualityOrder& order_;
  FleetAnswers& answers_;
  std::int64_t first_, n_;
  FleetTile tile_;
  AlignedVector<double> packed_;
  std::vector<Search> searches_;  // [n, n_limits]
};

}  // namespace

void reduce_fleet_cpu(const DigitCode& code, const TableFleet& fleet, QualityPieces& pieces, FleetAnswers& answers,
                      Isa isa) {
  const NextWithin next_within = next_within_of(isa);
  const FleetLayout layout(code.radices, fleet.n_tables());
  const std::int64_t n_tiles = (fleet.n_devices + kFleetLanes - 1) / kFleetLanes;
  QualityOrder order;
  std::vector<std::uint32_t> rows;
  if (layout.n_rows() <= kPackedRows) layout.close_what_none_keeps(fleet, answers);
  while (pieces.next(answers.least_quality(), order)) {
    if (order.size() == 0) continue;
    layout.list_rows(order, rows);
    parallel_for(n_tiles, [&](std::int64_t tile) {
      TileReduction(fleet, layout, order, rows, tile * kFleetLanes, answers).run(next_within);
    });
  }
}

}  // namespace oneproxy::detail
