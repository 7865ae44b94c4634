#include "oneproxy/engine/base/resources.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Resources, AFolderThatSomebodyNamedIsTakenOrRefused) {
  const TemporaryFolder folder;
  setenv("ONEPROXY_HOME", (folder / "none").c_str(), 1);
  EXPECT_THAT(error_of([] { home_folder(); }), AllOf(HasSubstr("ONEPROXY_HOME="), HasSubstr("configs/spaces")));
  EXPECT_THAT(error_of([&] { set_home_folder(folder / "none"); }), HasSubstr(folder / "none"));
  std::filesystem::create_directories(folder / "mine/configs/spaces");
  setenv("ONEPROXY_HOME", (folder / "mine").c_str(), 1);
  EXPECT_EQ(home_folder(), folder / "mine");
  unsetenv("ONEPROXY_HOME");
  EXPECT_TRUE(std::filesystem::exists(shipped_store())) << home_folder();
}

TEST(Resources, TheCodeIsInTheFolderOfThisTest) {
  EXPECT_EQ(code_folder(), std::filesystem::read_symlink("/proc/self/exe").parent_path().string());
}

}  // namespace
}  // namespace oneproxy
