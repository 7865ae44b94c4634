#pragma once
// The filter of a reduction as kernels use it, made from what a reduction knows: it leaves out points that surely do
// not count.
#include <cstdint>
#include <vector>

#include "oneproxy/kernels/base/digits.h"
#include "oneproxy/kernels/front/reduction.h"

namespace oneproxy::detail {

inline constexpr int kFilterBins = 2048;

struct Filter {
  bool front = false;
  int n_limits = 0;
  double bins_from = 0, bins_scale = 0;
  const double* reached = nullptr;  // [kFilterBins] a quality at or below it, in this bin of latency, can not count
  const double* limits = nullptr;   // [n_limits], margins added
  const double* edges = nullptr;    // [n_limits], margins subtracted
};

ONEPROXY_HD inline int filter_bin(const Filter& filter, double latency) {
  const double position = (latency - filter.bins_from) * filter.bins_scale;
  return !(position > 0) ? 0 : position < kFilterBins - 1 ? static_cast<int>(position) : kFilterBins - 1;
}

// Whether a point may belong to the front or to a list. False only for what surely does not; NaN never counts.
ONEPROXY_HD inline bool may_count(const Filter& filter, double latency, double quality) {
  bool counts = filter.front && !(quality <= filter.reached[filter_bin(filter, latency)]);
  for (int i = 0; i < filter.n_limits; ++i)
    counts = counts || (latency <= filter.limits[i] && quality >= filter.edges[i]);
  return counts && latency == latency && quality == quality;
}

struct FilterArrays {
  Filter filter;
  std::vector<double> reached, limits, edges;
  std::uint64_t points = 0;  // that it was made from
  Filter view() const;
};
FilterArrays make_filter(const Reduction& reduction);

struct Survivor {
  std::uint64_t position;
  double latency, quality;
};
// Adds survivors of a round in the order of their positions: the atomics that hand out their places do so in any order,
// and when a reduction gives up its margins depends on the order of the points.
void add_survivors(std::vector<Survivor>& survivors, const IndexRange& run, const DigitSplit& split,
                   Reduction& reduction);

}  // namespace oneproxy::detail
