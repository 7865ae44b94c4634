#include "oneproxy/kernels/score/cuda/narrow_fp32.cuh"

namespace oneproxy::detail {

NarrowKernel narrow_fp32(const NarrowPlan& plan) {
  return plan.place == TablePlace::shared_memory ? narrow_fp32_kernel_of<TablePlace::shared_memory>(plan)
                                                 : narrow_fp32_kernel_of<TablePlace::l2_cache>(plan);
}

}  // namespace oneproxy::detail
