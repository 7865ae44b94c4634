#pragma once
// One line about long work: done, rate, time left. Only on a terminal; never in a log or a pipe. Where the thread that
// begins the work has a listener, it hears of it instead.
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
  // `unit` is what is counted, for example "fits".
  Progress(std::string what, std::int64_t total, std::string unit);
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
  std::chrono::steady_clock::time_point start_, last_;
  std::atomic<std::int64_t> done_{0};
  std::mutex mutex_;
};

}  // namespace oneproxy
