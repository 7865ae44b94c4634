#pragma once
// Who wants to hear of long work instead of a line on the terminal: a program around the engine, as Python is.
#include <cstdint>
#include <functional>
#include <string>

namespace oneproxy {

// What is done, how much of it, of how much (0: nobody knows beforehand), and what is counted. Called from any thread,
// not from two at once; what it throws ends the work.
using ProgressListener =
    std::function<void(const std::string& what, std::int64_t done, std::int64_t total, const std::string& unit)>;

// While it lives, long work that this thread begins (engine/base/progress.h) tells the listener. Work within such work
// is silent.
class ListenToProgress {
 public:
  explicit ListenToProgress(ProgressListener listener);
  ~ListenToProgress();
  ListenToProgress(const ListenToProgress&) = delete;
  ListenToProgress& operator=(const ListenToProgress&) = delete;

  // The listener of this thread, empty where there is none.
  static const ProgressListener& current();

 private:
  ProgressListener listener_;
  const ListenToProgress* before_;
};

}  // namespace oneproxy
