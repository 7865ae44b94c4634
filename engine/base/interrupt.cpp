#include "oneproxy/engine/base/interrupt.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "oneproxy/engine/base/held_interrupts.h"

namespace oneproxy {
namespace {

volatile std::sig_atomic_t signalled = 0;
std::atomic<int> holders = 0;

void on_signal(int signal) { signalled = signal; }

std::mutex watch_mutex;
int n_watches = 0;
struct sigaction watched {};  // the program's own; it stays after the last watch, for a signal that is on its way

void on_watched_signal(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  signalled = signal;
  if (watched.sa_flags & SA_SIGINFO)
    watched.sa_sigaction(signal, info, context);
  else
    watched.sa_handler(signal);
  errno = error;
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // without SA_RESTART
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (signal == SIGHUP && before.sa_handler == SIG_IGN) continue;
    sigaction(signal, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
}

void check_interrupt() {
  if (signalled && holders == 0) throw Interrupted();
}

InterruptWatch::InterruptWatch() {
  const std::lock_guard lock(watch_mutex);
  if (n_watches++ > 0) return;
  signalled = 0;
  sigaction(SIGINT, nullptr, &watched);
  if (!(watched.sa_flags & SA_SIGINFO) && (watched.sa_handler == SIG_DFL || watched.sa_handler == SIG_IGN)) return;
  struct sigaction action = watched;
  action.sa_sigaction = on_watched_signal;
  action.sa_flags |= SA_SIGINFO;
  sigaction(SIGINT, &action, nullptr);
}

InterruptWatch::~InterruptWatch() {
  const std::lock_guard lock(watch_mutex);
  if (--n_watches > 0) return;
  sigaction(SIGINT, &watched, nullptr);
  signalled = 0;
}

HeldInterrupts::HeldInterrupts() { ++holders; }
HeldInterrupts::~HeldInterrupts() { --holders; }

bool interrupt_pending() { return signalled != 0; }

int interrupt_status() { return 128 + signalled; }

}  // namespace oneproxy
