#pragma once
// Signals that wait until something is written down.

namespace oneproxy {

// While it lives check_interrupt (base/interrupt.h) lets a signal wait; a second one still ends the program at once.
class HeldInterrupts {
 public:
  HeldInterrupts();
  ~HeldInterrupts();
  HeldInterrupts(const HeldInterrupts&) = delete;
  HeldInterrupts& operator=(const HeldInterrupts&) = delete;
};

bool interrupt_pending();  // whether there was a signal, held or not

}  // namespace oneproxy
