#include "oneproxy/kernels/score/cuda/narrow.cuh"

namespace oneproxy::detail {

NarrowKernel narrow_fleet(const NarrowPlan& plan) {
  return plan.precision == Precision::bf16 ? narrow_kernel_of<Bf16Mma, TablePlace::fleet>(plan)
                                           : narrow_kernel_of<Tf32Mma, TablePlace::fleet>(plan);
}

}  // namespace oneproxy::detail
