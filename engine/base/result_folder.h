#pragma once
// A run is a folder that explains itself: config.toml, summary.json, arrays.h5, report.md, run.log,
// provenance.json, and DONE last. It is an AtomicPath: an interrupted run leaves nothing.
#include <memory>
#include <string>

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/log.h"

namespace oneproxy {

class ResultFolder {
 public:
  // Where a result is: OUT/<kind>/<name>-<first 10 hex of SHA-256 of the identity>.
  static std::string path_of(const std::string& out, const std::string& kind, const std::string& name,
                             const std::string& identity);
  static bool finished(const std::string& path);

  // Waits while another program makes the same result; look at finished() again then. Removes what killed runs left
  // beside it. Error where the folder can not be made (read-only, full).
  explicit ResultFolder(const std::string& path);
  ~ResultFolder();  // an unfinished folder is removed
  ResultFolder(const ResultFolder&) = delete;
  ResultFolder& operator=(const ResultFolder&) = delete;

  std::string file(const std::string& name) const;                  // where to write while working
  void write(const std::string& name, const std::string& content);  // Error names the file
  void finish();                                                    // DONE, then rename; replaces an older result

 private:
  AtomicPath path_;
  std::unique_ptr<LogFile> log_;  // in the folder, so closed before it is removed
};

}  // namespace oneproxy
