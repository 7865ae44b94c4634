#pragma once
// Every CUDA call and every launch is checked: a failure is an Error that names the call and its place.
#include <cuda_runtime.h>

#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

inline void cuda_check(cudaError_t status, const char* what, const char* file, int line) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // so that the next check does not report this failure again
  const std::string message = std::string("CUDA error '") + cudaGetErrorString(status) + "' in " + what + " at " +
                              file + ":" + std::to_string(line);
  if (status == cudaErrorMemoryAllocation)
    throw OutOfDeviceMemory(message + "; use fewer rows a call or backend = \"cpu\"");
  throw Error(message + "; run with CUDA_LAUNCH_BLOCKING=1 to find the kernel, or use backend = \"cpu\"");
}

}  // namespace oneproxy

#define ONEPROXY_CUDA_CHECK(call) ::oneproxy::cuda_check((call), #call, __FILE__, __LINE__)

// After each <<<launch>>>: reports bad launch settings now, and failures of earlier kernels.
#define ONEPROXY_CUDA_CHECK_LAUNCH() ::oneproxy::cuda_check(cudaGetLastError(), "a kernel launch", __FILE__, __LINE__)
