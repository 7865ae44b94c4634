#pragma once
// The part of backend.h that needs the CUDA runtime.
#include <string>

namespace oneproxy::detail {

int device_count_cuda() noexcept;
std::string device_name_cuda();

}  // namespace oneproxy::detail
