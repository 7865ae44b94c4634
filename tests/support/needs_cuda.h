#pragma once
// ONEPROXY_NEEDS_CUDA() at the beginning of a test, or of a fixture's SetUp, skips it where there is no CUDA device.
// ONEPROXY_REQUIRE_CUDA=1 in the environment makes it fail instead, so that a machine with a GPU can not pass by
// skipping.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "oneproxy/kernels/base/backend.h"

namespace oneproxy::test {

// "" where there is a device.
inline std::string why_no_cuda() {
  if (!cuda_compiled()) return "this build holds no CUDA code";
  return cuda_device_count() > 0 ? "" : "needs a CUDA device";
}

inline bool cuda_is_required() {
  const char* value = std::getenv("ONEPROXY_REQUIRE_CUDA");
  return value && std::string(value) == "1";
}

}  // namespace oneproxy::test

#define ONEPROXY_NEEDS_CUDA()                                                                      \
  do {                                                                                             \
    const std::string without = oneproxy::test::why_no_cuda();                                     \
    if (!without.empty() && oneproxy::test::cuda_is_required())                                    \
      GTEST_FAIL() << without << ", and ONEPROXY_REQUIRE_CUDA=1 asks for the tests that need one"; \
    if (!without.empty()) GTEST_SKIP() << without;                                                 \
  } while (false)
