#include "oneproxy/kernels/base/shared_library.h"

#include <dlfcn.h>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

SharedLibrary::SharedLibrary(const std::vector<std::string>& files, const std::string& what, const std::string& remedy)
    : what_(what), remedy_(remedy) {
  std::string reasons;
  for (const auto& file : files) {
    library_ = dlopen(file.c_str(), RTLD_LAZY | RTLD_LOCAL);
    if (library_) return;
    reasons += (reasons.empty() ? "" : ", ") + std::string(dlerror());
  }
  throw Error(what + " can not be loaded (" + reasons + "); " + remedy);
}

void* SharedLibrary::address(const char* name) const {
  void* found = dlsym(library_, name);
  if (!found) throw Error(what_ + " has no " + name + ", it is another version; " + remedy_);
  return found;
}

}  // namespace oneproxy
