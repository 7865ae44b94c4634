#pragma once
// The narrow MLPs of narrow.cuh in fp32, which tensor cores have not.
#include "oneproxy/kernels/base/device_code.cuh"
#include "oneproxy/kernels/score/cuda/block_copy.cuh"
#include "oneproxy/kernels/score/cuda/narrow.h"

namespace oneproxy::detail {

// One thread an architecture, its activations in registers, weights broadcast from shared
// memory. vectors as above; weights [layers][width outputs][width inputs] in the place of the fragments.
template <int width, bool deep, TablePlace place>
__global__ void __launch_bounds__(kNarrowThreads) narrow_fp32_kernel(const NarrowArgs args) {
  constexpr int table_stride = place == TablePlace::shared_memory ? narrow_table_stride(Precision::fp32, width) : width;
  const int words = width * width * args.layers;
  auto* weights = reinterpret_cast<float*>(dynamic_shared());
  float* vectors = weights + words;
  float* shared_table = vectors + (args.layers + 1) * width + 4;
  block_copy(weights, reinterpret_cast<const float*>(args.fragments), words);
  block_copy(vectors, args.vectors, (args.layers + 1) * width + 1);
  const float* tables = args.table;
  if constexpr (place == TablePlace::shared_memory) {
    for (std::uint32_t i = threadIdx.x; i < args.inner.divisor * width; i += blockDim.x)
      shared_table[i / width * table_stride + i % width] = args.table[i];
    tables = shared_table;
  }
  __syncthreads();
  for (std::uint64_t at = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; at < args.count;
       at += std::uint64_t{gridDim.x} * blockDim.x) {
    const std::uint32_t place_of = args.skip + static_cast<std::uint32_t>(at);
    const std::uint32_t outer = args.inner.quotient(place_of);
    const float* base = args.base + std::size_t{outer} * width;
    const float* table = tables + (place_of - outer * args.inner.divisor) * table_stride;
    float h[width];
    ONEPROXY_UNROLL
    for (int k = 0; k < width; k += 4) {
      float4 x = *reinterpret_cast<const float4*>(base + k);
      const float4 y = *reinterpret_cast<const float4*>(table + k);
      x.x += y.x, x.y += y.y, x.z += y.z, x.w += y.w;
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

// The kernel of a plan's width and depth; null where there is none. Static, as in narrow.cuh.
template <TablePlace place>
static NarrowKernel narrow_fp32_kernel_of(const NarrowPlan& plan) {
  const bool deep = plan.layers > 1;
  if (plan.width == 32) return deep ? narrow_fp32_kernel<32, true, place> : narrow_fp32_kernel<32, false, place>;
  if (plan.width == 64) return deep ? narrow_fp32_kernel<64, true, place> : narrow_fp32_kernel<64, false, place>;
  return plan.width == 128 && !deep ? narrow_fp32_kernel<128, false, place> : nullptr;
}

}  // namespace oneproxy::detail
