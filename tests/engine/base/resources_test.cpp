#include "oneproxy/engine/base/resources.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"
#include "tests/support/scoped_variable.h"

namespace oneproxy {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Resources, AFolderThatSomebodyNamedIsTakenOrRefused) {
  const TemporaryFolder folder;
  const test::ScopedVariable home("ONEPROXY_HOME");
  home.set(folder / "none");
  EXPECT_THAT(error_of([] { home_folder(); }), AllOf(HasSubstr("ONEPROXY_HOME="), HasSubstr("configs/spaces")));
  EXPECT_THAT(error_of([&] { set_home_folder(folder / "none"); }), HasSubstr(folder / "none"));
  std::filesystem::create_directories(folder / "mine/configs/spaces");
  home.set(folder / "mine");
  EXPECT_EQ(home_folder(), folder / "mine");
  home.unset();
  EXPECT_TRUE(std::filesystem::exists(shipped_store())) << home_folder();
}

TEST(Resources, TheCodeIsInTheFolderOfThisTest) {
  EXPECT_EQ(code_folder(), std::filesystem::read_symlink("/proc/self/exe").parent_path().string());
}

}  // namespace
}  // namespace oneproxy
