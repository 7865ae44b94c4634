#include "oneproxy/engine/base/atomic_path.h"

#include <unistd.h>

#include <filesystem>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {
constexpr const char* kNotWritable = ": can not be written; name a file in a folder that is there and writable";
}

AtomicPath::AtomicPath(const std::string& path) : path_(path) {
  const fs::path final_path(path);
  temporary_ =
      (final_path.parent_path() / ("." + final_path.filename().string() + ".partial-" + std::to_string(getpid())))
          .string();
}

AtomicPath::~AtomicPath() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void AtomicPath::rename() {
  std::error_code error, ignored;
  // A folder with files is not replaced by a renaming: it steps aside first.
  const std::string old = temporary_ + ".old";
  const bool replaces_folder = fs::is_directory(path_, ignored) && fs::is_directory(temporary_, ignored);
  if (replaces_folder) fs::rename(path_, old, error);
  if (!error) {
    fs::rename(temporary_, path_, error);
    if (error && replaces_folder) fs::rename(old, path_, ignored);
  }
  if (error) throw Error(path_ + ": can not be written (" + error.message() + ")");
  temporary_.clear();
  if (replaces_folder) fs::remove_all(old, ignored);
}

OutputFile::OutputFile(const std::string& path) : path_(path), file_(path_.temporary(), std::ios::binary) {
  if (!file_) throw Error(path + kNotWritable);
}

void OutputFile::finish() {
  file_.close();
  if (!file_) throw Error(path_.path() + ": can not be written; is the disk full?");
  path_.rename();
}

void write_file_atomically(const std::string& path, const std::string& content) {
  OutputFile file(path);
  file.write(content);
  file.finish();
}

void write_h5_atomically(const std::string& path, const std::string& start,
                         const std::function<void(H5File&)>& change) {
  AtomicPath target(path);
  const fs::path folder = fs::path(path).parent_path();
  if (access(folder.empty() ? "." : folder.c_str(), W_OK) != 0) throw Error(path + kNotWritable);
  if (!start.empty()) {
    std::error_code error;
    fs::copy_file(start, target.temporary(), fs::copy_options::overwrite_existing, error);
    if (error) throw Error(path + ": can not be written (" + error.message() + ")");
    fs::permissions(target.temporary(), fs::perms::owner_write, fs::perm_options::add, error);
  }
  H5File file(target.temporary(), start.empty() ? H5Mode::create : H5Mode::append);
  change(file);
  file.close();
  target.rename();
}

}  // namespace oneproxy
