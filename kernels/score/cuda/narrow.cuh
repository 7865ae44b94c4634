#pragma once
// MLPs with hidden layers of at most 128, whole in one kernel: no activation leaves the registers.
//
// A warp takes tiles of 16 x m_tiles architectures. An architecture is a row of `base` (bias and the sums of its
// leading digits) and a row of `table` (the sums of its last digits). relu(base + table) are the A fragments of the
// first product; the C fragments of a layer, after bias and ReLU, are the A fragments of the next one (mma_layout.h);
// the last layer, a dot product, is summed in the lane and then over the four lanes of a row. Packed weights, biases
// and, where it fits, the table stay in shared memory for the whole life of a block.
//
// In a fleet each block scores all rows for one model, and makes base, table and packed weights itself.
#include "oneproxy/kernels/base/device_code.cuh"
#include "oneproxy/kernels/score/cuda/mma_layout.h"
#include "oneproxy/kernels/score/cuda/narrow_args.h"
#include "oneproxy/kernels/score/cuda/narrow_plan.h"

namespace oneproxy::detail {

struct Bf16Mma : Bf16Layout {
  static constexpr Precision kPrecision = Precision::bf16;
  // relu of kPerLane columns of rows g and g + 8 -> a lane's registers of A.
  static ONEPROXY_DEVICE void activate(std::uint32_t* a, const float* low, const float* high) {
    a[0] = relu_bf16x2(low[0], low[1]);
    a[1] = relu_bf16x2(high[0], high[1]);
    a[2] = relu_bf16x2(low[2], low[3]);
    a[3] = relu_bf16x2(high[2], high[3]);
  }
  static ONEPROXY_DEVICE void multiply(float* c, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1) {
    mma_bf16(c, a, b0, b1);
  }
  static ONEPROXY_DEVICE void load(float* to, const float* from) {
    const float4 x = *reinterpret_cast<const float4*>(from);
    to[0] = x.x, to[1] = x.y, to[2] = x.z, to[3] = x.w;
  }
};

struct Tf32Mma : Tf32Layout {
  static constexpr Precision kPrecision = Precision::tf32;
  static ONEPROXY_DEVICE void activate(std::uint32_t* a, const float* low, const float* high) {
    a[0] = relu_tf32(low[0]);
    a[1] = relu_tf32(high[0]);
    a[2] = relu_tf32(low[1]);
    a[3] = relu_tf32(high[1]);
  }
  static ONEPROXY_DEVICE void multiply(float* c, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1) {
    mma_tf32(c, a, b0, b1);
  }
  static ONEPROXY_DEVICE void load(float* to, const float* from) {
    const float2 x = *reinterpret_cast<const float2*>(from);
    to[0] = x.x, to[1] = x.y;
  }
};

ONEPROXY_DEVICE void block_copy(float* to, const float* from, std::uint32_t n) {
  for (std::uint32_t i = threadIdx.x; i < n; i += blockDim.x) to[i] = from[i];
}

// to [n][stride] = first_bias + the sums of n_digits value rows each; rows [n][n_digits]. `bias` may be null: 0.
ONEPROXY_DEVICE void block_sum_rows(float* to, int stride, const float* bias, const float* values,
                                    const std::uint32_t* rows, std::uint32_t n, int n_digits, int width) {
  for (std::uint32_t i = threadIdx.x; i < n * width; i += blockDim.x) {
    const std::uint32_t row = i / width, column = i % width;
    float sum = bias ? bias[column] : 0.0f;
    for (int d = 0; d < n_digits; ++d) sum += values[std::size_t{rows[row * n_digits + d]} * width + column];
    to[row * stride + column] = sum;
  }
}

// What a block reads, wherever it lies.
struct NarrowBlock {
  const uint4* fragments;  // [layers][packed words / 4]
  const float* vectors;    // biases [layers][width], last weights [width], last bias
  const float* base;       // [n_base][base_stride]
  const float* table;      // [inner][table_stride]
  bool has_table;          // else the base rows are whole
  int base_stride, table_stride;
  std::uint32_t first_tile, tile_step;  // of this warp
  std::uint64_t first_score;
};

// Fills shared memory (in the order of NarrowPlan::shared_bytes) and says where everything is.
template <class Mma, int width, int m_tiles>
ONEPROXY_DEVICE NarrowBlock load_block(const NarrowArgs& args) {
  const int words = packed_words<Mma>(width) * args.layers, floats = (args.layers + 1) * width + 4;
  auto* fragments = reinterpret_cast<std::uint32_t*>(dynamic_shared());
  auto* vectors = reinterpret_cast<float*>(fragments + words);
  float* table = vectors + floats;
  const std::uint32_t warps = blockDim.x / 32, warp = threadIdx.x / 32;
  NarrowBlock block{};
  block.fragments = reinterpret_cast<const uint4*>(fragments);
  block.vectors = vectors;
  block.base = args.base;
  block.table = args.table != nullptr ? args.table : args.base;
  block.has_table = args.table != nullptr;
  block.base_stride = block.table_stride = width;
  if (args.fleet.parameters == nullptr) {
    for (int i = threadIdx.x; i < words; i += blockDim.x) fragments[i] = args.fragments[i];
    block_copy(vectors, args.vectors, (args.layers + 1) * width + 1);
    if (args.table != nullptr && args.table_in_shared) {
      for (std::uint32_t i = threadIdx.x; i < args.inner * width; i += blockDim.x)
        table[i / width * args.table_stride + i % width] = args.table[i];
      block.table = table;
      block.table_stride = args.table_stride;
    }
    block.first_tile = blockIdx.x * warps + warp;
    block.tile_step = gridDim.x * warps;
  } else {
    const NarrowFleet& fleet = args.fleet;
    const std::uint32_t model = blockIdx.x / fleet.slices, slice = blockIdx.x % fleet.slices;
    const float* values = fleet.parameters + std::size_t{model} * fleet.stride;
    const float* first_bias = values + std::size_t{fleet.n_values} * width;
    const float* layers = first_bias + width;  // weights [width][width], bias [width] each
    const int layer_floats = width * width + width;
    for (int i = threadIdx.x; i < words; i += blockDim.x) {
      const float* weights = layers + i / packed_words<Mma>(width) * layer_floats;
      fragments[i] = packed_word<Mma>(width, i % packed_words<Mma>(width),
                                      [&](int output, int input) { return weights[output * width + input]; });
    }
    for (int i = threadIdx.x; i < args.layers * width; i += blockDim.x)
      vectors[i] = layers[i / width * layer_floats + width * width + i % width];
    block_copy(vectors + args.layers * width, layers + args.layers * layer_floats, width + 1);
    float* base = table + args.inner * args.table_stride;
    block_sum_rows(table, args.table_stride, nullptr, values, fleet.inner_rows, args.inner, fleet.n_inner, width);
    block_sum_rows(base, args.table_stride, first_bias, values, fleet.base_rows, fleet.n_base, fleet.n_outer, width);
    block.table = table;
    block.has_table = true;
    block.base = base;
    block.table_stride = block.base_stride = args.table_stride;
    block.first_tile = slice * warps + warp;
    block.tile_step = fleet.slices * warps;
    block.first_score = model * args.count;
  }
  __syncthreads();
  return block;
}

// c = bias + a W for one k-tile's worth of outputs. `fragments` of this lane, `bias` of its columns.
template <class Mma, int width, int m_tiles, int n_tiles>
ONEPROXY_DEVICE void multiply_group(float (&c)[m_tiles][n_tiles][4],
                                    const std::uint32_t (&a)[m_tiles][width / Mma::kColumns][4], const uint4* fragments,
                                    const float* bias) {
  constexpr int pairs = width / Mma::kColumns / 2;
  float start[Mma::kPerLane];
  Mma::load(start, bias);
  ONEPROXY_UNROLL
  for (int m = 0; m < m_tiles; ++m) ONEPROXY_UNROLL
  for (int n = 0; n < n_tiles; ++n) ONEPROXY_UNROLL
  for (int i = 0; i < 4; ++i) c[m][n][i] = start[2 * n + (i & 1)];
  ONEPROXY_UNROLL
  for (int pair = 0; pair < pairs; ++pair) ONEPROXY_UNROLL
  for (int n = 0; n < n_tiles; ++n) {
    const uint4 b = fragments[(n * pairs + pair) * 32];
    ONEPROXY_UNROLL
    for (int m = 0; m < m_tiles; ++m) {
      Mma::multiply(c[m][n], a[m][2 * pair], b.x, b.y);
      Mma::multiply(c[m][n], a[m][2 * pair + 1], b.z, b.w);
    }
  }
}

template <class Mma, int width, int m_tiles, bool deep>
__global__ void __launch_bounds__(kNarrowThreads) narrow_kernel(const NarrowArgs args) {
  constexpr int k_tiles = width / Mma::kColumns, n_tiles = Mma::kColumns / 8, tile_rows = 16 * m_tiles;
  constexpr int group_words = n_tiles * (k_tiles / 2) * 32;  // uint4s of the weights of one group of outputs
  const NarrowBlock block = load_block<Mma, width, m_tiles>(args);
  const int lane = threadIdx.x % 32, g = lane / 4, column = lane % 4 * Mma::kPerLane;
  const auto count = static_cast<std::uint32_t>(args.count);
  const std::uint32_t tiles = (count + tile_rows - 1) / tile_rows;
  for (std::uint32_t tile = block.first_tile; tile < tiles; tile += block.tile_step) {
    // Rows of base and table of this lane's architectures: m-tile m, rows g and g + 8. Those past the end repeat the
    // last one.
    const float *base[m_tiles][2], *table[m_tiles][2];
    ONEPROXY_UNROLL
    for (int m = 0; m < m_tiles; ++m) ONEPROXY_UNROLL
    for (int high = 0; high < 2; ++high) {
      std::uint32_t at = tile * tile_rows + m * 16 + g + 8 * high;
      at = at < count ? at : count - 1;
      const std::uint32_t place = args.skip + at, outer = place / args.inner;
      base[m][high] = block.base + std::size_t{outer} * block.base_stride + column;
      table[m][high] = block.table + std::size_t{place - outer * args.inner} * block.table_stride + column;
    }
    std::uint32_t a[m_tiles][k_tiles][4];
    ONEPROXY_UNROLL
    for (int k = 0; k < k_tiles; ++k) ONEPROXY_UNROLL
    for (int m = 0; m < m_tiles; ++m) {
      float h[2][Mma::kPerLane];
      ONEPROXY_UNROLL
      for (int high = 0; high < 2; ++high) {
        Mma::load(h[high], base[m][high] + k * Mma::kColumns);
        if (block.has_table) {
          float inner[Mma::kPerLane];
          Mma::load(inner, table[m][high] + k * Mma::kColumns);
          ONEPROXY_UNROLL
          for (int i = 0; i < Mma::kPerLane; ++i) h[high][i] += inner[i];
        }
      }
      Mma::activate(a[m][k], h[0], h[1]);
    }
    const uint4* fragments = block.fragments + lane;
    const float* bias = block.vectors + column;
    if constexpr (deep)
      for (int layer = 0; layer + 1 < args.layers; ++layer) {
        std::uint32_t next[m_tiles][k_tiles][4];
        ONEPROXY_UNROLL
        for (int k = 0; k < k_tiles; ++k) {
          float c[m_tiles][n_tiles][4];
          multiply_group<Mma, width, m_tiles, n_tiles>(c, a, fragments + k * group_words, bias + k * Mma::kColumns);
          ONEPROXY_UNROLL
          for (int m = 0; m < m_tiles; ++m) {
            float low[Mma::kPerLane], high[Mma::kPerLane];
            ONEPROXY_UNROLL
            for (int i = 0; i < Mma::kPerLane; ++i) {
              low[i] = c[m][i / 2][i % 2];
              high[i] = c[m][i / 2][2 + i % 2];
            }
            Mma::activate(next[m][k], low, high);
          }
        }
        ONEPROXY_UNROLL
        for (int m = 0; m < m_tiles; ++m) ONEPROXY_UNROLL
        for (int k = 0; k < k_tiles; ++k) ONEPROXY_UNROLL
        for (int i = 0; i < 4; ++i) a[m][k][i] = next[m][k][i];
        fragments += k_tiles * group_words;
        bias += width;
      }
    const float* last = bias + width;  // the last layer's weights lie behind the biases
    float score[m_tiles][2] = {};
    ONEPROXY_UNROLL
    for (int k = 0; k < k_tiles; ++k) {
      float c[m_tiles][n_tiles][4], weights[Mma::kPerLane];
      multiply_group<Mma, width, m_tiles, n_tiles>(c, a, fragments + k * group_words, bias + k * Mma::kColumns);
      Mma::load(weights, last + k * Mma::kColumns);
      ONEPROXY_UNROLL
      for (int m = 0; m < m_tiles; ++m) ONEPROXY_UNROLL
      for (int i = 0; i < Mma::kPerLane; ++i) ONEPROXY_UNROLL
      for (int high = 0; high < 2; ++high)
        score[m][high] = fmaf(fmaxf(c[m][i / 2][2 * high + i % 2], 0.0f), weights[i], score[m][high]);
    }
    const float last_bias = block.vectors[(args.layers + 1) * width];
    ONEPROXY_UNROLL
    for (int m = 0; m < m_tiles; ++m) ONEPROXY_UNROLL
    for (int high = 0; high < 2; ++high) {
      float sum = score[m][high];
      sum += __shfl_xor_sync(0xFFFFFFFFu, sum, 1);
      sum += __shfl_xor_sync(0xFFFFFFFFu, sum, 2);
      const std::uint32_t at = tile * tile_rows + m * 16 + g + 8 * high;
      if (column == 0 && at < count) {
        if (args.scores_f32 != nullptr)
          args.scores_f32[block.first_score + at] = sum + last_bias;
        else
          args.scores[at] = sum + last_bias;
      }
    }
  }
}

// fp32 without tensor cores: one thread an architecture, its activations in registers, weights broadcast from shared
// memory. vectors as above; weights [layers][width outputs][width inputs] in the place of the fragments.
template <int width, bool deep>
__global__ void __launch_bounds__(kNarrowThreads) narrow_fp32_kernel(const NarrowArgs args) {
  const int words = width * width * args.layers;
  auto* weights = reinterpret_cast<float*>(dynamic_shared());
  float* vectors = weights + words;
  float* shared_table = vectors + (args.layers + 1) * width + 4;
  block_copy(weights, reinterpret_cast<const float*>(args.fragments), words);
  block_copy(vectors, args.vectors, (args.layers + 1) * width + 1);
  if (args.table != nullptr && args.table_in_shared)
    for (std::uint32_t i = threadIdx.x; i < args.inner * width; i += blockDim.x)
      shared_table[i / width * args.table_stride + i % width] = args.table[i];
  __syncthreads();
  const float* tables = args.table == nullptr ? args.base : args.table_in_shared ? shared_table : args.table;
  const int table_stride = args.table_in_shared ? args.table_stride : width;
  for (std::uint64_t at = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; at < args.count;
       at += std::uint64_t{gridDim.x} * blockDim.x) {
    const auto place = static_cast<std::uint32_t>(args.skip + at);
    const std::uint32_t outer = place / args.inner;
    const float* base = args.base + std::size_t{outer} * width;
    const float* table = tables + std::size_t{place - outer * args.inner} * table_stride;
    float h[width];
    ONEPROXY_UNROLL
    for (int k = 0; k < width; k += 4) {
      float4 x = *reinterpret_cast<const float4*>(base + k);
      if (args.table != nullptr) {
        const float4 y = *reinterpret_cast<const float4*>(table + k);
        x.x += y.x, x.y += y.y, x.z += y.z, x.w += y.w;
      }
      h[k] = fmaxf(x.x, 0.0f), h[k + 1] = fmaxf(x.y, 0.0f), h[k + 2] = fmaxf(x.z, 0.0f), h[k + 3] = fmaxf(x.w, 0.0f);
    }
    const auto neuron = [&](const float* row, float bias) {
      float sums[4] = {bias, 0, 0, 0};
      ONEPROXY_UNROLL
      for (int k = 0; k < width; k += 4) {
        const float4 w = *reinterpret_cast<const float4*>(row + k);
        sums[0] = fmaf(w.x, h[k], sums[0]);
        sums[1] = fmaf(w.y, h[k + 1], sums[1]);
        sums[2] = fmaf(w.z, h[k + 2], sums[2]);
        sums[3] = fmaf(w.w, h[k + 3], sums[3]);
      }
      return fmaxf((sums[0] + sums[1]) + (sums[2] + sums[3]), 0.0f);
    };
    const float *rows = weights, *bias = vectors;
    if constexpr (deep)
      for (int layer = 0; layer + 1 < args.layers; ++layer) {
        float next[width];
        ONEPROXY_UNROLL
        for (int j = 0; j < width; ++j) next[j] = neuron(rows + j * width, bias[j]);
        ONEPROXY_UNROLL
        for (int j = 0; j < width; ++j) h[j] = next[j];
        rows += width * width;
        bias += width;
      }
    float score = vectors[(args.layers + 1) * width];
    for (int j = 0; j < width; ++j) score = fmaf(neuron(rows + j * width, bias[j]), bias[width + j], score);
    args.scores[at] = score;
  }
}

}  // namespace oneproxy::detail
