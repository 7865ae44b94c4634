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
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

constexpr auto kBetweenTries = std::chrono::milliseconds(10);
constexpr auto kSilentWait = std::chrono::seconds(2);
constexpr std::uint64_t kMaxHolder = 1 << 10;  // bytes of a lock file

std::string this_process() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return "process " + std::to_string(getpid()) + " on " + host;
}

std::string holder_of(const std::string& lock_file) {
  try {
    const auto text = read_file(lock_file, kMaxHolder);
    return text.empty() ? "another process" : text;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    return "another process";  // it has just gone
  }
}

std::string lock_file_of(const fs::path& path) {
  return (path.parent_path() / ("." + path.filename().string() + ".lock")).string();
}

}  // namespace

FileLock::FileLock(const std::string& path) : path_(path), lock_file_(lock_file_of(path)) {
  const auto start = std::chrono::steady_clock::now();
  for (bool said = false; !try_lock();) {
    check_interrupt();
    if (!said && std::chrono::steady_clock::now() - start > kSilentWait) {
      log_info(one_line("waiting for " + holder_of(lock_file_) + ", which is writing " + path));
      said = true;
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

FileLock FileLock::without_waiting(const std::string& path) {
  FileLock lock;
  lock.path_ = path;
  lock.lock_file_ = lock_file_of(path);
  try {
    lock.try_lock();
  } catch (const Error&) {
    // A folder that can not be written: nothing there is ours to lock.
  }
  return lock;
}

bool FileLock::try_lock() {
  const int descriptor = ::open(lock_file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor < 0)
    throw Error(path_ + ": can not be written (" + std::strerror(errno) +
                "); name a file in a folder that is there and writable");
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int fault = errno;
    ::close(descriptor);
    if (fault == EWOULDBLOCK || fault == EINTR) return false;
    log_warning(path_ + ": its file system has no locks (" + std::strerror(fault) +
                "); see that no two programs write it at once");
    return true;
  }
  // Whoever had it before may have removed the file: then the lock is on a file that nobody else finds.
  struct stat ours {
  }, there{};
  if (::fstat(descriptor, &ours) != 0 || ::stat(lock_file_.c_str(), &there) != 0 || ours.st_ino != there.st_ino ||
      ours.st_dev != there.st_dev) {
    ::close(descriptor);
    return false;
  }
  const std::string holder = this_process();
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
    : path_(std::move(other.path_)), lock_file_(std::move(other.lock_file_)), descriptor_(other.descriptor_) {
  other.descriptor_ = -1;
}

}  // namespace oneproxy
