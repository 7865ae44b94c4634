#include "oneproxy/kernels/score/cuda/narrow.cuh"

namespace oneproxy::detail {

NarrowKernel narrow_bf16(const NarrowPlan& plan) {
  return plan.place == TablePlace::shared_memory ? narrow_kernel_of<Bf16Mma, TablePlace::shared_memory>(plan)
                                                 : narrow_kernel_of<Bf16Mma, TablePlace::l2_cache>(plan);
}

}  // namespace oneproxy::detail
