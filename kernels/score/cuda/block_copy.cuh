#pragma once
// Copies by all threads of a block.
#include "oneproxy/kernels/base/device_code.cuh"

namespace oneproxy::detail {

ONEPROXY_DEVICE void block_copy(float* to, const float* from, std::uint32_t n) {
  for (std::uint32_t i = threadIdx.x; i < n; i += blockDim.x) to[i] = from[i];
}

}  // namespace oneproxy::detail
