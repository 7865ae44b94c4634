#include "oneproxy/kernels/score/cuda/narrow.cuh"

namespace oneproxy::detail {

NarrowKernel narrow_fleet_best(const NarrowPlan& plan) {
  return plan.precision == Precision::bf16 ? narrow_kernel_of<Bf16Mma, TablePlace::fleet_best>(plan)
                                           : narrow_kernel_of<Tf32Mma, TablePlace::fleet_best>(plan);
}

}  // namespace oneproxy::detail
