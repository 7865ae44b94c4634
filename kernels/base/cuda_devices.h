#pragma once
// Which CUDA devices this build can run on: decided on the host from what they say of themselves. Private to kernels/.
#include <span>
#include <string>
#include <vector>

namespace oneproxy::detail {

// Ampere: the first with bf16 and tf32 in the tensor cores, and with cp.async.
inline constexpr int kOldestArchitecture = 80;

struct CudaDevice {
  std::string name;
  int architecture = 0;  // compute capability, major * 10 + minor
};

// Numbers of the devices that can run code built for `built_for` (architectures) and newer.
std::vector<int> usable_devices(std::span<const CudaDevice> devices, std::span<const int> built_for);

// "" where the current device is one of them; else the one line that says why not, and the remedy.
std::string why_no_device(std::span<const CudaDevice> devices, int current, std::span<const int> built_for);

}  // namespace oneproxy::detail
