#include "oneproxy/engine/base/scratch_folder.h"

#include <cstdlib>
#include <filesystem>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;

ScratchFolder::ScratchFolder() {
  std::error_code error;
  path_ = (fs::temp_directory_path(error) / "oneproxy-XXXXXX").string();
  if (error || !mkdtemp(path_.data()))
    throw Error(path_ + ": no temporary folder can be made; name a writable one by TMPDIR");
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace oneproxy
