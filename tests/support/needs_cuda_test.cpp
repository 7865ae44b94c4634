#include "tests/support/needs_cuda.h"

#include <gtest/gtest-spi.h>

namespace oneproxy::test {
namespace {

void needs_cuda() { ONEPROXY_NEEDS_CUDA(); }

TEST(NeedsCuda, IsAFailureWhereCudaIsRequiredAndMissing) {
  if (why_no_cuda().empty()) {
    needs_cuda();
    EXPECT_FALSE(IsSkipped()) << "there is a device";
    return;
  }
  const char* before = std::getenv("ONEPROXY_REQUIRE_CUDA");
  const std::string value = before ? before : "";
  setenv("ONEPROXY_REQUIRE_CUDA", "1", 1);
  EXPECT_FATAL_FAILURE(needs_cuda(), "ONEPROXY_REQUIRE_CUDA=1");
  EXPECT_FALSE(IsSkipped());
  setenv("ONEPROXY_REQUIRE_CUDA", value.c_str(), 1);
}

}  // namespace
}  // namespace oneproxy::test
