#include "oneproxy/kernels/base/backend.h"

#include "oneproxy/kernels/base/backend_cuda.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

const char* to_string(Backend backend) { return backend == Backend::cpu ? "cpu" : "cuda"; }

#ifdef ONEPROXY_HAS_CUDA
bool cuda_compiled() noexcept { return true; }
int cuda_device_count() noexcept {
  try {
    return detail::why_no_device_cuda().empty() ? static_cast<int>(detail::usable_devices_cuda().size()) : 0;
  } catch (const Error&) {  // a device that does not even say what it is
    return 0;
  }
}
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
#ifdef ONEPROXY_HAS_CUDA
  if (const std::string why = detail::why_no_device_cuda(); !why.empty()) throw Error(why);
#endif
}

}  // namespace oneproxy
