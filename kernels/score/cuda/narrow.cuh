#pragma once
// MLPs with hidden layers of at most 128, whole in one kernel on tensor cores: no activation leaves the registers.
//
// A warp takes tiles of 16 x m_tiles architectures. An architecture is a row of `base` (bias and the sums of its
// leading digits) and a row of `table` (the sums of its last digits). relu(base + table) are the A fragments of the
// first product; the C fragments of a layer, after bias and ReLU, are the A fragments of the next one (mma_layout.h);
// the last layer, a dot product, is summed in the lane and then over the four lanes of a row. Packed weights, biases
// and, where it fits, the table stay in shared memory for the whole life of a block. Where the table lies is known at
// compile time, so that its loads are those of that memory.
//
// In a fleet each block scores all rows for one model, and makes base, table and packed weights itself. A fleet that is
// reduced takes them in the order of quality, keeps those that may be answers, and stops where its limits are settled.
#include "oneproxy/kernels/base/device_code.cuh"
#include "oneproxy/kernels/score/cuda/block_copy.cuh"
#include "oneproxy/kernels/score/cuda/mma_layout.h"
#include "oneproxy/kernels/score/cuda/narrow.h"
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
  const uint4* fragments;               // [layers][packed words / 4]
  const float* vectors;                 // biases [layers][width], last weights [width], last bias
  const float* base;                    // [n_base][base_stride]
  const float* table;                   // [inner][table_stride]
  std::uint32_t first_tile, tile_step;  // of this warp
  std::uint32_t model;                  // of a fleet
};

// Copies what all blocks share and says where everything is.
template <class Mma, int width, TablePlace place>
ONEPROXY_DEVICE void load_shared_model(const NarrowArgs& args, std::uint32_t* fragments, float* vectors, float* table,
                                       NarrowBlock& block) {
  constexpr int stride = narrow_table_stride(Mma::kPrecision, width);
  const int words = packed_words<Mma>(width) * args.layers;
  for (int i = threadIdx.x; i < words; i += blockDim.x) fragments[i] = args.fragments[i];
  block_copy(vectors, args.vectors, (args.layers + 1) * width + 1);
  block.base = args.base;
  block.table = args.table;
  if constexpr (place == TablePlace::shared_memory) {
    for (std::uint32_t i = threadIdx.x; i < args.inner.divisor * width; i += blockDim.x)
      table[i / width * stride + i % width] = args.table[i];
    block.table = table;
  }
  const std::uint32_t warps = blockDim.x / 32;
  block.first_tile = blockIdx.x * warps + threadIdx.x / 32;
  block.tile_step = gridDim.x * warps;
}

// The same of a fleet's model of this block, from its parameters.
template <class Mma, int width>
ONEPROXY_DEVICE void load_fleet_model(const NarrowArgs& args, std::uint32_t* fragments, float* vectors, float* table,
                                      NarrowBlock& block) {
  constexpr int stride = narrow_table_stride(Mma::kPrecision, width), layer_floats = width * width + width;
  const NarrowFleet& fleet = args.fleet;
  const std::uint32_t model = blockIdx.x / fleet.slices, slice = blockIdx.x % fleet.slices;
  const float* values = fleet.parameters + std::size_t{model} * fleet.stride;
  const float* first_bias = values + std::size_t{fleet.n_values} * width;
  const float* layers = first_bias + width;  // weights [width][width], bias [width] each
  for (int i = threadIdx.x; i < packed_words<Mma>(width) * args.layers; i += blockDim.x) {
    const float* weights = layers + i / packed_words<Mma>(width) * layer_floats;
    fragments[i] = packed_word<Mma>(width, i % packed_words<Mma>(width),
                                    [&](int output, int input) { return weights[output * width + input]; });
  }
  for (int i = threadIdx.x; i < args.layers * width; i += blockDim.x)
    vectors[i] = layers[i / width * layer_floats + width * width + i % width];
  block_copy(vectors + args.layers * width, layers + args.layers * layer_floats, width + 1);
  float* base = table + args.inner.divisor * stride;
  block_sum_rows(table, stride, nullptr, values, fleet.inner_rows, args.inner.divisor, fleet.n_inner, width);
  block_sum_rows(base, stride, first_bias, values, fleet.base_rows, fleet.n_base, fleet.n_outer, width);
  block.base = base;
  block.table = table;
  const std::uint32_t warps = blockDim.x / 32;
  block.first_tile = slice * warps + threadIdx.x / 32;
  block.tile_step = fleet.slices * warps;
  block.model = model;
}

// A block's limits in shared memory, where its warps tell each other which are settled.
struct BlockLimits {
  double *bars, *sures;  // [n_limits]
  std::uint32_t* ends;   // [n_limits]
};
ONEPROXY_DEVICE BlockLimits block_limits(const NarrowBest& best) {
  auto* bars = reinterpret_cast<double*>(dynamic_shared() + best.shared_offset);
  return {bars, bars + best.n_limits, reinterpret_cast<std::uint32_t*>(bars + 2 * best.n_limits)};
}
ONEPROXY_DEVICE void load_limits(const NarrowBest& best, std::uint32_t model) {
  const BlockLimits limits = block_limits(best);
  for (int l = threadIdx.x; l < best.n_limits; l += blockDim.x) {
    const std::size_t from = std::size_t{model} * best.n_limits + l;
    limits.bars[l] = best.bars[from];
    limits.sures[l] = best.sures[from];
    limits.ends[l] = best.ends[from];
  }
}
ONEPROXY_DEVICE std::uint32_t end_of(const BlockLimits& limits, int l) {
  return *static_cast<const volatile std::uint32_t*>(limits.ends + l);
}

// For the whole warp: whether some limit is open at `place` or behind it.
ONEPROXY_DEVICE bool warp_any_open(const NarrowBest& best, std::uint32_t place) {
  const BlockLimits limits = block_limits(best);
  bool open = false;
  for (int l = 0; l < best.n_limits; ++l) open = open || place < end_of(limits, l);
  return __any_sync(0xFFFFFFFFu, open) != 0;
}

// A lane's score, where it has one: what surely keeps a limit ends its search, what may be an answer is kept.
ONEPROXY_DEVICE void warp_keep(const NarrowBest& best, std::uint32_t model, bool has, std::uint32_t place,
                               float score) {
  const BlockLimits limits = block_limits(best);
  for (int l = 0; l < best.n_limits; ++l)
    if (has && place < end_of(limits, l) && score <= limits.sures[l]) atomicMin(limits.ends + l, best.group_end[place]);
  __syncwarp();
  bool may = false;
  for (int l = 0; l < best.n_limits; ++l) may = may || (has && place < end_of(limits, l) && !(score > limits.bars[l]));
  if (!may) return;
  const unsigned long long at = atomicAdd(best.survived, 1ull);
  if (at < best.capacity) best.survivors[at] = {model, place, score};
}

// Fills shared memory in the order of NarrowPlan::shared_bytes.
template <class Mma, int width, TablePlace place>
ONEPROXY_DEVICE NarrowBlock load_block(const NarrowArgs& args) {
  auto* fragments = reinterpret_cast<std::uint32_t*>(dynamic_shared());
  auto* vectors = reinterpret_cast<float*>(fragments + packed_words<Mma>(width) * args.layers);
  float* table = vectors + (args.layers + 1) * width + 4;
  NarrowBlock block{};
  block.fragments = reinterpret_cast<const uint4*>(fragments);
  block.vectors = vectors;
  if constexpr (is_fleet(place))
    load_fleet_model<Mma, width>(args, fragments, vectors, table, block);
  else
    load_shared_model<Mma, width, place>(args, fragments, vectors, table, block);
  if constexpr (place == TablePlace::fleet_best) load_limits(args.best, block.model);
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

// Sums over the four lanes of a row, of which each holds parts of the same 2 m_tiles rows. Each lane gets another row's
// sum, row m * 16 + lane / 4 + 8 * high, so that all lanes store; with one m-tile two lanes get the same.
template <int m_tiles>
ONEPROXY_DEVICE float sum_of_own_row(const float (&parts)[m_tiles][2], int lane) {
  const bool odd = (lane & 1) != 0, upper = (lane & 2) != 0;  // of high, of m
  float sums[m_tiles];
  ONEPROXY_UNROLL
  for (int m = 0; m < m_tiles; ++m)
    sums[m] = (odd ? parts[m][1] : parts[m][0]) + __shfl_xor_sync(0xFFFFFFFFu, odd ? parts[m][0] : parts[m][1], 1);
  if constexpr (m_tiles == 1) return sums[0] + __shfl_xor_sync(0xFFFFFFFFu, sums[0], 2);
  return (upper ? sums[m_tiles - 1] : sums[0]) + __shfl_xor_sync(0xFFFFFFFFu, upper ? sums[0] : sums[m_tiles - 1], 2);
}

template <class Mma, int width, int m_tiles, bool deep, TablePlace place>
__global__ void __launch_bounds__(kNarrowThreads, narrow_resident_blocks(Mma::kPrecision, width, deep))
    narrow_kernel(const NarrowArgs args) {
  constexpr int k_tiles = width / Mma::kColumns, n_tiles = Mma::kColumns / 8, tile_rows = 16 * m_tiles;
  constexpr int group_words = n_tiles * (k_tiles / 2) * 32;  // uint4s of the weights of one group of outputs
  constexpr int table_stride = place == TablePlace::l2_cache ? width : narrow_table_stride(Mma::kPrecision, width);
  constexpr int base_stride = is_fleet(place) ? table_stride : width;
  const NarrowBlock block = load_block<Mma, width, place>(args);
  const int lane = threadIdx.x % 32, g = lane / 4, column = lane % 4 * Mma::kPerLane;
  const auto count = static_cast<std::uint32_t>(args.count);
  const std::uint32_t tiles = (count + tile_rows - 1) / tile_rows;
  const int own_row = (m_tiles == 1 ? 0 : lane % 4 / 2 * 16) + lane % 2 * 8 + g;
  const bool stores = m_tiles > 1 || lane % 4 < 2;
  for (std::uint32_t tile = block.first_tile; tile < tiles; tile += block.tile_step) {
    if constexpr (place == TablePlace::fleet_best)
      if (!warp_any_open(args.best, tile * tile_rows)) return;
    std::uint32_t a[m_tiles][k_tiles][4];
    ONEPROXY_UNROLL
    for (int m = 0; m < m_tiles; ++m) {
      // Rows of base and table of this lane's two architectures. Those past the end repeat the last one.
      const float *base[2], *table[2];
      ONEPROXY_UNROLL
      for (int high = 0; high < 2; ++high) {
        std::uint32_t at = tile * tile_rows + m * 16 + g + 8 * high;
        at = at < count ? at : count - 1;
        if constexpr (place == TablePlace::fleet_best) at = args.best.order[at];
        const std::uint32_t place_of = args.skip + at, outer = args.inner.quotient(place_of);
        base[high] = block.base + std::size_t{outer} * base_stride + column;
        table[high] = block.table + (place_of - outer * args.inner.divisor) * table_stride + column;
      }
      ONEPROXY_UNROLL
      for (int k = 0; k < k_tiles; ++k) {
        float h[2][Mma::kPerLane];
        ONEPROXY_UNROLL
        for (int high = 0; high < 2; ++high) {
          float inner[Mma::kPerLane];
          Mma::load(h[high], base[high] + k * Mma::kColumns);
          Mma::load(inner, table[high] + k * Mma::kColumns);
          ONEPROXY_UNROLL
          for (int i = 0; i < Mma::kPerLane; ++i) h[high][i] += inner[i];
        }
        Mma::activate(a[m][k], h[0], h[1]);
      }
      __syncwarp();  // keeps the compiler from loading all rows at once, for which there are no registers
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
    const float sum = sum_of_own_row<m_tiles>(score, lane) + block.vectors[(args.layers + 1) * width];
    const std::uint32_t at = tile * tile_rows + own_row;
    if constexpr (place == TablePlace::fleet_best) {
      warp_keep(args.best, block.model, stores && at < count, at, sum);
      continue;
    }
    if (!stores || at >= count) continue;
    if constexpr (place == TablePlace::fleet)
      args.scores_f32[block.model * args.count + at] = sum;
    else
      args.scores[at] = sum;
  }
}

// The kernel of a plan's width and depth; null where there is none. Static: a program with the emulation in it as well
// has two of them.
template <class Mma, TablePlace place>
static NarrowKernel narrow_kernel_of(const NarrowPlan& plan) {
  const bool deep = plan.layers > 1;
  const auto choose = [&]<int width>() -> NarrowKernel {
    constexpr int m_tiles = narrow_m_tiles(Mma::kPrecision, width);
    return deep ? narrow_kernel<Mma, width, m_tiles, true, place> : narrow_kernel<Mma, width, m_tiles, false, place>;
  };
  switch (plan.width) {
    case 32:
      return choose.template operator()<32>();
    case 64:
      return choose.template operator()<64>();
    case 128:
      return choose.template operator()<128>();
  }
  return nullptr;
}

}  // namespace oneproxy::detail
