#include "tests/support/needs_cuda.h"

#include <gtest/gtest-spi.h>

#include "tests/support/scoped_variable.h"

namespace oneproxy::test {
namespace {

void needs_cuda() { ONEPROXY_NEEDS_CUDA(); }

TEST(NeedsCuda, IsAFailureWhereCudaIsRequiredAndMissing) {
  if (why_no_cuda().empty()) {
    needs_cuda();
    EXPECT_FALSE(IsSkipped()) << "there is a device";
    return;
  }
  const ScopedVariable required("ONEPROXY_REQUIRE_CUDA");
  required.set("1");
  EXPECT_FATAL_FAILURE(needs_cuda(), "ONEPROXY_REQUIRE_CUDA=1");
  EXPECT_FALSE(IsSkipped());
}

}  // namespace
}  // namespace oneproxy::test
