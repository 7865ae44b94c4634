#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/cuda/narrow.cuh"
#include "oneproxy/kernels/score/cuda/narrow.h"

namespace oneproxy::detail {

NarrowKernel narrow_fp32(const NarrowPlan& plan) {
  const bool deep = plan.layers > 1;
  switch (plan.width) {
    case 32:
      return deep ? narrow_fp32_kernel<32, true> : narrow_fp32_kernel<32, false>;
    case 64:
      return deep ? narrow_fp32_kernel<64, true> : narrow_fp32_kernel<64, false>;
    case 128:
      if (!deep) return narrow_fp32_kernel<128, false>;
  }
  throw Error("score: no fused fp32 kernel is " + std::to_string(plan.width) + " wide and " +
              std::to_string(plan.layers) + " deep; there are 32, 64 and, one deep, 128");
}

}  // namespace oneproxy::detail
