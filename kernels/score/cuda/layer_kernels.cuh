#pragma once
// Layers that are no fused kernel: fp64 in the order of the definition, and what stands around the matrix products of
// wide MLPs.
#include "oneproxy/kernels/base/device_code.cuh"
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
