#pragma once
// Ctrl-C, a polite kill, a terminal that goes: long work asks now and then, and stops with nothing half written.
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

// What a run throws when it was interrupted.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted: nothing was written; run the same command again") {}
  // Where a state was kept, which the message names.
  explicit Interrupted(const std::string& message) : Error(message), keeps_state_(true) {}
  bool keeps_state() const { return keeps_state_; }

 private:
  bool keeps_state_ = false;
};

// SIGINT, SIGTERM and SIGHUP; a second signal ends the program at once. A SIGHUP that is ignored (nohup) stays ignored.
// System calls are not taken up again after one, so that no wait outlives it. A reader that has gone (SIGPIPE) is an
// error of the write and no death in mid-work.
void install_interrupt_handler();
void check_interrupt();  // throws Interrupted after a signal
int interrupt_status();  // exit status of an interrupted program: 128 + the signal, as in a shell

// For a program that handles SIGINT itself, as Python does: while one of these lives, a SIGINT also stops long work,
// and then goes to the program's handler. Where SIGINT is ignored or ends the program it stays so. Several may live at
// once, in any threads; what they saw is forgotten with the last.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
};

}  // namespace oneproxy
