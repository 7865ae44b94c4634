#pragma once
// Messages for the person at the terminal (standard error) and for run.log. Standard output belongs to
// results. Messages are whole sentences with the values in them.
#include <string>

namespace oneproxy {

void log_info(const std::string& message);
void log_warning(const std::string& message);

// While it lives, messages also go to the file, with times. Error where it can not be written.
class LogFile {
 public:
  explicit LogFile(const std::string& path);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
};

void set_quiet(bool quiet);  // no info on the terminal; warnings stay
void set_silent();           // nothing on the terminal: another process says the same

}  // namespace oneproxy
