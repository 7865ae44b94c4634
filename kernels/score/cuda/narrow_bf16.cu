#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/cuda/narrow.cuh"
#include "oneproxy/kernels/score/cuda/narrow.h"

namespace oneproxy::detail {

NarrowKernel narrow_bf16(const NarrowPlan& plan) {
  const bool deep = plan.layers > 1;
  switch (plan.width) {
    case 32:
      return deep ? narrow_kernel<Bf16Mma, 32, 2, true> : narrow_kernel<Bf16Mma, 32, 2, false>;
    case 64:
      return deep ? narrow_kernel<Bf16Mma, 64, 2, true> : narrow_kernel<Bf16Mma, 64, 2, false>;
    case 128:
      return deep ? narrow_kernel<Bf16Mma, 128, 2, true> : narrow_kernel<Bf16Mma, 128, 2, false>;
  }
  throw Error("score: no fused bf16 kernel is " + std::to_string(plan.width) + " wide; there are 32, 64, 128");
}

}  // namespace oneproxy::detail
