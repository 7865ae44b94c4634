// One writer at a time; a lock file lives as long as its lock.
#include "oneproxy/engine/base/file_lock.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {
using ::testing::HasSubstr;

TEST(FileLock, SecondsWaitAndNothingIsLeft) {
  const TemporaryFolder folder;
  const std::string path = folder / "store.h5";
  {
    const FileLock first(path);
    EXPECT_TRUE(first.held());
    EXPECT_FALSE(FileLock::without_waiting(path).held());
    EXPECT_TRUE(FileLock::without_waiting(folder / "other.h5").held());
    std::ifstream file(folder / ".store.h5.lock");
    const std::string holder((std::istreambuf_iterator<char>(file)), {});
    EXPECT_THAT(holder, HasSubstr("process " + std::to_string(getpid()) + " on "));
  }
  EXPECT_TRUE(FileLock::without_waiting(path).held());
  EXPECT_TRUE(std::filesystem::is_empty(folder / ""));
  EXPECT_THAT(error_of([&] { FileLock(folder / "none/store.h5"); }), HasSubstr("none/store.h5"));
}

// The file of the lock is removed by who had it while others try: nobody may hold a lock on a removed file.
TEST(FileLock, OneHolderAtATime) {
  const TemporaryFolder folder;
  const std::string path = folder / "store.h5";
  std::atomic<int> holders{0}, most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const FileLock lock = FileLock::without_waiting(path);
        if (!lock.held()) continue;
        const int now = ++holders;
        if (now > most) most = now;
        --holders;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST(FileLock, TheLockOfAKilledProgramIsFree) {
  const TemporaryFolder folder;
  const std::string path = folder / "store.h5";
  const pid_t child = fork();
  if (child == 0) {
    const FileLock lock(path);
    pause();
    _exit(0);
  }
  while (!std::filesystem::exists(folder / ".store.h5.lock") || FileLock::without_waiting(path).held()) usleep(1000);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock(path).held());
}

}  // namespace
}  // namespace oneproxy
