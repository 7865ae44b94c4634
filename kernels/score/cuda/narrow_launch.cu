#include "oneproxy/kernels/score/cuda/narrow_launch.cuh"

namespace oneproxy::detail {
namespace {

struct CudaRuntime {
  void allow_shared_bytes(NarrowKernel kernel, int bytes) const {
    ONEPROXY_CUDA_CHECK(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                             cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
  }
  int resident_blocks(NarrowKernel kernel, int threads, int shared_bytes) const {
    int resident = 0;
    ONEPROXY_CUDA_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, reinterpret_cast<const void*>(kernel),
                                                                      threads, shared_bytes));
    return resident;
  }
};

}  // namespace

LaunchShape narrow_launch(const NarrowPlan& plan, const Device& device) {
  const NarrowKernel kernel = plan.place == TablePlace::fleet        ? narrow_fleet(plan)
                              : plan.place == TablePlace::fleet_best ? narrow_fleet_best(plan)
                              : plan.precision == Precision::bf16    ? narrow_bf16(plan)
                              : plan.precision == Precision::tf32    ? narrow_tf32(plan)
                                                                     : narrow_fp32(plan);
  return launch_shape(kernel, plan, device.limits, CudaRuntime{});
}

}  // namespace oneproxy::detail
