#include "oneproxy/engine/base/resources.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;

std::string home_folder() {
  std::vector<fs::path> places;
  if (const char* home = std::getenv("ONEPROXY_HOME")) places.emplace_back(home);
  std::error_code ignored;
  const auto program = fs::read_symlink("/proc/self/exe", ignored);
  if (!program.empty()) places.push_back(program.parent_path().parent_path());
  places.emplace_back(ONEPROXY_SOURCE_DIR);
  for (const auto& place : places)
    if (fs::exists(place / "configs" / "spaces", ignored)) return place.lexically_normal().string();
  throw Error(
      "the files that ship with oneproxy (configs/, experiments/data/) are not beside the program; set "
      "ONEPROXY_HOME to the folder that holds them");
}

std::string shipped_store() { return (fs::path(home_folder()) / "experiments/data/public_latency.h5").string(); }

std::string space_file(const std::string& space) {
  const fs::path folder = fs::path(home_folder()) / "configs/spaces";
  if (fs::exists(folder / (space + ".toml"))) return (folder / (space + ".toml")).string();
  std::vector<std::string> known;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".toml") known.push_back(entry.path().stem().string());
  std::sort(known.begin(), known.end());
  throw Error(unknown_name("space", space, folder.string(), known));
}

}  // namespace oneproxy
