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
  const TableArgs* const tables[2] = {&latency, &quality};
  const std::uint64_t n_tasks = std::uint64_t{n_prefixes} * leaf.segments;
  for (std::uint64_t task = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; task < n_tasks;
       task += std::uint64_t{gridDim.x} * blockDim.x) {
    const std::uint64_t number = leaf.segments == 1 ? task : task / leaf.segments;
    const auto segment = static_cast<std::uint32_t>(task - number * leaf.segments);
    const std::uint64_t offset = number * leaf.size;
    Prefix prefixes[2];
    sum_prefixes(tables, places, offset, leaf.first, prefixes);
    const std::uint64_t before = offset - skip;  // wraps below 0 before the run's first architecture
    if (leaf.first == latency.n_digits) {
      if (before < count) keep_survivor(args, first + before, prefixes[0].sum, prefixes[1].sum);
      continue;
    }
    const int last = latency.n_digits - 1;
    const double* x_last = prefixes[0].weights + latency.digits[last].offset;
    const double* y_last = prefixes[1].weights + latency.digits[last].offset;
    for (std::uint32_t row = 0; row < leaf.size; row += leaf.last) {
      double sums[2];
      sum_leaves(latency, prefixes, row, last, sums);
      for (std::uint32_t value = segment; value < leaf.last; value += leaf.segments) {
        const std::uint64_t position = before + row + value;
        if (position < count) keep_survivor(args, first + position, sums[0] + x_last[value], sums[1] + y_last[value]);
      }
    }
  }
}

}  // namespace oneproxy::detail
