#pragma once
// The filter of a reduction: over scores in memory, and over two tables of which no score leaves the registers.
#include "oneproxy/kernels/score/cuda/filter.h"
#include "oneproxy/kernels/score/cuda/table_kernels.cuh"

namespace oneproxy::detail {

struct SurvivorList {
  unsigned long long* count = nullptr;  // of all, also of those that found no place
  Survivor* points = nullptr;
  std::uint64_t capacity = 0;
};

struct ReduceArgs {
  Filter filter;
  SurvivorList survivors;
};

ONEPROXY_DEVICE void keep_survivor(const ReduceArgs& args, std::uint64_t position, double latency, double quality) {
  if (!may_count(args.filter, latency, quality)) return;
  const unsigned long long at = atomicAdd(args.survivors.count, 1ull);
  if (at < args.survivors.capacity) args.survivors.points[at] = {position, latency, quality};
}

// scores [n_models][stride].
[[maybe_unused]] static __global__ void reduce_kernel(const ReduceArgs args, const double* scores, std::uint64_t stride,
                                                      int latency, int quality, std::uint64_t first,
                                                      std::uint32_t count) {
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
    keep_survivor(args, first + i, scores[latency * stride + i], scores[quality * stride + i]);
}

// Tables alone: no score leaves the registers. A thread sums a prefix for both tables and runs through the leaf, or a
// segment of it: one addition a table and architecture, in the order of the definition. Positions count from `first`,
// the position of the first architecture behind `skip`.
[[maybe_unused]] static __global__ void reduce_tables_kernel(const ReduceArgs args, const TableArgs latency,
                                                             const TableArgs quality, const Places places,
                                                             std::uint32_t n_prefixes, std::uint32_t skip,
                                                             std::uint64_t first, std::uint64_t count) {
  const Leaf leaf = latency.leaf;
  const bool same = latency.weights == quality.weights;
  const std::uint64_t n_tasks = std::uint64_t{n_prefixes} * leaf.segments;
  for (std::uint64_t task = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; task < n_tasks;
       task += std::uint64_t{gridDim.x} * blockDim.x) {
    const std::uint64_t number = leaf.segments == 1 ? task : task / leaf.segments;
    const auto segment = static_cast<std::uint32_t>(task - number * leaf.segments);
    const std::uint32_t from = segment * leaf.segment;
    const std::uint32_t to = from + leaf.segment < leaf.last ? from + leaf.segment : leaf.last;
    const std::uint64_t offset = number * leaf.size;
    const Prefix x = sum_prefix(latency, places, offset, leaf.first);
    const Prefix y = same ? x : sum_prefix(quality, places, offset, leaf.first);
    const bool has_leaf = leaf.first < latency.n_digits;
    const int last = latency.n_digits - 1;
    const double* x_last = has_leaf ? x.weights + latency.digits[last].offset : nullptr;
    const double* y_last = has_leaf ? y.weights + quality.digits[last].offset : nullptr;
    for (std::uint32_t row = 0; row < leaf.size; row += leaf.last) {
      const double x_row = has_leaf ? sum_leaf(latency, x, row, last) : x.sum;
      const double y_row = same || !has_leaf ? y.sum : sum_leaf(quality, y, row, last);
      const std::uint64_t position = offset + row - skip;  // wraps below 0 before the run's first architecture
      for (std::uint32_t value = from; value < to; ++value) {
        if (position + value >= count) continue;
        const double x_score = has_leaf ? x_row + x_last[value] : x_row;
        const double y_score = same ? x_score : has_leaf ? y_row + y_last[value] : y_row;
        keep_survivor(args, first + position + value, x_score, y_score);
      }
    }
  }
}

}  // namespace oneproxy::detail
