#include "oneproxy/engine/base/progress.h"

#include <unistd.h>

#include <cstdio>

#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/numbers.h"

namespace oneproxy {

std::string progress_line(const std::string& what, std::int64_t done, std::int64_t total, const std::string& unit,
                          double seconds) {
  const std::string line = what + ": " + std::to_string(done) + " of " + std::to_string(total) + " " + unit;
  if (done <= 0 || !(seconds > 0)) return line;
  const double rate = static_cast<double>(done) / seconds;
  return line + ", " + brief(rate) + "/s, " + time_span(static_cast<double>(total - done) / rate) + " left";
}

Progress::Progress(std::string what, std::int64_t total, std::string unit, std::chrono::milliseconds line_every)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(isatty(STDERR_FILENO) != 0),
      listener_(ListenToProgress::current()),
      line_every_(line_every),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {
  if (!listener_) return;
  terminal_ = false;
  silence_.emplace([](auto&&...) {});
}

Progress::~Progress() {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::advance(std::int64_t count) {
  const auto done = done_ += count;
  if (listener_) return tell(done);
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
  using std::chrono::milliseconds;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < (terminal_ ? milliseconds(200) : line_every_)) return;
  last_ = now;
  const auto line = progress_line(what_, done, total_, unit_, std::chrono::duration<double>(now - start_).count());
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
  } else {
    log_info(line);
  }
}

}  // namespace oneproxy
