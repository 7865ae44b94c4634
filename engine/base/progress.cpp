#include "oneproxy/engine/base/progress.h"

#include <unistd.h>

#include <cstdio>

namespace oneproxy {

Progress::Progress(std::string what, std::int64_t total, std::string unit)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::advance(std::int64_t count) {
  const auto done = done_ += count;
  if (!terminal_) return;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) print(done);
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
