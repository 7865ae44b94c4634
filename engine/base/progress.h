#pragma once
// Long work: done, rate, time left. On a terminal one line that is written anew; elsewhere, in the log of a cluster for
// example, a line a minute (log_info, so that run.log has it and --quiet silences it). Where the thread
// that begins the work has a listener, it hears of it instead.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "oneproxy/engine/base/progress_listener.h"

namespace oneproxy {

class Progress {
 public:
  // `unit` is what is counted, for example "fits"; `line_every`: between two lines where there is no terminal.
  Progress(std::string what, std::int64_t total, std::string unit,
           std::chrono::milliseconds line_every = std::chrono::minutes(1));
  ~Progress();
  void advance(std::int64_t count = 1);  // any thread

 private:
  void print(std::int64_t done);
  void tell(std::int64_t done);

  std::string what_, unit_;
  std::int64_t total_;
  bool terminal_;
  ProgressListener listener_;
  std::optional<ListenToProgress> silence_;  // of work within this
  std::chrono::milliseconds line_every_;
  std::chrono::steady_clock::time_point start_, last_;
  std::atomic<std::int64_t> done_{0};
  std::mutex mutex_;
};

// "score: 3 of 10 architectures, 1.5/s, 5 s left"
std::string progress_line(const std::string& what, std::int64_t done, std::int64_t total, const std::string& unit,
                          double seconds);

}  // namespace oneproxy
