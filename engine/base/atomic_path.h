#pragma once
// Files and folders that appear under their name when they are whole: made beside it under another name, then renamed.
// A failure leaves nothing behind, and what was there as it was.
#include <fstream>
#include <functional>
#include <string>

#include "oneproxy/engine/base/hdf5.h"

namespace oneproxy {

// The common part: a temporary name in the same folder, and the renaming.
class AtomicPath {
 public:
  explicit AtomicPath(const std::string& path);  // makes nothing yet
  ~AtomicPath();                                 // removes what was made, unless it has been renamed
  AtomicPath(const AtomicPath&) = delete;
  AtomicPath& operator=(const AtomicPath&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary() const { return temporary_; }  // make the file or folder here
  // Takes the place of what is there; of a folder too. Error where that is not possible.
  void rename();

 private:
  std::string path_, temporary_;
};

// A text file that is written piece by piece.
class OutputFile {
 public:
  // Error: the folder is missing or can not be written.
  explicit OutputFile(const std::string& path);
  void write(const std::string& text) { file_ << text; }
  void finish();  // Error: the disk is full

 private:
  AtomicPath path_;
  std::ofstream file_;
};

// A whole file at once, text or bytes.
void write_file_atomically(const std::string& path, const std::string& content);

// `change` gets an HDF5 file: a copy of `start` ("": an empty file). Any error, also one of `change`, leaves `path` as
// it was.
void write_h5_atomically(const std::string& path, const std::string& start, const std::function<void(H5File&)>& change);

}  // namespace oneproxy
