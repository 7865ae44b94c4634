#pragma once
// The few things that kernels need beyond C++. A kernel that uses only these also runs on the CPU: a test includes
// tests/support/simt_on_host.h first, which defines them, threadIdx and the barriers by one coroutine a thread.
#include <cstdint>

#include "oneproxy/kernels/base/index.h"

#if defined(__CUDACC__)
#define ONEPROXY_DEVICE __device__ __forceinline__
#define ONEPROXY_UNROLL _Pragma("unroll")

namespace oneproxy::detail {

ONEPROXY_DEVICE char* dynamic_shared() {
  extern __shared__ __align__(16) char shared_bytes[];
  return shared_bytes;
}

// c [16, 8] += a [16, 16] b [16, 8] over the warp.
ONEPROXY_DEVICE void mma_bf16(float* c, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
// c [16, 8] += a [16, 8] b [8, 8] over the warp.
ONEPROXY_DEVICE void mma_tf32(float* c, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// relu of two values, rounded to bf16; `low` in the lower half.
ONEPROXY_DEVICE std::uint32_t relu_bf16x2(float low, float high) {
  std::uint32_t packed;
  asm("cvt.rn.relu.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
}
ONEPROXY_DEVICE std::uint32_t relu_tf32(float value) {
  std::uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(fmaxf(value, 0.0f)));
  return bits;
}

}  // namespace oneproxy::detail

#elif !defined(ONEPROXY_SIMT_ON_HOST)
#error "device code: compile with nvcc, or include tests/support/simt_on_host.h first"
#endif
