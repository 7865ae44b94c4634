#pragma once
// One program at a time writes a file or a folder, also on another machine.
#include <sys/file.h>

#include <memory>
#include <string>

#include "oneproxy/engine/base/holder_file.h"

namespace oneproxy {

// Held while it lives. The lock is on a file .NAME.lock beside `path`, which says who holds it and goes with it; the
// lock of a program that was killed is free. Where the file system has no flock, a file .NAME.lock-held is the lock.
class FileLock {
 public:
  using LockCall = int (*)(int descriptor, int operation);  // flock, or what a test puts in its place

  // Waits for its turn, and says for whom after two seconds (check_interrupt ends the wait).
  // Errors: the folder is missing or can not be written; without flock, a holder on another machine, which may be dead.
  explicit FileLock(const std::string& path, LockCall call = ::flock);
  // Without waiting; held() is false where another program has it, or where the folder can not be written.
  static FileLock without_waiting(const std::string& path, LockCall call = ::flock);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  bool held() const { return descriptor_ >= 0 || (file_ && file_->held()); }

 private:
  FileLock(const std::string& path, const std::string& lock_file, LockCall call);
  bool try_lock();
  std::string holder() const;

  std::string path_, lock_file_;
  LockCall call_;
  int descriptor_ = -1;
  std::unique_ptr<HolderFile> file_;  // where there is no flock
};

}  // namespace oneproxy
