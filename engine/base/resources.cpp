#include "oneproxy/engine/base/resources.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;

namespace {

std::string& chosen_home() {
  static std::string folder;
  return folder;
}

bool is_home(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder / "configs" / "spaces", ignored);
}

// A folder that somebody named: another one is not taken in its stead.
std::string named_home(const std::string& folder, const std::string& where) {
  if (is_home(folder)) return fs::path(folder).lexically_normal().string();
  throw Error(where + folder + ": has no configs/spaces; name the folder that holds configs/ and experiments/data/");
}

}  // namespace

std::string code_folder() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(&code_folder), &info) || !info.dli_fname) return "";
  // Of a program it is the name as it was typed, of a shared library a whole path.
  const fs::path file = info.dli_fname;
  std::error_code error;
  const auto found = file.is_absolute() ? fs::canonical(file, error) : fs::read_symlink("/proc/self/exe", error);
  return error ? "" : found.parent_path().string();
}

void set_home_folder(const std::string& folder) { chosen_home() = named_home(folder, ""); }

std::string home_folder() {
  if (!chosen_home().empty()) return chosen_home();
  if (const char* home = std::getenv("ONEPROXY_HOME")) return named_home(home, "ONEPROXY_HOME=");
  std::vector<fs::path> folders;
  if (const fs::path code = code_folder(); !code.empty())
    folders = {code.parent_path() / "share" / "oneproxy", code.parent_path()};
  folders.emplace_back(fs::path(ONEPROXY_INSTALL_DIR) / "share" / "oneproxy");
  folders.emplace_back(ONEPROXY_SOURCE_DIR);
  for (const auto& folder : folders)
    if (is_home(folder)) return folder.lexically_normal().string();
  throw Error(
      "the files that ship with oneproxy (configs/, experiments/data/) are not beside the program; set "
      "ONEPROXY_HOME to the folder that holds them");
}

std::string shipped_store() { return (fs::path(home_folder()) / "experiments/data/public_latency.h5").string(); }

bool is_shipped_store(const std::string& path) {
  std::error_code error;
  try {
    return fs::equivalent(path, shipped_store(), error) && !error;
  } catch (const Error&) {  // none ships with this program
    return false;
  }
}

std::string store_to_add_to(const std::string& path) { return is_shipped_store(path) ? "my_store.h5" : path; }

std::string space_file(const std::string& space) {
  const fs::path folder = fs::path(home_folder()) / "configs/spaces";
  if (file_exists(folder / (space + ".toml"))) return (folder / (space + ".toml")).string();
  std::vector<std::string> known;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".toml") known.push_back(entry.path().stem().string());
  std::sort(known.begin(), known.end());
  throw Error(unknown_name("space", space, folder.string(), known) + "; a space of your own is a file (*.toml)");
}

}  // namespace oneproxy
