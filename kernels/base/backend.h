#pragma once
// Which twin of a kernel runs: the CPU's or the CUDA one. Nothing here falls back silently.
#include <string>

namespace oneproxy {

enum class Backend { cpu, cuda };

const char* to_string(Backend backend);

// Whether this build holds CUDA code (it may, on a machine without a GPU).
bool cuda_compiled() noexcept;

// CUDA devices that this build can run on now: of compute capability 8.0 or newer. 0 where there is no driver, no GPU
// or no CUDA code in this build, or where the current device is too old (require_backend says so).
int cuda_device_count() noexcept;

// Name of the current CUDA device, "none" where there is none.
std::string cuda_device_name();

// Throws Error, with the remedy, where `backend` can not run here.
void require_backend(Backend backend);

}  // namespace oneproxy
