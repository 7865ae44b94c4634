#pragma once
// Kernels of the CUDA twin of Scorer, but for the fused MLPs (score_narrow.cuh) and the matrix products of the wide
// ones: sums of tables, the first layer, layers in one fixed order, the filter of a reduction.
#include "oneproxy/kernels/base/device_code.cuh"
#include "oneproxy/kernels/score/cuda/plan.h"

namespace oneproxy::detail {

inline constexpr int kScoreThreads = 256;

// ---- tables ------------------------------------------------------------------------------------------------------

struct TableArgs {
  const double* weights = nullptr;  // [n_tables, length]
  const double* bias = nullptr;     // [n_tables]
  std::uint64_t length = 0;
  bool digit_0_selects = false;
  const DigitGroup* digits = nullptr;  // [n_digits], one digit each
  int n_digits = 0;
  Leaf leaf;
};

struct Prefix {
  double sum;
  const double* weights;  // of the table that digit 0 selects
};

// Bias and the weights of the digits before the leaf; `offset` in architectures.
ONEPROXY_DEVICE Prefix sum_prefix(const TableArgs& table, const Places& places, std::uint64_t offset, int n_digits) {
  Prefix prefix{table.bias[0], table.weights};
  each_group(places, table.digits, n_digits, offset, [&](int d, std::uint32_t value) {
    if (d == 0 && table.digit_0_selects) prefix = {table.bias[value], table.weights + value * table.length};
    prefix.sum += prefix.weights[table.digits[d].offset + value];
  });
  return prefix;
}

// sum + weights of the leaf's digits first .. end-1, `rest` being their place in the leaf.
ONEPROXY_DEVICE double sum_leaf(const TableArgs& table, Prefix prefix, std::uint32_t rest, int end) {
  for (int d = table.leaf.first; d < end; ++d) {
    const auto stride = static_cast<std::uint32_t>(table.digits[d].stride);
    const std::uint32_t value = rest / stride;
    rest -= value * stride;
    prefix.sum += prefix.weights[table.digits[d].offset + value];
  }
  return prefix.sum;
}

// One thread a prefix, all digits for a list or a shuffled run (leaf.first = n_digits).
[[maybe_unused]] static __global__ void prefix_kernel(const TableArgs table, const Places places, std::uint32_t n,
                                                      Prefix* prefixes) {
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    prefixes[i] = sum_prefix(table, places, std::uint64_t{i} * table.leaf.size, table.leaf.first);
}

// One thread an architecture: its prefix and its leaf.
[[maybe_unused]] static __global__ void leaf_kernel(const TableArgs table, const Prefix* prefixes, std::uint32_t skip,
                                                    std::uint32_t count, double* scores) {
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const std::uint32_t place = skip + i, prefix = place / table.leaf.size;
    scores[i] = sum_leaf(table, prefixes[prefix], place - prefix * table.leaf.size, table.n_digits);
  }
}

[[maybe_unused]] static __global__ void whole_kernel(const TableArgs table, const Places places, std::uint32_t count,
                                                     double* scores) {
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
    scores[i] = sum_prefix(table, places, i, table.n_digits).sum;
}

// ---- reductions --------------------------------------------------------------------------------------------------

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

// ---- the first layer of an MLP -----------------------------------------------------------------------------------

template <class Real>
struct FirstLayerArgs {
  const DigitGroup* groups = nullptr;
  int n_groups = 0;                    // that are summed
  const Real* table = nullptr;         // [rows, width]
  const Real* bias = nullptr;          // [width]
  const std::int32_t* rows = nullptr;  // [values, parts] rows of the table, -1: none; null: a value is its row
  int parts = 1, width = 0;
};

inline constexpr int kFirstLayerRows = 8;  // architectures of a block at a time

// sums [n][width] = bias + the rows of the groups, group after group, of every `step`-th architecture.
template <class Real>
__global__ void first_layer_kernel(const FirstLayerArgs<Real> layer, const Places places, std::uint64_t step,
                                   std::uint32_t n, Real* sums) {
  auto* values = reinterpret_cast<std::uint32_t*>(dynamic_shared());  // [kFirstLayerRows][n_groups]
  for (std::uint32_t begin = blockIdx.x * kFirstLayerRows; begin < n; begin += gridDim.x * kFirstLayerRows) {
    const std::uint32_t rows = n - begin < kFirstLayerRows ? n - begin : kFirstLayerRows;
    if (threadIdx.x < rows)
      each_group(places, layer.groups, layer.n_groups, (std::uint64_t{begin} + threadIdx.x) * step,
                 [&](int g, std::uint32_t value) {
                   values[threadIdx.x * layer.n_groups + g] = layer.groups[g].offset + value;
                 });
    __syncthreads();
    for (std::uint32_t i = threadIdx.x; i < rows * layer.width; i += blockDim.x) {
      const std::uint32_t row = i / layer.width, column = i % layer.width;
      Real sum = layer.bias[column];
      for (int g = 0; g < layer.n_groups; ++g) {
        const std::size_t value = values[row * layer.n_groups + g];
        if (layer.rows == nullptr) {
          sum += layer.table[value * layer.width + column];
          continue;
        }
        for (int part = 0; part < layer.parts; ++part) {
          const std::int32_t at = layer.rows[value * layer.parts + part];
          if (at >= 0) sum += layer.table[static_cast<std::size_t>(at) * layer.width + column];
        }
      }
      sums[(std::size_t{begin} + row) * layer.width + column] = sum;
    }
    __syncthreads();  // before the next rows' values
  }
}

// ---- layers ------------------------------------------------------------------------------------------------------

// out [n][outputs] = bias + W relu(in [n][inputs]), inputs ascending: the order of score_by_definition. weights
// [inputs][outputs], so that neighbouring threads read neighbouring weights. One thread an output.
[[maybe_unused]] static __global__ void dense_fp64_kernel(const double* in, std::uint32_t n, int inputs, int outputs,
                                                          const double* weights, const double* bias, double* out) {
  const std::uint64_t total = std::uint64_t{n} * outputs;
  for (std::uint64_t i = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < total;
       i += std::uint64_t{gridDim.x} * blockDim.x) {
    const auto row = static_cast<std::uint32_t>(i / outputs);
    const int output = static_cast<int>(i - std::uint64_t{row} * outputs);
    const double* x = in + std::size_t{row} * inputs;
    double sum = bias[output];
    for (int k = 0; k < inputs; ++k)
      sum += weights[std::size_t{static_cast<unsigned>(k)} * outputs + output] * (x[k] > 0 ? x[k] : 0.0);
    out[i] = sum;
  }
}

// What the wide path stores between layers.
struct Bf16 {
  std::uint16_t bits;
};
ONEPROXY_DEVICE void store(Bf16& to, float value) { to.bits = static_cast<std::uint16_t>(bf16_bits(value)); }
ONEPROXY_DEVICE void store(float& to, float value) { to = value; }
ONEPROXY_DEVICE float fetch(float from) { return from; }
ONEPROXY_DEVICE float fetch(Bf16 from) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(std::uint32_t{from.bits} << 16);
#else
  return std::bit_cast<float>(std::uint32_t{from.bits} << 16);
#endif
}

// activations [n][width] = relu(base row + table row); table null: the base rows are whole. A thread an element.
template <class Stored>
__global__ void activation_kernel(const float* base, const float* table, std::uint32_t inner, std::uint32_t skip,
                                  std::uint32_t n, int width, Stored* activations) {
  const std::uint64_t total = std::uint64_t{n} * width;
  for (std::uint64_t i = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < total;
       i += std::uint64_t{gridDim.x} * blockDim.x) {
    const auto row = static_cast<std::uint32_t>(i / width);
    const auto column = static_cast<std::uint32_t>(i - std::uint64_t{row} * width);
    const std::uint32_t place = skip + row, outer = place / inner;
    float sum = base[std::size_t{outer} * width + column];
    if (table != nullptr) sum += table[std::size_t{place - outer * inner} * width + column];
    store(activations[i], fmaxf(sum, 0.0f));
  }
}

// scores [n] = bias + weights . activations [n][width]. One warp an architecture; all warps of a block stay together.
template <class Stored>
__global__ void last_layer_kernel(const Stored* activations, std::uint32_t n, int width, const float* weights,
                                  float bias, double* scores) {
  const std::uint32_t warps = blockDim.x / 32, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (std::uint32_t row = blockIdx.x * warps + warp; row < n; row += gridDim.x * warps) {
    float sum = 0;
    for (int k = static_cast<int>(lane); k < width; k += 32)
      sum = fmaf(fetch(activations[std::size_t{row} * width + k]), weights[k], sum);
    for (int mask = 16; mask > 0; mask /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, mask);
    if (lane == 0) scores[row] = sum + bias;
  }
}

}  // namespace oneproxy::detail
