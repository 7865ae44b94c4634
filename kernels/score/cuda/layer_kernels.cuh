#pragma once
// Layers that are no fused kernel: fp64 in the order of the definition, and what stands around the matrix products of
// wide MLPs.
#include "oneproxy/kernels/base/device_code.cuh"
#include "oneproxy/kernels/score/cuda/divider.h"
#include "oneproxy/kernels/score/cuda/mma_layout.h"

namespace oneproxy::detail {

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

// What the wide path stores between layers, eight values at a time: 16 bytes of bf16.
struct Bf16 {
  std::uint16_t bits;
};
struct Eight {
  float values[8];
};

ONEPROXY_DEVICE Eight load_eight(const float* from) {
  const auto* quads = reinterpret_cast<const float4*>(from);
  const float4 a = quads[0], b = quads[1];
  return {{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w}};
}
ONEPROXY_DEVICE float bf16_value(std::uint32_t upper_half) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(upper_half);
#else
  return std::bit_cast<float>(upper_half);
#endif
}
ONEPROXY_DEVICE Eight load_eight(const Bf16* from) {
  const uint4 pairs = *reinterpret_cast<const uint4*>(from);
  const std::uint32_t words[4] = {pairs.x, pairs.y, pairs.z, pairs.w};
  Eight eight;
  ONEPROXY_UNROLL
  for (int i = 0; i < 4; ++i) {
    eight.values[2 * i] = bf16_value(words[i] << 16);
    eight.values[2 * i + 1] = bf16_value(words[i] & 0xFFFF0000u);
  }
  return eight;
}
// to [8] = relu.
ONEPROXY_DEVICE void store_relu(float* to, const Eight& eight) {
  const auto relu = [&](int i) { return fmaxf(eight.values[i], 0.0f); };
  auto* quads = reinterpret_cast<float4*>(to);
  quads[0] = {relu(0), relu(1), relu(2), relu(3)};
  quads[1] = {relu(4), relu(5), relu(6), relu(7)};
}
ONEPROXY_DEVICE void store_relu(Bf16* to, const Eight& eight) {
  const auto pair = [&](int i) { return relu_bf16x2(eight.values[2 * i], eight.values[2 * i + 1]); };
  *reinterpret_cast<uint4*>(to) = {pair(0), pair(1), pair(2), pair(3)};
}

// activations [n][width] = relu(base row (skip + i) / inner + table row (skip + i) % inner). A thread eight
// neighbouring columns; eights = width / 8, n * eights < 2^31.
template <class Stored>
__global__ void activation_kernel(const float* base, const float* table, const Divider inner, std::uint32_t skip,
                                  std::uint32_t n, const Divider eights, Stored* activations) {
  const std::uint32_t total = n * eights.divisor, width = 8 * eights.divisor;
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < total; i += gridDim.x * blockDim.x) {
    const std::uint32_t row = eights.quotient(i), column = 8 * (i - row * eights.divisor);
    const std::uint32_t place = skip + row, outer = inner.quotient(place);
    Eight sum = load_eight(base + std::size_t{outer} * width + column);
    const Eight rest = load_eight(table + std::size_t{place - outer * inner.divisor} * width + column);
    ONEPROXY_UNROLL
    for (int k = 0; k < 8; ++k) sum.values[k] += rest.values[k];
    store_relu(activations + 8 * std::size_t{i}, sum);
  }
}

// scores [n] = bias + weights . activations [n][8 eights]. Eight lanes an architecture; the lanes of a warp stay
// together.
template <class Stored>
__global__ void last_layer_kernel(const Stored* activations, std::uint32_t n, int eights, const float* weights,
                                  float bias, double* scores) {
  const std::uint32_t lane = threadIdx.x % 8, of_block = blockDim.x / 8;
  for (std::uint32_t first = blockIdx.x * of_block + threadIdx.x / 32 * 4; first < n; first += gridDim.x * of_block) {
    const std::uint32_t row = first + threadIdx.x / 8 % 4, known = row < n ? row : n - 1;
    const Stored* own = activations + std::size_t{known} * 8 * static_cast<std::uint32_t>(eights);
    float sum = 0;
    for (int k = static_cast<int>(lane); k < eights; k += 8) {
      const Eight x = load_eight(own + 8 * k), w = load_eight(weights + 8 * k);
      ONEPROXY_UNROLL
      for (int i = 0; i < 8; ++i) sum = fmaf(x.values[i], w.values[i], sum);
    }
    ONEPROXY_UNROLL
    for (int mask = 4; mask > 0; mask /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, mask);
    if (lane == 0 && row < n) scores[row] = sum + bias;
  }
}

}  // namespace oneproxy::detail
