#include "oneproxy/engine/base/interrupt.h"

#include <csignal>

namespace oneproxy {
namespace {
volatile std::sig_atomic_t signalled = 0;

void on_signal(int signal) {
  signalled = 1;
  std::signal(signal, SIG_DFL);
}
}  // namespace

void install_interrupt_handler() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

void check_interrupt() {
  if (signalled) throw Interrupted();
}

}  // namespace oneproxy
