#include "oneproxy/kernels/score/cuda/narrow.cuh"

namespace oneproxy::detail {

NarrowKernel narrow_tf32(const NarrowPlan& plan) {
  return plan.place == TablePlace::shared_memory ? narrow_kernel_of<Tf32Mma, TablePlace::shared_memory>(plan)
                                                 : narrow_kernel_of<Tf32Mma, TablePlace::l2_cache>(plan);
}

}  // namespace oneproxy::detail
