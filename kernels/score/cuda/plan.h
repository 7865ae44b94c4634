#pragma once
// What the CUDA twin of Scorer decides on the host: tables of the first layer, packed weights, launch configurations,
// sizes of chunks and rounds, the filter of a reduction. Plain C++, tested without a GPU.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/front/reduction.h"
#include "oneproxy/kernels/score/cuda/mma_layout.h"
#include "oneproxy/kernels/score/cuda/places.h"
#include "oneproxy/kernels/score/models.h"

namespace oneproxy::detail {

// ---- the first layer ---------------------------------------------------------------------------------------------

// Sums of rows for every value of every group of digits.
struct FirstLayerTables {
  int width = 0;                   // a row's length, padded by zeros
  std::vector<DigitGroup> groups;  // the last one is the inner one
  std::vector<float> rows;         // [sum of the groups' radices, width]; summed in f64
  std::vector<float> bias;         // [width]
  std::uint32_t inner() const { return groups.back().radix; }
};
// Error where the tables would pass `most_bytes`.
FirstLayerTables first_layer_tables(const Mlp& mlp, const DigitCode& code, const DigitSplit& split, int width,
                                    std::uint64_t most_inner, std::int64_t most_bytes);

// ---- narrow MLPs -------------------------------------------------------------------------------------------------

inline constexpr int kNarrowThreads = 256;
inline constexpr int kNarrowMostWidth = 128;

struct DeviceLimits {
  int multiprocessors = 132;
  int shared_bytes = 232448;  // of a block, opted in: 101376 (sm_86, sm_89), 166912 (sm_80), 232448 (sm_90)
};

// The shape of a launch of score_narrow.cuh.
struct NarrowPlan {
  Precision precision = Precision::bf16;
  int width = 0;   // 32, 64 or 128: all hidden layers, padded
  int layers = 0;  // products between hidden layers
  int m_tiles = 2;
  std::uint32_t inner = 1;
  bool table_in_shared = false;
  int table_stride = 0;  // floats, so that the lanes of a load meet different banks
  int shared_bytes = 0;  // packed weights, biases and the last layer, the table; in a fleet its base rows as well
};
std::string to_string(const NarrowPlan& plan);

// 0 where no kernel holds the model: more than 128 wide, no product between hidden layers, more weights than shared
// memory.
int narrow_width(const Mlp& mlp);
bool plan_narrow(const Mlp& mlp, Precision precision, const DeviceLimits& device, NarrowPlan& plan);
// Rows of an inner table that leave room for a second block; for first_layer_tables.
std::uint64_t narrow_most_inner(const NarrowPlan& plan);
void place_table(NarrowPlan& plan, std::uint32_t inner, const DeviceLimits& device);

struct NarrowWeights {
  std::vector<std::uint32_t> fragments;  // [layers][packed words]; fp32: [layers][width][width]
  std::vector<float> vectors;            // biases [layers][width], last weights [width], last bias
};
NarrowWeights pack_narrow(const Mlp& mlp, const NarrowPlan& plan);

// Fleets: all models of a block's slice share rows of values.
struct NarrowFleet {
  const float* parameters = nullptr;  // [n_models][stride]: rows [n_values][width], first bias, layers, last layer
  std::size_t stride = 0;
  std::uint32_t n_values = 0, n_base = 0, slices = 1;
  const std::uint32_t *base_rows = nullptr, *inner_rows = nullptr;  // [n_base][n_outer], [inner][n_inner]
  int n_outer = 0, n_inner = 0;
};

struct NarrowArgs {
  const float* base = nullptr;  // [rows][width]
  const float* table = nullptr;
  const std::uint32_t* fragments = nullptr;
  const float* vectors = nullptr;
  int layers = 1;
  std::uint32_t inner = 1, skip = 0;
  bool table_in_shared = false;
  int table_stride = 0;
  std::uint64_t count = 0;  // skip + count < 2^32
  double* scores = nullptr;
  float* scores_f32 = nullptr;  // fleets: [n_models, count]
  NarrowFleet fleet;
};

struct FleetPlan {
  NarrowPlan narrow;
  int first_inner = 0;                 // digits from here on are in the table
  std::uint32_t n_base = 0, skip = 0;  // base rows of the run; architectures before it in the first one
  std::vector<std::uint32_t> base_rows, inner_rows;
  std::uint32_t n_values = 0;
  std::size_t stride = 0;
};
// False where the run's rows do not fit a block's shared memory, or the shape has no narrow kernel.
bool plan_fleet(const Mlp& shape, const DigitCode& code, const ArchRun& run, Precision precision,
                const DeviceLimits& device, FleetPlan& plan);
// One model's parameters [stride] as NarrowFleet says.
void fleet_parameters(const Mlp& mlp, const DigitCode& code, const FleetPlan& plan, float* parameters);

// ---- tables ------------------------------------------------------------------------------------------------------

// The last digits, which a thread runs through for one prefix.
struct Leaf {
  int first = 0;               // digits first .. n_digits-1; n_digits: no leaf
  std::uint32_t size = 1;      // product of their radices
  std::uint32_t last = 1;      // radix of the last digit
  std::uint32_t segments = 1;  // a leaf of one long digit is cut
  std::uint32_t segment = 1;   // values of the last digit in a segment
};
// Of the right part of an index only, and without digit 0 where that selects the table.
Leaf leaf_digits(std::span<const std::uint32_t> radices, const DigitSplit& split, bool digit_0_selects);

// ---- chunks and rounds -------------------------------------------------------------------------------------------

// Architectures of a wide MLP whose activations stay in the L2 cache.
std::int64_t wide_rows(int widest, int element_bytes, std::int64_t l2_bytes);

// How many architectures go between two sights of the filter: few while it knows nothing, then more and more; fewer
// again where the survivors did not fit. Nothing is lost: a round that did not fit is repeated.
class Rounds {
 public:
  // The filter knows `scored` architectures already.
  Rounds(std::uint64_t capacity, std::uint64_t most, std::uint64_t scored);
  std::uint64_t size() const { return size_; }
  // Of the round that ran; true where all of them fitted.
  bool survived(std::uint64_t survivors);

 private:
  std::uint64_t capacity_, most_, size_, ceiling_;
};

// Pieces of 0 .. count-1 for n workers, in order; none empty unless count < n.
std::vector<std::uint64_t> piece_borders(std::uint64_t count, int n);

// ---- filters -----------------------------------------------------------------------------------------------------

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

// ---- errors ------------------------------------------------------------------------------------------------------

// Bound on |fast - fp64| over the whole space: rounding of tables, weights and activations, and of every sum, carried
// through the layers by |W|, on ranges from interval arithmetic. Infinite where fp32 could overflow; 0 for fp64.
double mlp_error_bound_cuda(const Mlp& mlp, const DigitCode& code, Precision precision);

}  // namespace oneproxy::detail
