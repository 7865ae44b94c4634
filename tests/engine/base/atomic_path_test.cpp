// What appears under a name is whole: failures leave the old content and nothing beside it.
#include "oneproxy/engine/base/atomic_path.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

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

TEST(AtomicPath, ChangesAtOnceAreAllThere) {
  constexpr int kProcesses = 6, kTurns = 20;
  const TemporaryFolder folder;
  const std::string path = folder / "kept.csv";
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    for (int i = 0; i < kTurns; ++i)
      change_file_atomically(path, 1 << 20, [&](std::string old) { return old + std::to_string(p) + "\n"; });
    _exit(0);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(content(path).size(), 2 * kProcesses * kTurns);
  EXPECT_EQ(n_entries(folder / ""), 1);
  EXPECT_THAT(error_of([&] { change_file_atomically(path, 10, [](std::string old) { return old; }); }),
              HasSubstr(path));
  EXPECT_EQ(content(path).size(), 2 * kProcesses * kTurns);
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
  const auto no_check = [](const H5File&) {};
  write_h5_atomically(path, [](H5File& file) { file.set_attribute("/", "n", std::int64_t{1}); });
  const auto spoil = [](H5File& file) {
    file.set_attribute("/", "n", std::int64_t{2});
    throw Error("in the middle");
  };
  EXPECT_THAT(error_of([&] { change_h5_atomically(path, "", no_check, spoil); }), HasSubstr("in the middle"));
  EXPECT_EQ(H5File(path, H5Mode::read).attributes("/").at("n"), H5Attribute(std::int64_t{1}));
  const auto add = [](H5File& file) { file.set_attribute("/", "more", std::int64_t{3}); };
  const auto refuse_more = [](const H5File& file) {
    if (file.attributes("/").contains("more")) throw Error("what was written is wrong");
  };
  EXPECT_THAT(error_of([&] { change_h5_atomically(path, "", refuse_more, add); }), HasSubstr("what was written"));
  EXPECT_EQ(H5File(path, H5Mode::read).attributes("/").size(), 1u);
  change_h5_atomically(path, "", no_check, add);
  EXPECT_EQ(H5File(path, H5Mode::read).attributes("/").size(), 2u);  // a copy of what was there, changed
  EXPECT_EQ(n_entries(folder / ""), 1);
}

TEST(AtomicPath, AStoreThatShipsReadOnlyMakesNoneThatIs) {
  const TemporaryFolder folder;
  write_h5_atomically(folder / "shipped.h5", [](H5File&) {});
  fs::permissions(folder / "shipped.h5", fs::perms(0444));
  change_h5_atomically(
      folder / "mine.h5", folder / "shipped.h5", [](const H5File&) {}, [](H5File&) {});
  EXPECT_NE(fs::status(folder / "mine.h5").permissions() & fs::perms::owner_write, fs::perms::none);
}

TEST(AtomicPath, FollowsSymbolicLinks) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "far");
  write_file_atomically(folder / "far/real", "old");
  fs::create_symlink("far/real", folder / "near");
  fs::create_symlink(folder / "near", folder / "chain");
  write_file_atomically(folder / "chain", "new");
  EXPECT_EQ(content(folder / "far/real"), "new");
  EXPECT_TRUE(fs::is_symlink(folder / "chain") && fs::is_symlink(folder / "near"));
  fs::create_symlink("far/later", folder / "dangling");
  write_file_atomically(folder / "dangling", "made");
  EXPECT_EQ(content(folder / "far/later"), "made");
  fs::create_symlink("b", folder / "a");
  fs::create_symlink("a", folder / "b");
  EXPECT_THAT(error_of([&] { write_file_atomically(folder / "a", ""); }), HasSubstr("circle"));
}

TEST(AtomicPath, KeepsTheModeAndRefusesWhatIsReadOnly) {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  write_file_atomically(path, "old");
  fs::permissions(path, fs::perms(0640));
  write_file_atomically(path, "new");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0640));
  fs::permissions(path, fs::perms(0444));
  EXPECT_THAT(error_of([&] { write_file_atomically(path, "never"); }), HasSubstr("read-only"));
  EXPECT_EQ(content(path), "new");
  EXPECT_THAT(error_of([&] { write_file_atomically("/dev/null", ""); }), HasSubstr("neither a file nor a folder"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(AtomicPath, RemovesWhatKilledProgramsLeft) {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  for (const std::string left : {".a.partial-1", ".a.partial-2.old", ".a.lock"}) std::ofstream(folder / left) << "left";
  write_file_atomically(path, "new");
  EXPECT_EQ(n_entries(folder / ""), 1);
  EXPECT_EQ(content(path), "new");
  // An old result that had stepped aside when its program was killed is the result.
  fs::rename(path, folder / ".a.partial-3.old");
  { const AtomicPath begun(path); }
  EXPECT_EQ(content(path), "new");
  std::ofstream(folder / ".b.partial-1") << "left";
  std::ofstream(folder / ".c.lock") << "left";
  std::ofstream(folder / ".d.partial-1") << "of a program that lives";
  const FileLock living(folder / "d");
  remove_leftovers(folder / "");
  EXPECT_FALSE(fs::exists(folder / ".b.partial-1") || fs::exists(folder / ".c.lock"));
  EXPECT_TRUE(fs::exists(folder / ".d.partial-1"));
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
