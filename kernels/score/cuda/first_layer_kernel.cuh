#pragma once
// The first layer of an MLP from the tables of first_layer.h, or from the rows themselves.
#include "oneproxy/kernels/base/device_code.cuh"
#include "oneproxy/kernels/score/cuda/places.h"

namespace oneproxy::detail {

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

}  // namespace oneproxy::detail
