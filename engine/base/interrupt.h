#pragma once
// Ctrl-C: long work asks now and then, and stops with nothing half written.
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

// What a run throws when it was interrupted; the program exits with 130.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted: nothing was written; run the same command again") {}
  explicit Interrupted(const std::string& message) : Error(message) {}  // where a state was kept
};

void install_interrupt_handler();  // SIGINT and SIGTERM; a second signal ends the program at once
void check_interrupt();            // throws Interrupted after a signal

}  // namespace oneproxy
