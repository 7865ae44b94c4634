#include "oneproxy/kernels/base/backend_cuda.h"
#include "oneproxy/kernels/base/cuda_check.cuh"

namespace oneproxy::detail {

int device_count_cuda() noexcept {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  (void)cudaGetLastError();  // no driver or no GPU is an answer, not a failure
  return 0;
}

std::string device_name_cuda() {
  int device = 0;
  ONEPROXY_CUDA_CHECK(cudaGetDevice(&device));
  cudaDeviceProp properties{};
  ONEPROXY_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  return properties.name;
}

}  // namespace oneproxy::detail
