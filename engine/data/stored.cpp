#include "oneproxy/engine/data/stored.h"

#include <unistd.h>

#include <filesystem>

namespace oneproxy {
namespace fs = std::filesystem;

std::vector<double> read_checked_doubles(const H5File& file, const std::string& dataset) {
  auto values = file.read_doubles(dataset);
  verify_checksum(file, dataset, values, file.attributes(dataset));
  return values;
}

std::vector<std::uint8_t> read_checked_bytes(const H5File& file, const std::string& dataset) {
  auto values = file.read_bytes(dataset);
  verify_checksum(file, dataset, values, file.attributes(dataset));
  return values;
}

void replace_file(const std::string& path, const std::string& start, const std::function<void(H5File&)>& change) {
  const std::string temporary = path + ".partial-" + std::to_string(getpid());
  std::error_code error;
  try {
    if (!start.empty()) {
      fs::copy_file(start, temporary, fs::copy_options::overwrite_existing, error);
      if (error)
        throw Error(path + ": can not be written (" + error.message() + "); name a writable file with --store");
      fs::permissions(temporary, fs::perms::owner_write, fs::perm_options::add, error);
    }
    H5File file(temporary, start.empty() ? H5Mode::create : H5Mode::append);
    change(file);
    file.close();
    fs::rename(temporary, path, error);
    if (error) throw Error(path + ": can not be written (" + error.message() + ")");
  } catch (...) {
    fs::remove(temporary, error);
    throw;
  }
}

}  // namespace oneproxy
