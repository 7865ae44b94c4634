#include "oneproxy/engine/base/interrupt.h"

#include <atomic>
#include <csignal>

#include "oneproxy/engine/base/held_interrupts.h"

namespace oneproxy {
namespace {

volatile std::sig_atomic_t signalled = 0;
std::atomic<int> holders = 0;

void on_signal(int signal) { signalled = signal; }

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

HeldInterrupts::HeldInterrupts() { ++holders; }
HeldInterrupts::~HeldInterrupts() { --holders; }

bool interrupt_pending() { return signalled != 0; }

int interrupt_status() { return 128 + signalled; }

}  // namespace oneproxy
