#pragma once
// The message of the Error that a call throws, "no error" where it throws none.
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace oneproxy
