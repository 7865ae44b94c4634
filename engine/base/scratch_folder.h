#pragma once
// A folder for files that nobody keeps; it goes with its owner.
#include <string>

namespace oneproxy {

class ScratchFolder {
 public:
  ScratchFolder();  // in the system's folder for temporary files; Error where none can be made
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace oneproxy
