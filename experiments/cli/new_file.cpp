#include "experiments/cli/new_file.h"

#include <filesystem>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

void require_new_file(const std::string& path, bool force, const std::string& what) {
  std::error_code error;
  // A pipe or a device is written to, and replaced by nothing.
  if (path.empty() || force || !std::filesystem::is_regular_file(path, error)) return;
  throw Error(path + ": is there already" + what + "; name another file, or give --force to replace it");
}

}  // namespace oneproxy
