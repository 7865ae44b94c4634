#include "oneproxy/engine/base/arguments.h"

#include <nlohmann/json.hpp>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

void check_arguments(int count, const char* const* words) {
  for (int i = 1; i < count; ++i) {
    try {
      (void)nlohmann::json(words[i]).dump();  // the writer that would fail
    } catch (const nlohmann::json::type_error&) {
      throw Error("argument " + std::to_string(i) + ", '" + words[i] +
                  "', is not UTF-8; write it in UTF-8, or rename the file that it names");
    }
  }
}

}  // namespace oneproxy
