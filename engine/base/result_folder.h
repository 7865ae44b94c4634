#pragma once
// A run is a folder that explains itself: config.toml, summary.json, arrays.h5, report.md, run.log,
// provenance.json, and DONE last. It is made beside its place under another name and renamed when it is
// whole, so that an interrupted run leaves nothing.
#include <memory>
#include <string>

#include "oneproxy/engine/base/log.h"

namespace oneproxy {

class ResultFolder {
 public:
  // The place of a result: OUT/<kind>/<name>-<first 10 hex of SHA-256 of the identity>.
  static std::string place(const std::string& out, const std::string& kind, const std::string& name,
                           const std::string& identity);
  static bool finished(const std::string& place);

  // Error where the folder can not be made (read-only, full).
  explicit ResultFolder(const std::string& place);
  ~ResultFolder();  // an unfinished folder is removed
  ResultFolder(const ResultFolder&) = delete;
  ResultFolder& operator=(const ResultFolder&) = delete;

  std::string file(const std::string& name) const;                  // where to write while working
  void write(const std::string& name, const std::string& content);  // Error names the file
  void finish();                                                    // DONE, then rename; replaces an older result

 private:
  std::string place_, work_;
  std::unique_ptr<LogFile> log_;
};

// Writes a file whole or not at all (temporary file, then rename).
void write_file_atomically(const std::string& path, const std::string& content);

}  // namespace oneproxy
