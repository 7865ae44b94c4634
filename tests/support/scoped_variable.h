#pragma once
// A test that sets an environment variable: whatever the person who runs it has set is put aside, and put back.
#include <cstdlib>
#include <optional>
#include <string>

namespace oneproxy::test {

class ScopedVariable {
 public:
  explicit ScopedVariable(const char* name) : name_(name) {
    if (const char* value = std::getenv(name)) before_ = value;
    unset();
  }
  ~ScopedVariable() { before_ ? set(*before_) : unset(); }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

  void set(const std::string& value) const { setenv(name_, value.c_str(), 1); }
  void unset() const { unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace oneproxy::test
