#include "oneproxy/engine/base/progress.h"

#include <unistd.h>

#include <cstdio>

namespace oneproxy {

Progress::Progress(std::string what, std::int64_t total, std::string unit)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) != 0),
      listener_(ListenToProgress::current()),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {
  if (!listener_) return;
  terminal_ = false;
  silence_.emplace(ProgressListener());
}

Progress::~Progress() {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::advance(std::int64_t count) {
  const auto done = done_ += count;
  if (listener_) return tell(done);
  if (!terminal_) return;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) print(done);
}

// The last step is always told, the others now and then.
void Progress::tell(std::int64_t done) {
  using namespace std::chrono;
  std::unique_lock lock(mutex_, std::defer_lock);
  if (done == total_)
    lock.lock();
  else if (!lock.try_lock())
    return;
  const auto now = steady_clock::now();
  if (done != total_ && now - last_ < milliseconds(100)) return;
  last_ = now;
  listener_(what_, done, total_, unit_);
}

void Progress::print(std::int64_t done) {
  using namespace std::chrono;
  const auto now = steady_clock::now();
  if (now - last_ < milliseconds(200)) return;
  last_ = now;
  const double seconds = duration<double>(now - start_).count();
  const double rate = done / seconds;
  std::fprintf(stderr, "\r\033[K%s: %lld of %lld %s, %.3g/s, %.0f s left", what_.c_str(), static_cast<long long>(done),
               static_cast<long long>(total_), unit_.c_str(), rate, (total_ - done) / rate);
  std::fflush(stderr);
}

}  // namespace oneproxy
