#pragma once
// The part of backend.h that needs the CUDA runtime.
#include <string>
#include <vector>

namespace oneproxy::detail {

std::vector<int> usable_devices_cuda();  // numbers
std::string why_no_device_cuda();        // "" where the current device is one of them
std::string device_name_cuda();

}  // namespace oneproxy::detail
