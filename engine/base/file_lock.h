#pragma once
// One program at a time writes a file or a folder, also on another machine where the file system has locks.
#include <string>

namespace oneproxy {

// Held while it lives. The lock is on a file .NAME.lock beside `path`, which says who holds it and goes with it; the
// lock of a program that was killed is free.
class FileLock {
 public:
  // Waits for its turn, and says for whom after two seconds (check_interrupt ends the wait).
  // Error: the folder is missing or can not be written.
  explicit FileLock(const std::string& path);
  // Without waiting; held() is false where another program has it, or where the folder can not be written.
  static FileLock without_waiting(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // False on a file system without locks as well, after a warning: only one program may write there at a time.
  bool held() const { return descriptor_ >= 0; }

 private:
  FileLock() = default;
  bool try_lock();  // true: nothing to wait for

  std::string path_, lock_file_;
  int descriptor_ = -1;
};

}  // namespace oneproxy
