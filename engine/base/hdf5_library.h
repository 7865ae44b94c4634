#pragma once
// What the files hdf5*.cpp share; the library's own types are plain integers here.
#include <cstdint>
#include <string>

namespace oneproxy {

inline constexpr const char* kH5Checksum = "sha256";  // attribute of a dataset

// Owner of an HDF5 handle: closes it with the function that its kind needs.
class H5Handle {
 public:
  H5Handle(std::int64_t id, int (*close)(std::int64_t)) : id_(id), close_(close) {}
  ~H5Handle() {
    if (id_ >= 0) close_(id_);
  }
  H5Handle(const H5Handle&) = delete;
  H5Handle& operator=(const H5Handle&) = delete;
  operator std::int64_t() const { return id_; }
  bool ok() const { return id_ >= 0; }

 private:
  std::int64_t id_;
  int (*close_)(std::int64_t);
};

void silence_h5_library();  // errors are ours to print, in one line

// libhdf5 itself crashes on some damaged files, or works on them without an end. So a child process goes through a file
// first, with little memory and time: Error where it does not come back alive. Each file is looked at once.
void probe_h5_file(const std::string& path, const std::string& name);

}  // namespace oneproxy
