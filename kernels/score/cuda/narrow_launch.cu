#include "oneproxy/kernels/score/cuda/narrow_launch.cuh"

namespace oneproxy::detail {

LaunchShape narrow_launch(const NarrowPlan& plan, const Device& device) {
  LaunchShape shape;
  shape.kernel = plan.precision == Precision::bf16   ? narrow_bf16(plan)
                 : plan.precision == Precision::tf32 ? narrow_tf32(plan)
                                                     : narrow_fp32(plan);
  const auto* function = reinterpret_cast<const void*>(shape.kernel);
  ONEPROXY_CUDA_CHECK(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, plan.shared_bytes));
  int resident = 0;
  ONEPROXY_CUDA_CHECK(
      cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, function, kNarrowThreads, plan.shared_bytes));
  ONEPROXY_ASSERT(resident > 0);
  shape.blocks_on_device = resident * device.limits.multiprocessors;
  return shape;
}

}  // namespace oneproxy::detail
