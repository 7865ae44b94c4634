#include "oneproxy/engine/train/torch_module.h"

#include <filesystem>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;

#if ONEPROXY_HAVE_TORCH
// Beside the library or program that holds this code, in the lib/ beside its bin/, or where it was built.
std::string module_path() {
  const fs::path built = ONEPROXY_TORCH_MODULE, code = code_folder();
  for (const auto& folder : {code, code.parent_path() / "lib"}) {
    std::error_code ignored;
    if (fs::exists(folder / built.filename(), ignored)) return (folder / built.filename()).string();
  }
  return built.string();
}
#else
std::string module_path() { return ""; }  // require_torch() has refused before it is asked for
#endif

}  // namespace

bool torch_compiled() noexcept { return ONEPROXY_HAVE_TORCH; }

void require_torch() {
  if (!torch_compiled())
    throw Error(
        "training needs LibTorch, which this build is without; run tools/fetch_torch.py and build again with "
        "ONEPROXY_CMAKE_ARGS=-DONEPROXY_TORCH=ON tools/build_project");
}

const SharedLibrary& torch_module() {
  require_torch();
  static const SharedLibrary module({module_path()}, "the training module of oneproxy, with LibTorch",
                                    "build again (tools/build_project)");
  return module;
}

}  // namespace oneproxy
