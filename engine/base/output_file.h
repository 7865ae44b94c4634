#pragma once
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

// A text file that appears under its name when it is whole: a failure leaves nothing, and what was there as it was.
class OutputFile {
 public:
  // Error: the folder is missing or can not be written.
  explicit OutputFile(const std::string& path)
      : path_(path), temporary_(path + ".partial-" + std::to_string(getpid())), file_(temporary_) {
    if (!file_) throw Error(path + ": can not be written; name a file in a folder that is there and writable");
  }
  ~OutputFile() {
    std::error_code ignored;
    if (!done_) std::filesystem::remove(temporary_, ignored);
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const std::string& text) { file_ << text; }
  // Error: the disk is full.
  void finish() {
    file_.close();
    std::error_code error;
    if (file_) std::filesystem::rename(temporary_, path_, error);
    if (!file_ || error) throw Error(path_ + ": can not be written; is the disk full?");
    done_ = true;
  }

 private:
  std::string path_, temporary_;
  std::ofstream file_;
  bool done_ = false;
};

}  // namespace oneproxy
