#include "oneproxy/kernels/base/cuda_devices.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy::detail {
namespace {

int oldest(std::span<const int> built_for) {
  ONEPROXY_ASSERT(!built_for.empty());
  return std::max(kOldestArchitecture, *std::min_element(built_for.begin(), built_for.end()));
}

std::string capability(int architecture) {
  return std::to_string(architecture / 10) + "." + std::to_string(architecture % 10);
}

}  // namespace

std::vector<int> usable_devices(std::span<const CudaDevice> devices, std::span<const int> built_for) {
  std::vector<int> usable;
  for (std::size_t i = 0; i < devices.size(); ++i)
    if (devices[i].architecture >= oldest(built_for)) usable.push_back(static_cast<int>(i));
  return usable;
}

std::string why_no_device(std::span<const CudaDevice> devices, int current, std::span<const int> built_for) {
  if (devices.empty())
    return "backend = \"cuda\": no CUDA device (nvidia-smi lists what the driver sees); use backend = \"cpu\"";
  const CudaDevice& device = devices[static_cast<std::size_t>(current)];
  if (device.architecture >= oldest(built_for)) return "";
  const std::string what = "backend = \"cuda\": device " + std::to_string(current) + ", " + device.name +
                           ", has compute capability " + capability(device.architecture);
  if (device.architecture >= kOldestArchitecture)
    return what + ", and this build is for " + capability(oldest(built_for)) +
           " and newer; rebuild with -DCMAKE_CUDA_ARCHITECTURES=" + std::to_string(device.architecture) +
           " or use backend = \"cpu\"";
  return what + ", and the kernels need " + capability(kOldestArchitecture) +
         " or newer; choose another device with CUDA_VISIBLE_DEVICES or use backend = \"cpu\"";
}

}  // namespace oneproxy::detail
