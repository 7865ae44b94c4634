#include "oneproxy/kernels/base/shared_library.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::string fault(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(SharedLibrary, TheFirstThatIsThere) {
  const SharedLibrary math({"libnone.so.1", "libm.so.6"}, "the mathematics", "install it");
  EXPECT_EQ(math.function<double(double)>("fabs")(-2), 2);
  EXPECT_EQ(fault([&] { math.function<double(double)>("no_such_function"); }),
            "the mathematics has no no_such_function, it is another version; install it");
}

TEST(SharedLibrary, AMissingOneIsAnErrorWithTheRemedy) {
  const std::string line = fault([] {
    SharedLibrary({"libnone.so.1", "/none/libnone.so.1"}, "libnone", "install it");
  });
  EXPECT_TRUE(line.starts_with("libnone can not be loaded (libnone.so.1: ")) << line;
  EXPECT_NE(line.find("/none/libnone.so.1"), std::string::npos) << line;
  EXPECT_TRUE(line.ends_with("; install it")) << line;
}

}  // namespace
}  // namespace oneproxy
