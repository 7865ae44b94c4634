#pragma once
// The two ways to fail, for every layer above.
//   Error          the caller's input or the machine is at fault: one line that names the value, the
//                  place and the remedy; the program prints it and exits with a non-zero status.
//                  Whatever a file or a command line put into it, it stays one readable line.
//   ONEPROXY_ASSERT our own mistake: states the broken assumption with its place.
#include <stdexcept>
#include <string>
#include <string_view>

namespace oneproxy {

// The text as one line: control characters and bytes that are not UTF-8 as escapes, words of more than 200 characters
// and texts of more than 2000 cut in the middle.
std::string one_line(std::string_view text);

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(one_line(message)) {}
};

// Caught where a smaller piece of work, or another device, can be tried.
class OutOfDeviceMemory : public Error {
 public:
  using Error::Error;
};

[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) {
  throw std::logic_error(std::string("internal error (please report): ") + condition + " is false at " + file + ":" +
                         std::to_string(line));
}

}  // namespace oneproxy

#define ONEPROXY_ASSERT(condition) \
  ((condition) ? void(0) : ::oneproxy::assertion_failed(#condition, __FILE__, __LINE__))
