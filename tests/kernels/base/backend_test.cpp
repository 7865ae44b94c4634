#include "oneproxy/kernels/base/backend.h"

#include <gtest/gtest.h>

#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

TEST(Backend, Names) {
  EXPECT_STREQ(to_string(Backend::cpu), "cpu");
  EXPECT_STREQ(to_string(Backend::cuda), "cuda");
}

TEST(Backend, CpuAlwaysRuns) { EXPECT_NO_THROW(require_backend(Backend::cpu)); }

TEST(Backend, CudaRunsOrNamesTheRemedy) {
  if (cuda_device_count() > 0) {
    EXPECT_TRUE(cuda_compiled());
    EXPECT_NE(cuda_device_name(), "none");
    EXPECT_NO_THROW(require_backend(Backend::cuda));
    return;
  }
  EXPECT_EQ(cuda_device_name(), "none");
  try {
    require_backend(Backend::cuda);
    FAIL() << "there is no device";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(cuda_compiled() ? "use backend = \"cpu\"" : "-DONEPROXY_CUDA=ON"), std::string::npos)
        << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace oneproxy
