#include "oneproxy/engine/base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/process_identity.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

constexpr auto kBetweenTries = std::chrono::milliseconds(10);
constexpr auto kSilentWait = std::chrono::seconds(2);
constexpr std::uint64_t kMaxHolder = 1 << 10;  // bytes of a lock file

std::string holder_of(const std::string& lock_file) {
  try {
    const auto text = read_file(lock_file, kMaxHolder);
    return text.empty() ? "another process" : text.substr(0, text.find('\n'));
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    return "another process";  // it has just gone
  }
}

std::string lock_file_of(const fs::path& path) {
  return (path.parent_path() / ("." + path.filename().string() + ".lock")).string();
}

bool has_no_locks(int fault) { return fault == ENOLCK || fault == EOPNOTSUPP || fault == ENOSYS; }

}  // namespace

FileLock::FileLock(const std::string& path, const std::string& lock_file, LockCall call)
    : path_(path), lock_file_(lock_file), call_(call) {}

FileLock::FileLock(const std::string& path, LockCall call) : FileLock(path, lock_file_of(path), call) {
  const auto start = std::chrono::steady_clock::now();
  for (bool said = false; !try_lock();) {
    check_interrupt();
    if (!said && std::chrono::steady_clock::now() - start > kSilentWait) {
      log_info(one_line(path + " is in use by " + holder() + "; waiting for it to end"));
      said = true;
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

FileLock FileLock::without_waiting(const std::string& path, LockCall call) {
  FileLock lock(path, lock_file_of(path), call);
  try {
    lock.try_lock();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    // A folder that can not be written, or a holder far away: nothing there is ours.
  }
  return lock;
}

std::string FileLock::holder() const { return file_ ? holder_of(file_->last_file()) : holder_of(lock_file_); }

bool FileLock::try_lock() {
  if (file_) return file_->try_lock();
  const int descriptor = ::open(lock_file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor < 0)
    throw Error(path_ + ": can not be written (" + std::strerror(errno) +
                "); name a file in a folder that is there and writable");
  if (call_(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int fault = errno;
    ::close(descriptor);
    if (fault == EWOULDBLOCK || fault == EINTR) return false;
    struct stat made {};
    if (::stat(lock_file_.c_str(), &made) == 0 && made.st_size == 0) ::unlink(lock_file_.c_str());
    if (!has_no_locks(fault))
      throw Error(path_ + ": can not be locked (" + std::strerror(fault) + "); write elsewhere");
    file_ = std::make_unique<HolderFile>(lock_file_ + "-held", path_);
    return file_->try_lock();
  }
  // Whoever had it before may have removed the file: then the lock is on a file that nobody else finds.
  struct stat ours {
  }, there{};
  if (::fstat(descriptor, &ours) != 0 || ::stat(lock_file_.c_str(), &there) != 0 || ours.st_ino != there.st_ino ||
      ours.st_dev != there.st_dev) {
    ::close(descriptor);
    return false;
  }
  const std::string holder = to_text(this_process());
  if (::ftruncate(descriptor, 0) != 0 || ::write(descriptor, holder.data(), holder.size()) < 0) {
    // A full disk: the lock holds all the same, it only can not say by whom.
  }
  descriptor_ = descriptor;
  return true;
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  ::unlink(lock_file_.c_str());  // before the lock is free
  ::close(descriptor_);
}

FileLock::FileLock(FileLock&& other) noexcept
    : path_(std::move(other.path_)),
      lock_file_(std::move(other.lock_file_)),
      call_(other.call_),
      descriptor_(other.descriptor_),
      file_(std::move(other.file_)) {
  other.descriptor_ = -1;
}

}  // namespace oneproxy
