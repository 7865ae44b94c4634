#include "oneproxy/engine/base/read_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {
using ::testing::HasSubstr;

TEST(ReadFile, WholeFilesAndPipes) {
  const TemporaryFolder folder;
  std::string bytes(100'000, 'x');
  bytes[5] = '\0';
  std::ofstream(folder / "a", std::ios::binary) << bytes;
  EXPECT_EQ(read_file(folder / "a", bytes.size()), bytes);
  std::ofstream(folder / "empty");
  EXPECT_EQ(read_file(folder / "empty", 0), "");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(folder / "pipe", std::ios::binary) << bytes; });
  EXPECT_EQ(read_file(folder / "pipe", bytes.size()), bytes);
  writer.join();
}

TEST(ReadFile, Refuses) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a") << "12345";
  EXPECT_THAT(error_of([&] { read_file(folder / "a", 4); }), HasSubstr("larger than 4 bytes"));
  EXPECT_THAT(error_of([&] { read_file(folder / "none", 4); }), HasSubstr("none: can not be read"));
  EXPECT_THAT(error_of([&] { read_file(folder / "", 4); }), HasSubstr("is a folder"));
  EXPECT_THAT(error_of([&] { read_file("/dev/zero", 1 << 20); }), HasSubstr("larger than 1 MiB"));
}

}  // namespace
}  // namespace oneproxy
