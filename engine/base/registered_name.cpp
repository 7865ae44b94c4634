#include "oneproxy/engine/base/registered_name.h"

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

void require_plain_word(const std::string& name, const std::string& what) {
  const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", others = "0123456789_";
  if (!name.empty() && letters.find(name[0]) != std::string::npos &&
      name.find_first_not_of(letters + others) == std::string::npos)
    return;
  throw Error("name = '" + name + "': a " + what +
              " is called by a letter and then letters, digits or '_', for example " + "my_own");
}

}  // namespace oneproxy
