#pragma once
// The two ways to fail, for every layer above.
//   Error          the caller's input or the machine is at fault: one line that names the value, the
//                  place and the remedy; the program prints it and exits with a non-zero status.
//   ONEPROXY_ASSERT our own mistake: states the broken assumption with its place.
#include <stdexcept>
#include <string>

namespace oneproxy {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) {
  throw std::logic_error(std::string("internal error (please report): ") + condition + " is false at " + file + ":" +
                         std::to_string(line));
}

}  // namespace oneproxy

#define ONEPROXY_ASSERT(condition) \
  ((condition) ? void(0) : ::oneproxy::assertion_failed(#condition, __FILE__, __LINE__))
