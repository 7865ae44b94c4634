#pragma once
// A lock for file systems without flock, as some mounts of NFS and Lustre are: a file that says who holds it.
//
// A hard link makes the file, whole and only where none is. The kernel does not free it for a killed holder: that one
// is looked for by PID and start. Nobody removes the file of a dead holder to take its place, for two who did so at
// once could remove each other's. The one who takes over links a successor, whose name is made of the dead holder's
// mark, so that only one can; the last of this chain has the lock, and removes all of it when done, the first file
// first.
#include <string>
#include <vector>

namespace oneproxy {

class HolderFile {
 public:
  // `file`: of the lock; `protects`: what errors name. Makes nothing yet.
  HolderFile(const std::string& file, const std::string& protects);
  ~HolderFile();
  HolderFile(const HolderFile&) = delete;
  HolderFile& operator=(const HolderFile&) = delete;

  // False: a living process has it. Does not wait. Errors: a holder of whom this machine can not know whether it lives,
  // a file that does not say who holds it, a folder that can not be written, a file system without hard links.
  bool try_lock();
  bool held() const { return !own_.empty(); }
  // The file that says who has it, while somebody has.
  std::string last_file() const;

 private:
  struct Link {
    std::string path, text;
  };
  std::vector<Link> chain() const;
  bool link_own(const std::string& path, const std::string& text) const;
  void sweep() const;

  std::string file_, protects_;
  std::vector<std::string> own_;  // the chain that ends with ours
};

}  // namespace oneproxy
