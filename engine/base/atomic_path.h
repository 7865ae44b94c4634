#pragma once
// Files and folders that appear under their name when they are whole: made beside it under another name, then renamed.
// A failure leaves nothing behind, and what was there as it was. One program at a time writes a name.
#include <cstdint>
#include <fstream>
#include <functional>
#include <string>

#include "oneproxy/engine/base/file_lock.h"
#include "oneproxy/engine/base/hdf5.h"

namespace oneproxy {

// The common part: the lock, a temporary name in the same folder, and the renaming.
// A symbolic link stays, and leads to the new content. The new content has the mode and, where that is allowed, the
// owner of the old one. Other hard links keep the old content, after a warning.
class AtomicPath {
 public:
  // Waits while another program writes the name, then removes what a killed one left beside it; makes nothing yet.
  // Errors: the folder is missing or can not be written; what is there is read-only, or is no file or folder.
  explicit AtomicPath(const std::string& path);
  ~AtomicPath();  // removes what was made, unless it has been renamed
  AtomicPath(const AtomicPath&) = delete;
  AtomicPath& operator=(const AtomicPath&) = delete;

  const std::string& path() const { return path_; }            // as it was given
  const std::string& temporary() const { return temporary_; }  // make the file or folder here
  void make_file() const;                                      // an empty one there
  // Takes the place of what is there, of a folder too, and is on the disk when it returns. Error where that is not
  // possible.
  void rename();

 private:
  std::string path_, target_;  // where a symbolic link leads
  FileLock lock_;
  std::string temporary_;
};

// Removes the temporary files and folders that killed programs left in the folder. Those of a living one stay.
void remove_leftovers(const std::string& folder);

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

// `change` gets what is at `path` (nothing where there is none) and returns what should be there; one program at a
// time. Error: more than `max_bytes` are there.
void change_file_atomically(const std::string& path, std::uint64_t max_bytes,
                            const std::function<std::string(std::string)>& change);

// `write` gets an empty HDF5 file. Any error, also one of `write`, leaves `path` as it was.
void write_h5_atomically(const std::string& path, const std::function<void(H5File&)>& write);

// `change` gets a copy of what is at `path`, or of `start` where nothing is. `verify` sees the file before and after:
// its errors too leave `path` as it was.
void change_h5_atomically(const std::string& path, const std::string& start,
                          const std::function<void(const H5File&)>& verify, const std::function<void(H5File&)>& change);

}  // namespace oneproxy
