#pragma once
// A command of the user's, run by the shell: to its end, to a time-out, or to a signal.
#include <string>
#include <vector>

namespace oneproxy {

struct ShellOutcome {
  bool timed_out = false;
  int status = 0;  // exit status; 128 + the signal that ended it
  double seconds = 0;
  std::string last_lines;  // of what it wrote to standard output and error, the last five, joined by " | "

  bool good() const { return !timed_out && status == 0; }
  std::string describe() const;  // "ended with status 3: adb: no devices", "was stopped after 600 s"
};

// Runs `command` as `sh -c` does, with the arguments as $1, $2, ... behind the command's own words; its standard input
// is empty. It has a process group of its own, which is ended with all that it started at the time-out (0: never), and
// before Interrupted is thrown when this program gets a signal, held or not (base/held_interrupts.h). What it leaves in
// the background is not waited for. Error: no process can be started.
ShellOutcome run_by_shell(const std::string& command, const std::vector<std::string>& arguments,
                          double timeout_seconds);

}  // namespace oneproxy
