#include "oneproxy/kernels/base/backend.h"

#include "oneproxy/kernels/base/backend_cuda.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

const char* to_string(Backend backend) { return backend == Backend::cpu ? "cpu" : "cuda"; }

#ifdef ONEPROXY_HAS_CUDA
bool cuda_compiled() noexcept { return true; }
int cuda_device_count() noexcept { return detail::device_count_cuda(); }
std::string cuda_device_name() { return cuda_device_count() > 0 ? detail::device_name_cuda() : "none"; }
#else
bool cuda_compiled() noexcept { return false; }
int cuda_device_count() noexcept { return 0; }
std::string cuda_device_name() { return "none"; }
#endif

void require_backend(Backend backend) {
  if (backend == Backend::cpu) return;
  if (!cuda_compiled())
    throw Error(
        "backend = \"cuda\": this build holds no CUDA code; rebuild with -DONEPROXY_CUDA=ON or use backend = \"cpu\"");
  if (cuda_device_count() == 0)
    throw Error(
        "backend = \"cuda\": no usable CUDA device (nvidia-smi lists what the driver sees); use backend = \"cpu\"");
}

}  // namespace oneproxy
