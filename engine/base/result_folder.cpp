#include "oneproxy/engine/base/result_folder.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

void write_whole(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) throw Error(path + ": can not be written; is the folder writable and the disk not full?");
}

}  // namespace

std::string ResultFolder::place(const std::string& out, const std::string& kind, const std::string& name,
                                const std::string& identity) {
  return (fs::path(out) / kind / (name + "-" + sha256_hex(identity).substr(0, 10))).string();
}

bool ResultFolder::finished(const std::string& place) { return fs::exists(fs::path(place) / "DONE"); }

ResultFolder::ResultFolder(const std::string& place) : place_(place) {
  const fs::path final_place(place);
  work_ = (final_place.parent_path() / ("." + final_place.filename().string() + ".partial-" + std::to_string(getpid())))
              .string();
  std::error_code error;
  fs::create_directories(work_, error);
  if (error)
    throw Error(place + ": the result folder can not be made (" + error.message() +
                "); name a writable place with --out DIR");
  try {
    log_ = std::make_unique<LogFile>(file("run.log"));
  } catch (...) {
    fs::remove_all(work_, error);
    throw;
  }
}

ResultFolder::~ResultFolder() {
  log_.reset();
  std::error_code ignored;
  if (!work_.empty()) fs::remove_all(work_, ignored);
}

std::string ResultFolder::file(const std::string& name) const { return (fs::path(work_) / name).string(); }

void ResultFolder::write(const std::string& name, const std::string& content) { write_whole(file(name), content); }

void ResultFolder::finish() {
  log_.reset();
  write("DONE", "");
  std::error_code error;
  // An older result of the same identity steps aside first: rename does not replace a folder with files.
  const std::string old = work_ + ".old";
  if (fs::exists(place_)) fs::rename(place_, old, error);
  if (!error) {
    fs::rename(work_, place_, error);
    std::error_code ignored;
    if (error && fs::exists(old)) fs::rename(old, place_, ignored);
  }
  if (error) throw Error(place_ + ": the finished result can not be put in its place (" + error.message() + ")");
  work_.clear();
  fs::remove_all(old, error);
}

void write_file_atomically(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".partial-" + std::to_string(getpid());
  std::error_code error;
  try {
    write_whole(temporary, content);
    fs::rename(temporary, path, error);
    if (error) throw Error(path + ": can not be written (" + error.message() + ")");
  } catch (...) {
    fs::remove(temporary, error);
    throw;
  }
}

}  // namespace oneproxy
