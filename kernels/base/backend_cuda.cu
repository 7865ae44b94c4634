#include "oneproxy/kernels/base/backend_cuda.h"
#include "oneproxy/kernels/base/cuda_check.cuh"
#include "oneproxy/kernels/base/cuda_devices.h"

namespace oneproxy::detail {
namespace {

// What nvcc compiles this file for; the whole build has the same.
std::vector<int> built_for() {
  std::vector<int> architectures = {__CUDA_ARCH_LIST__};  // 800, 900, ...
  for (int& architecture : architectures) architecture /= 10;
  return architectures;
}

std::vector<CudaDevice> list_devices() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    (void)cudaGetLastError();  // no driver or no GPU is an answer, not a failure
    return {};
  }
  std::vector<CudaDevice> devices;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    ONEPROXY_CUDA_CHECK(cudaGetDeviceProperties(&properties, i));
    devices.push_back({properties.name, 10 * properties.major + properties.minor});
  }
  return devices;
}

// Asked once: a process sees the same devices all its life, and their properties take milliseconds.
const std::vector<CudaDevice>& devices() {
  static const std::vector<CudaDevice> all = list_devices();
  return all;
}

int current_device() {
  int device = 0;
  ONEPROXY_CUDA_CHECK(cudaGetDevice(&device));
  return device;
}

}  // namespace

std::vector<int> usable_devices_cuda() { return usable_devices(devices(), built_for()); }

std::string why_no_device_cuda() {
  return why_no_device(devices(), devices().empty() ? 0 : current_device(), built_for());
}

std::string device_name_cuda() { return devices()[static_cast<std::size_t>(current_device())].name; }

}  // namespace oneproxy::detail
