#pragma once
// A library that is loaded when it is first needed: a machine without it can do everything else.
#include <string>
#include <vector>

namespace oneproxy {

// Never closed: libraries of this size do not survive being unloaded.
class SharedLibrary {
 public:
  // The first of the files that can be loaded; a name without '/' is looked for as the system does.
  // Error: "WHAT can not be loaded (why); REMEDY".
  SharedLibrary(const std::vector<std::string>& files, const std::string& what, const std::string& remedy);

  // Error where the library has no such function: it is another version.
  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(address(name));
  }

 private:
  void* address(const char* name) const;

  void* library_ = nullptr;
  std::string what_, remedy_;
};

}  // namespace oneproxy
