#include "oneproxy/engine/base/result_folder.h"

#include <filesystem>
#include <fstream>

#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;

std::string ResultFolder::path_of(const std::string& out, const std::string& kind, const std::string& name,
                                  const std::string& identity) {
  return (fs::path(out) / kind / (name + "-" + sha256_hex(identity).substr(0, 10))).string();
}

bool ResultFolder::finished(const std::string& path) { return file_exists(fs::path(path) / "DONE"); }

namespace {

void make_folder(const fs::path& folder, const std::string& result) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error(result + ": the result folder can not be made (" + error.message() +
                "); name a writable folder with --out DIR");
}

// The folder that holds it is there, without what killed runs left.
const std::string& with_parent(const std::string& path) {
  const auto parent = fs::path(path).parent_path();
  if (parent.empty()) return path;
  make_folder(parent, path);
  oneproxy::remove_leftovers(parent.string());
  return path;
}

}  // namespace

ResultFolder::ResultFolder(const std::string& path) : path_(with_parent(path)) {
  make_folder(path_.temporary(), path);
  log_ = std::make_unique<LogFile>(file("run.log"));
}

ResultFolder::~ResultFolder() = default;

std::string ResultFolder::file(const std::string& name) const { return (fs::path(path_.temporary()) / name).string(); }

void ResultFolder::write(const std::string& name, const std::string& content) {
  std::ofstream out(file(name), std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) throw Error(file(name) + ": can not be written; is the folder writable and the disk not full?");
}

void ResultFolder::finish() {
  log_.reset();
  write("DONE", "");
  path_.rename();
}

}  // namespace oneproxy
