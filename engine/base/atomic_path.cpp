#include "oneproxy/engine/base/atomic_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

constexpr const char* kNotWritable = ": can not be written; name a file in a folder that is there and writable";
constexpr const char* kPartial = ".partial-";
constexpr const char* kOld = ".old";
constexpr const char* kLock = ".lock";  // as FileLock names them
constexpr const char* kHeld = ".lock-held";
constexpr int kMaxLinks = 40;  // as the kernel follows

// Where the last part of a path leads: a file that is replaced there leaves the link as it is.
std::string behind_links(const std::string& path) {
  fs::path at(path);
  std::error_code error;
  for (int i = 0; fs::is_symlink(at, error); ++i) {
    if (i == kMaxLinks) throw Error(path + ": its symbolic links go in a circle; name another file");
    const auto next = fs::read_symlink(at, error);
    at = next.is_absolute() ? next : at.parent_path() / next;
  }
  return at.string();
}

// What will be replaced by what is written to `path`.
std::string target_of(const std::string& path) {
  const std::string target = behind_links(path);
  struct stat there {};
  if (::stat(target.c_str(), &there) != 0) return target;
  if (!S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
    throw Error(path + ": is neither a file nor a folder, and would be replaced by one; name a file");
  if ((there.st_mode & 0222) == 0 || ::access(target.c_str(), W_OK) != 0)
    throw Error(path + ": is read-only; make it writable (chmod u+w), or name another file");
  if (S_ISREG(there.st_mode) && there.st_nlink > 1)
    log_warning(path + " has " + std::to_string(there.st_nlink - 1) + " more hard link" +
                (there.st_nlink > 2 ? "s, which keep" : ", which keeps") + " the old content");
  return target;
}

// An old result that stepped aside comes back, if its program died before the new one took its name.
void remove_leftovers_of(const fs::path& target) {
  const std::string prefix = "." + target.filename().string() + kPartial;
  const fs::path folder = target.parent_path().empty() ? fs::path(".") : target.parent_path();
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().filename().string().starts_with(prefix)) found.push_back(at->path());
  for (const auto& left : found) {
    if (left.string().ends_with(kOld) && !fs::exists(target, error)) fs::rename(left, target, error);
    fs::remove_all(left, error);
  }
}

// To the disk, so that after a loss of power a name leads to its whole content. Best effort: not every file system can.
void sync(const fs::path& path) {
  if (const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC); file >= 0) {
    ::fsync(file);
    ::close(file);
  }
}

void sync_all(const fs::path& path) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error))
    sync(at->path());
  sync(path);
}

void keep_mode_and_owner(const std::string& from, const std::string& to) {
  struct stat old {};
  if (::stat(from.c_str(), &old) != 0) return;
  struct stat made {};
  if (::stat(to.c_str(), &made) != 0) return;
  const bool owner =
      (old.st_uid == made.st_uid && old.st_gid == made.st_gid) || ::chown(to.c_str(), old.st_uid, old.st_gid) == 0;
  // Without the owner, set-user-id bits would mean somebody else.
  ::chmod(to.c_str(), old.st_mode & (owner ? 07777 : 0777));
}

}  // namespace

AtomicPath::AtomicPath(const std::string& path) : path_(path), target_(target_of(path)), lock_(target_) {
  remove_leftovers_of(target_);
  const fs::path target(target_);
  temporary_ =
      (target.parent_path() / ("." + target.filename().string() + kPartial + std::to_string(getpid()))).string();
}

void AtomicPath::make_file() const {
  if (!std::ofstream(temporary_)) throw Error(path_ + kNotWritable);
  keep_mode_and_owner(target_, temporary_);  // before there is anything to read in it
}

AtomicPath::~AtomicPath() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void AtomicPath::rename() {
  std::error_code error, ignored;
  keep_mode_and_owner(target_, temporary_);
  sync_all(temporary_);
  const bool replaces_folder = fs::is_directory(target_, ignored) && fs::is_directory(temporary_, ignored);
  if (replaces_folder && ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) == 0) {
    fs::remove_all(temporary_, ignored);  // the old one now
  } else {
    // A file system that can not exchange two folders: the old one steps aside first.
    const std::string old = temporary_ + kOld;
    if (replaces_folder) fs::rename(target_, old, error);
    if (!error) {
      fs::rename(temporary_, target_, error);
      if (error && replaces_folder) fs::rename(old, target_, ignored);
    }
    if (error) throw Error(path_ + ": can not be written (" + error.message() + ")");
    if (replaces_folder) fs::remove_all(old, ignored);
  }
  temporary_.clear();
  const auto folder = fs::path(target_).parent_path();
  sync(folder.empty() ? fs::path(".") : folder);
}

void remove_leftovers(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const auto tail =
        name.ends_with(kLock) ? name.size() - std::strlen(kLock) : std::min(name.find(kPartial), name.find(kHeld));
    if (name[0] == '.' && tail != std::string::npos) names.push_back(name.substr(1, tail - 1));
  }
  for (const auto& name : names) {
    const fs::path target = fs::path(folder) / name;
    if (const auto lock = FileLock::without_waiting(target.string()); lock.held()) remove_leftovers_of(target);
  }
}

OutputFile::OutputFile(const std::string& path) : path_(path) {
  path_.make_file();
  file_.open(path_.temporary(), std::ios::binary);
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

void change_file_atomically(const std::string& path, std::uint64_t max_bytes,
                            const std::function<std::string(std::string)>& change) {
  OutputFile file(path);  // the lock, before it is read
  file.write(change(file_exists(path) ? read_file(path, max_bytes) : ""));
  file.finish();
}

void write_h5_atomically(const std::string& path, const std::function<void(H5File&)>& write) {
  AtomicPath target(path);
  target.make_file();
  H5File file(target.temporary(), H5Mode::create, path);
  write(file);
  file.close();
  target.rename();
}

void change_h5_atomically(const std::string& path, const std::string& start,
                          const std::function<void(const H5File&)>& verify,
                          const std::function<void(H5File&)>& change) {
  AtomicPath target(path);
  std::error_code error;
  const std::string from = fs::exists(path, error) ? path : start;
  verify(H5File(from, H5Mode::read));
  // Its mode is not copied: a store that ships read-only makes none that is.
  target.make_file();
  const auto mode = fs::status(target.temporary(), error).permissions();
  fs::copy_file(from, target.temporary(), fs::copy_options::overwrite_existing, error);
  if (!error) fs::permissions(target.temporary(), mode, error);
  if (error) throw Error(path + ": can not be written (" + error.message() + ")");
  H5File file(target.temporary(), H5Mode::append, path);
  change(file);
  file.close();
  verify(H5File(target.temporary(), H5Mode::read, path));
  target.rename();
}

}  // namespace oneproxy
