#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/cuda/narrow.cuh"
#include "oneproxy/kernels/score/cuda/narrow.h"

namespace oneproxy::detail {

NarrowKernel narrow_tf32(const NarrowPlan& plan) {
  const bool deep = plan.layers > 1;
  switch (plan.width) {
    case 32:
      return deep ? narrow_kernel<Tf32Mma, 32, 2, true> : narrow_kernel<Tf32Mma, 32, 2, false>;
    case 64:
      return deep ? narrow_kernel<Tf32Mma, 64, 2, true> : narrow_kernel<Tf32Mma, 64, 2, false>;
    case 128:
      return deep ? narrow_kernel<Tf32Mma, 128, 1, true> : narrow_kernel<Tf32Mma, 128, 1, false>;
  }
  throw Error("score: no fused tf32 kernel is " + std::to_string(plan.width) + " wide; there are 32, 64, 128");
}

}  // namespace oneproxy::detail
