// What appears under a name is whole: failures leave the old content and nothing beside it.
#include "oneproxy/engine/base/atomic_path.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "oneproxy/engine/base/result_folder.h"
#include "oneproxy/kernels/base/error.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string content(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::int64_t n_entries(const std::string& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

TEST(AtomicPath, ATextFileAppearsWhenItIsFinished) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.csv";
  write_file_atomically(path, "old");
  {
    OutputFile file(path);
    file.write("new ");
    EXPECT_EQ(content(path), "old");
    file.write("text");
    file.finish();
  }
  EXPECT_EQ(content(path), "new text");
  { OutputFile(path).write("never finished"); }
  EXPECT_EQ(content(path), "new text");
  EXPECT_EQ(n_entries(folder / ""), 1);
  EXPECT_THAT(error_of([&] { OutputFile file(folder / "none/a.csv"); }), HasSubstr("none/a.csv"));
}

TEST(AtomicPath, AnErrorInTheMiddleLeavesAnHdf5FileAsItWas) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.h5";
  write_h5_atomically(path, "", [](H5File& file) { file.set_attribute("/", "n", std::int64_t{1}); });
  EXPECT_THAT(error_of([&] {
                write_h5_atomically(path, path, [](H5File& file) {
                  file.set_attribute("/", "n", std::int64_t{2});
                  throw Error("in the middle");
                });
              }),
              HasSubstr("in the middle"));
  EXPECT_EQ(H5File(path, H5Mode::read).attributes("/").at("n"), H5Attribute(std::int64_t{1}));
  write_h5_atomically(path, path, [](H5File& file) { file.set_attribute("/", "more", std::int64_t{3}); });
  EXPECT_EQ(H5File(path, H5Mode::read).attributes("/").size(), 2u);  // a copy of what was there, changed
  EXPECT_EQ(n_entries(folder / ""), 1);
}

TEST(AtomicPath, AResultFolderReplacesAnOlderOne) {
  const TemporaryFolder folder;
  const std::string path = folder / "result";
  for (const std::string text : {"one", "two"}) {
    ResultFolder result(path);
    result.write(text, text);
    result.finish();
    EXPECT_TRUE(ResultFolder::finished(path));
    EXPECT_EQ(content(path + "/" + text), text);
  }
  EXPECT_FALSE(fs::exists(path + "/one"));
  { ResultFolder(path).write("three", ""); }
  EXPECT_TRUE(fs::exists(path + "/two"));
  EXPECT_EQ(n_entries(folder / ""), 1);
}

}  // namespace
}  // namespace oneproxy
