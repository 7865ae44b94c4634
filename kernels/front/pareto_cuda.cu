#include <thrust/system/cuda/execution_policy.h>
#include <thrust/system_error.h>

#include <new>

#include "oneproxy/kernels/base/device_memory.cuh"
#include "oneproxy/kernels/front/pareto_detail.h"
#include "oneproxy/kernels/front/pareto_thrust.h"

namespace oneproxy::detail {

std::vector<std::int64_t> pareto_front_cuda(std::span<const double> latency, std::span<const double> quality) {
  const DeviceBuffer<double> device_latency(latency), device_quality(quality);
  try {
    const auto front = pareto_front_thrust<DeviceBuffer>(thrust::cuda::par, device_latency.data(),
                                                         device_quality.data(), device_latency.size());
    std::vector<std::int64_t> indices(static_cast<std::size_t>(front.size()));
    front.copy_to_host(indices);
    return indices;
  } catch (const std::bad_alloc&) {
    throw Error("CUDA: no memory for the sort in pareto_front; use fewer points or backend = \"cpu\"");
  } catch (const thrust::system_error& failure) {
    throw Error(std::string("CUDA error in pareto_front: ") + failure.what() + "; use backend = \"cpu\"");
  }
}

}  // namespace oneproxy::detail
