#include "oneproxy/kernels/score/fleet_layout.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy::detail {

FleetLayout::FleetLayout(std::span<const std::uint32_t> radices, std::size_t n_tables)
    : radices_(radices), n_tables_(n_tables) {
  for (const std::uint32_t radix : radices) values_ += radix;
}

void FleetLayout::list_rows(const QualityOrder& order, std::vector<std::uint32_t>& rows) const {
  constexpr std::int64_t kTask = 4096;
  const std::int64_t n = order.size(), width = n_digits() + 1;
  rows.resize(static_cast<std::size_t>(n * width));
  parallel_for((n + kTask - 1) / kTask, [&](std::int64_t task) {
    for (std::int64_t i = task * kTask; i < std::min(n, (task + 1) * kTask); ++i) {
      const std::uint32_t* digits = order.digits.data() + i * (width - 1);
      std::uint32_t* own = rows.data() + i * width;
      own[0] = n_tables_ > 1 ? digits[0] : 0;
      auto offset = static_cast<std::uint32_t>(own[0] * values_);
      for (std::int64_t d = 0; d + 1 < width; ++d) {
        own[d + 1] = offset + digits[d];
        offset += radices_[d];
      }
    }
  });
}

void FleetLayout::close_what_none_keeps(const TableFleet& fleet, FleetAnswers& answers) const {
  constexpr std::int64_t kTask = 16;  // devices, whose rows share cache lines
  parallel_for((fleet.n_devices + kTask - 1) / kTask, [&](std::int64_t task) {
    for (std::int64_t device = task * kTask; device < std::min(fleet.n_devices, (task + 1) * kTask); ++device) {
      const double least = lowest(fleet.weights.data() + device, fleet.bias.data() + device, fleet.n_devices);
      for (std::int64_t l = 0; l < answers.n_limits(); ++l)
        if (answers.limits_of(device)[l] < least) answers.close(device, l);
    }
  });
}

// Of one device, whose rows lie `stride` apart; +infinity where no architecture has a latency. A rounded sum does not
// fall where a term rises: the sum of the least entries, in the order of the definition, is the least of all sums, to
// the bit.
double FleetLayout::lowest(const double* weights, const double* bias, std::int64_t stride) const {
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t t = 0; t < n_tables_; ++t, bias += stride) {
    double sum = *bias;
    for (std::size_t d = 0; d < radices_.size(); ++d) {
      double least = std::numeric_limits<double>::quiet_NaN();
      for (std::uint32_t value = 0; value < radices_[d]; ++value, weights += stride)
        if (d > 0 || n_tables_ == 1 || value == t) least = std::fmin(least, *weights);
      sum += least;
    }
    lowest = std::fmin(lowest, sum);
  }
  return lowest;
}

}  // namespace oneproxy::detail
