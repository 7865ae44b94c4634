#include "experiments/shipped_config.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;

std::vector<std::string> shipped_configs() {
  const std::set<std::string> others = {"spaces", "devices", "accuracy"};  // folders of files that are none
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(home_folder()) / "configs"))
    if (entry.path().extension() == ".toml" && !others.contains(entry.path().parent_path().filename().string()))
      files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

std::string config_file(const std::string& given) {
  if (given.empty() || fs::path(given).extension() == ".toml" || file_exists(given)) return given;
  const fs::path folder = fs::path(home_folder()) / "configs";
  std::vector<std::string> names;
  for (const auto& file : shipped_configs()) {
    names.push_back(fs::path(file).lexically_relative(folder).replace_extension().string());
    if (names.back() == given) return file;
  }
  throw Error(unknown_name("configuration", given, folder.string(), names) + "; one of your own is a file (*.toml)");
}

}  // namespace oneproxy
