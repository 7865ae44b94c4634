#pragma once
// The first layer of an MLP from the tables of first_layer.h, or from the rows themselves.
#include <algorithm>

#include "oneproxy/kernels/base/device_code.cuh"
#include "oneproxy/kernels/score/cuda/divider.h"
#include "oneproxy/kernels/score/cuda/places.h"

namespace oneproxy::detail {

template <class Real>
struct FirstLayerArgs {
  const PlaceGroup* groups = nullptr;
  int n_groups = 0;                    // that are summed
  const Real* table = nullptr;         // [rows, width]
  const Real* bias = nullptr;          // [width]
  const std::int32_t* rows = nullptr;  // [values, parts] rows of the table, -1: none; null: a value is its row
  int parts = 1, width = 0;
  static constexpr int columns = sizeof(Real) == 4 ? 4 : 1;  // of a thread; they divide the width
  Divider pieces;                                            // width / columns
  std::uint32_t block_rows = 1;  // architectures of a block at a time: a warp decodes their digits

  FirstLayerArgs(const PlaceGroup* groups, int n_groups, const Real* table, const Real* bias, const std::int32_t* rows,
                 int parts, int width)
      : groups(groups),
        n_groups(n_groups),
        table(table),
        bias(bias),
        rows(rows),
        parts(parts),
        width(width),
        pieces(static_cast<std::uint32_t>(width / columns)),
        block_rows(static_cast<std::uint32_t>(std::clamp(kSharedBytes / (4 * std::max(n_groups, 1)), 1, 32))) {}
  std::size_t shared_bytes() const { return std::size_t{4} * block_rows * static_cast<std::size_t>(n_groups); }

 private:
  static constexpr int kSharedBytes = 48 * 1024;
};

// Neighbouring columns of a thread: 16 bytes of fp32.
ONEPROXY_DEVICE void set_columns(float (&to)[4], const float* from) {
  const float4 x = *reinterpret_cast<const float4*>(from);
  to[0] = x.x, to[1] = x.y, to[2] = x.z, to[3] = x.w;
}
ONEPROXY_DEVICE void set_columns(double (&to)[1], const double* from) { to[0] = *from; }
ONEPROXY_DEVICE void store_columns(float* to, const float (&from)[4]) {
  *reinterpret_cast<float4*>(to) = {from[0], from[1], from[2], from[3]};
}
ONEPROXY_DEVICE void store_columns(double* to, const double (&from)[1]) { *to = from[0]; }

// sums [n][width] = bias + the rows of the groups, group after group, of every `step`-th architecture.
template <class Real>
__global__ void first_layer_kernel(const FirstLayerArgs<Real> layer, const Places places, std::uint64_t step,
                                   std::uint32_t n, Real* sums) {
  constexpr int columns = FirstLayerArgs<Real>::columns;
  const std::uint32_t block_rows = layer.block_rows;
  auto* values = reinterpret_cast<std::uint32_t*>(dynamic_shared());  // [block_rows][n_groups]
  for (std::uint32_t begin = blockIdx.x * block_rows; begin < n; begin += gridDim.x * block_rows) {
    const std::uint32_t rows = n - begin < block_rows ? n - begin : block_rows;
    if (threadIdx.x < rows)
      each_group(places, layer.groups, layer.n_groups, (std::uint64_t{begin} + threadIdx.x) * step,
                 [&](int g, std::uint32_t value) {
                   values[threadIdx.x * layer.n_groups + g] = layer.groups[g].offset + value;
                 });
    __syncthreads();
    for (std::uint32_t i = threadIdx.x; i < rows * layer.pieces.divisor; i += blockDim.x) {
      const std::uint32_t row = layer.pieces.quotient(i), column = columns * (i - row * layer.pieces.divisor);
      Real sum[columns], more[columns];
      set_columns(sum, layer.bias + column);
      const auto add = [&](std::size_t table_row) {
        set_columns(more, layer.table + table_row * layer.width + column);
        ONEPROXY_UNROLL
        for (int c = 0; c < columns; ++c) sum[c] += more[c];
      };
      for (int g = 0; g < layer.n_groups; ++g) {
        const std::size_t value = values[row * layer.n_groups + g];
        if (layer.rows == nullptr) {
          add(value);
          continue;
        }
        for (int part = 0; part < layer.parts; ++part) {
          const std::int32_t at = layer.rows[value * layer.parts + part];
          if (at >= 0) add(static_cast<std::size_t>(at));
        }
      }
      store_columns(sums + (std::size_t{begin} + row) * layer.width + column, sum);
    }
    __syncthreads();  // before the next rows' values
  }
}

}  // namespace oneproxy::detail
