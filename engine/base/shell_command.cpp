#include "oneproxy/engine/base/shell_command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "oneproxy/engine/base/held_interrupts.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPieces = 256;  // of output, read at once
constexpr int kPollMs = 50;
constexpr double kGraceSeconds = 2;  // between a polite end and a hard one
constexpr std::size_t kTail = 16384, kShownLines = 5;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) throw Error(std::string("no pipe can be made (") + std::strerror(errno) + ")");
  }
  ~Pipe() {
    close_write();
    ::close(ends_[0]);
  }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_write() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

 private:
  int ends_[2] = {-1, -1};
};

// Between fork and exec: only calls that a process of several threads may make there.
[[noreturn]] void become(char* const* words, int output) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // of the shell alone: what it started outlives a kill -9 of this program
  ::signal(SIGPIPE, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execv("/bin/sh", words);
  ::_exit(127);
}

class Child {
 public:
  Child(const std::string& command, const std::vector<std::string>& arguments) {
    std::vector<std::string> texts = {"sh", "-c", command + " \"$@\"", "sh"};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    std::vector<char*> words;
    for (auto& text : texts) words.push_back(text.data());
    words.push_back(nullptr);
    // Where whoever started this program ignores it, no child could be waited for.
    ::signal(SIGCHLD, SIG_DFL);
    id_ = ::fork();
    if (id_ < 0) throw Error(command + ": can not be started (" + std::strerror(errno) + ")");
    if (id_ == 0) become(words.data(), pipe_.write_end());
    ::setpgid(id_, id_);  // here too: whoever comes first
    pipe_.close_write();
    ::fcntl(pipe_.read_end(), F_SETFL, O_NONBLOCK);
  }
  // No group outlives this object unless its leader ended by itself.
  ~Child() {
    if (!ended_) end();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits a moment for output or the end; true once it has ended.
  bool wait_a_moment() {
    pollfd one{closed_ ? -1 : pipe_.read_end(), POLLIN, 0};
    ::poll(&one, 1, kPollMs);
    read_output();
    return reap();
  }
  // With all that it started: politely, then by force.
  void end() {
    ::kill(-id_, SIGTERM);
    for (const auto start = Clock::now(); !reap() && seconds_since(start) < kGraceSeconds;) ::poll(nullptr, 0, kPollMs);
    ::kill(-id_, SIGKILL);
    while (!reap()) ::poll(nullptr, 0, kPollMs);
    read_output();
  }
  int status() const { return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_); }
  const std::string& output() const { return output_; }

 private:
  bool reap() {
    if (ended_) return true;
    const pid_t found = ::waitpid(id_, &status_, WNOHANG);
    ended_ = found == id_ || (found < 0 && errno != EINTR);
    return ended_;
  }
  void read_output() {
    char piece[4096];
    ssize_t n = 0;
    // A command that never ceases to write is read in parts, so that its time ends.
    for (int k = 0; k < kPieces && (n = ::read(pipe_.read_end(), piece, sizeof piece)) >= 0; ++k) {
      if (n == 0) {
        closed_ = true;
        return;
      }
      output_.append(piece, n);
      if (output_.size() > 2 * kTail) output_.erase(0, output_.size() - kTail);
    }
  }

  Pipe pipe_;
  pid_t id_ = -1;
  int status_ = 0;
  bool ended_ = false, closed_ = false;
  std::string output_;
};

std::string last_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  std::string all;
  for (std::size_t i = lines.size() > kShownLines ? lines.size() - kShownLines : 0; i < lines.size(); ++i)
    all += (all.empty() ? "" : " | ") + lines[i];
  return all;
}

}  // namespace

std::string ShellOutcome::describe() const {
  const std::string said = last_lines.empty() ? "" : ": " + last_lines;
  if (timed_out) return "was stopped after " + plain(seconds) + " s" + said;
  return "ended with status " + std::to_string(status) + said;
}

ShellOutcome run_by_shell(const std::string& command, const std::vector<std::string>& arguments,
                          double timeout_seconds) {
  if (interrupt_pending()) throw Interrupted();
  const auto start = Clock::now();
  Child child(command, arguments);
  ShellOutcome outcome;
  while (!child.wait_a_moment()) {
    if (interrupt_pending()) throw Interrupted();
    if (timeout_seconds > 0 && seconds_since(start) > timeout_seconds) {
      child.end();
      outcome.timed_out = true;
      break;
    }
  }
  outcome.seconds = outcome.timed_out ? timeout_seconds : seconds_since(start);
  outcome.status = child.status();
  outcome.last_lines = last_lines(child.output());
  return outcome;
}

}  // namespace oneproxy
