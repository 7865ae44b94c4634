// One writer at a time, with flock and without; a lock file lives as long as its lock.
#include "oneproxy/engine/base/file_lock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "oneproxy/engine/base/process_identity.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

int no_locks(int, int) {
  errno = ENOLCK;
  return -1;
}
int broken(int, int) {
  errno = EIO;
  return -1;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {(std::istreambuf_iterator<char>(file)), {}};
}

class EitherLock : public ::testing::TestWithParam<FileLock::LockCall> {
 protected:
  std::string lock_file() const { return folder / (GetParam() == no_locks ? ".store.h5.lock-held" : ".store.h5.lock"); }
  FileLock try_it() const { return FileLock::without_waiting(path, GetParam()); }

  const TemporaryFolder folder;
  const std::string path = folder / "store.h5";
};

INSTANTIATE_TEST_SUITE_P(FileLock, EitherLock, ::testing::Values(static_cast<FileLock::LockCall>(::flock), no_locks),
                         [](const auto& of) { return of.param == no_locks ? "WithoutFlock" : "WithFlock"; });

TEST_P(EitherLock, SecondsWaitAndNothingIsLeft) {
  {
    const FileLock first(path, GetParam());
    EXPECT_TRUE(first.held());
    EXPECT_FALSE(try_it().held());
    EXPECT_TRUE(FileLock::without_waiting(folder / "other.h5", GetParam()).held());
    const auto holder = parse_process(text_of(lock_file()));
    ASSERT_TRUE(holder.has_value()) << text_of(lock_file());
    EXPECT_EQ(holder->pid, getpid());
    EXPECT_EQ(std::distance(fs::directory_iterator(folder / ""), fs::directory_iterator()), 1);
  }
  EXPECT_TRUE(try_it().held());
  EXPECT_TRUE(fs::is_empty(folder / ""));
  EXPECT_THAT(error_of([&] { FileLock(folder / "none/store.h5", GetParam()); }), HasSubstr("none/store.h5"));
}

// The file of the lock is removed by who had it while others try: nobody may hold a lock on a removed file.
TEST_P(EitherLock, OneHolderAtATime) {
  std::atomic<int> holders{0}, most{0}, turns{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const FileLock lock = try_it();
        if (!lock.held()) continue;
        const int now = ++holders;
        if (now > most) most = now;
        ++turns;
        --holders;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
  EXPECT_GT(turns, 0);
  EXPECT_TRUE(fs::is_empty(folder / ""));
}

// A number in a file, read and written with one more: no turn may be lost.
TEST_P(EitherLock, ManyProcessesTakeTurns) {
  constexpr int kProcesses = 6, kTurns = 40;
  const std::string counter = folder / "counter";
  std::ofstream(counter) << 0;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(fork());
    if (children.back() != 0) continue;
    for (int i = 0; i < kTurns; ++i) {
      const FileLock lock(path, GetParam());
      const int count = std::stoi(text_of(counter));
      std::ofstream(counter) << count + 1;
    }
    _exit(0);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(std::stoi(text_of(counter)), kProcesses * kTurns);
}

// Takes the lock again and again, and ends with 1 where another one has it at the same time: a record lock, which the
// kernel frees with its process, is the witness.
[[noreturn]] void take_turns(const std::string& path, const std::string& witness, FileLock::LockCall call) {
  const int file = open(witness.c_str(), O_RDWR | O_CREAT, 0666);
  for (;;) {
    const FileLock lock = FileLock::without_waiting(path, call);
    if (!lock.held()) {
      usleep(100);
      continue;
    }
    struct flock record {};
    record.l_type = F_WRLCK;
    if (fcntl(file, F_SETLK, &record) != 0) _exit(1);
    usleep(300);
    record.l_type = F_UNLCK;
    fcntl(file, F_SETLK, &record);
  }
}

TEST_P(EitherLock, ProcessesThatAreKilledHoldUpNobody) {
  const std::string witness = folder / "witness";
  std::vector<pid_t> children(5, 0);
  std::mt19937 random(1);
  int kills = 0;
  for (int round = 0; round < 200; ++round) {
    for (auto& child : children)
      if (child == 0 && (child = fork()) == 0) take_turns(path, witness, GetParam());
    usleep(2000 + random() % 5000);
    auto& victim = children[random() % children.size()];
    kill(victim, SIGKILL);
    int status = 0;
    waitpid(victim, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "two had the lock at once, or an error";
    ++kills;
    victim = 0;
  }
  for (const pid_t child : children) {
    if (child == 0) continue;
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "two had the lock at once, or an error";
  }
  EXPECT_EQ(kills, 200);
  { EXPECT_TRUE(FileLock(path, GetParam()).held()); }
  fs::remove(witness);
  EXPECT_TRUE(fs::is_empty(folder / ""));
}

TEST_P(EitherLock, TheLockOfAKilledProgramIsFree) {
  const pid_t child = fork();
  if (child == 0) {
    const FileLock lock(path, GetParam());
    pause();
    _exit(0);
  }
  while (!fs::exists(lock_file()) || try_it().held()) usleep(1000);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(fs::exists(lock_file()));
  { EXPECT_TRUE(FileLock(path, GetParam()).held()); }
  EXPECT_TRUE(fs::is_empty(folder / ""));
}

TEST(FileLock, AFileSystemThatFailsIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { FileLock(folder / "a", broken); }), HasSubstr("can not be locked"));
  EXPECT_FALSE(FileLock::without_waiting(folder / "a", broken).held());
}

// ---- without flock, where the file itself is the lock --------------------------------------------------------------

class HolderOf : public ::testing::Test {
 protected:
  // A lock file as `holder` would have left it.
  void left_by(const ProcessIdentity& holder) {
    std::ofstream(file) << to_text(holder) << "mark 0123456789abcdef0123456789abcdef\n";
  }
  FileLock try_it() const { return FileLock::without_waiting(path, no_locks); }
  std::string error() const {
    return error_of([&] { FileLock(path, no_locks); });
  }

  const TemporaryFolder folder;
  const std::string path = folder / "store.h5", file = folder / ".store.h5.lock-held";
};

TEST_F(HolderOf, APidThatIsUsedAgainIsNoHolder) {
  auto earlier = this_process();
  left_by(earlier);
  EXPECT_FALSE(try_it().held());
  earlier.ticks = std::to_string(std::stoll(earlier.ticks) - 1);
  left_by(earlier);
  { EXPECT_TRUE(try_it().held()); }
  EXPECT_TRUE(fs::is_empty(folder / ""));
  earlier = this_process();
  earlier.boot = "of-yesterday";
  left_by(earlier);
  EXPECT_TRUE(FileLock(path, no_locks).held());
}

TEST_F(HolderOf, AnotherHostIsAnErrorWithTheRemedy) {
  auto far = this_process();
  far.host = "far-away";
  far.pid = 4321;
  far.since = "2026-11-24 06:50:01";
  left_by(far);
  for (const std::string word : {"store.h5 is in use by process 4321 on far-away, since 2026-11-24 06:50:01;",
                                 "if you know that it is dead, delete "})
    EXPECT_THAT(error(), HasSubstr(word));
  EXPECT_THAT(error(), HasSubstr(file));
  EXPECT_THAT(error(), Not(HasSubstr("\n")));
  EXPECT_FALSE(try_it().held());
  EXPECT_TRUE(fs::exists(file));
  fs::remove(file);
  EXPECT_TRUE(try_it().held());
}

TEST_F(HolderOf, AFileThatNamesNobodyIsAnErrorWithTheRemedy) {
  for (const std::string text : {"", "process 1", "hello\n"}) {
    std::ofstream(file) << text;
    EXPECT_THAT(error(), HasSubstr("does not say who holds it; delete it"));
    EXPECT_THAT(error(), HasSubstr(file));
  }
  std::ofstream(file) << to_text(this_process());  // without a mark
  EXPECT_THAT(error(), HasSubstr("delete it"));
}

TEST_F(HolderOf, WhatDeadProcessesLeftGoesWithTheNextHolder) {
  auto dead = this_process();
  dead.ticks = "1";
  left_by(dead);
  std::ofstream(file + "-00000000000000000000000000000000") << "a draft";
  std::ofstream(file + ".11111111111111111111111111111111") << "a successor of nobody";
  { EXPECT_TRUE(try_it().held()); }
  EXPECT_TRUE(fs::is_empty(folder / ""));
}

// All see the same dead holder, and try once at the same moment.
TEST_F(HolderOf, OnlyOneTakesOver) {
  constexpr int kProcesses = 6, kRounds = 60;
  auto dead = this_process();
  dead.ticks = "1";
  for (int round = 0; round < kRounds; ++round) {
    left_by(dead);
    int start[2], done[2], end[2];
    ASSERT_TRUE(pipe(start) == 0 && pipe(done) == 0 && pipe(end) == 0);
    std::vector<pid_t> children;
    for (int p = 0; p < kProcesses; ++p) {
      children.push_back(fork());
      if (children.back() != 0) continue;
      close(start[1]);
      close(end[1]);
      char none = 0;
      while (read(start[0], &none, 1) > 0) {  // until the parent lets all go
      }
      int status = 2;
      {
        const FileLock lock = FileLock::without_waiting(path, no_locks);
        status = lock.held() ? 1 : 0;
        if (write(done[1], &none, 1) != 1) _exit(3);
        while (read(end[0], &none, 1) > 0) {  // held until all have tried
        }
      }
      _exit(status);
    }
    close(start[1]);
    char none = 0;
    for (int p = 0; p < kProcesses; ++p) ASSERT_EQ(read(done[0], &none, 1), 1);
    close(end[1]);
    int holders = 0;
    for (const pid_t child : children) {
      int status = 0;
      waitpid(child, &status, 0);
      ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) < 2);
      holders += WEXITSTATUS(status);
    }
    for (const int one : {start[0], done[0], done[1], end[0]}) close(one);
    ASSERT_EQ(holders, 1) << "round " << round;
    ASSERT_TRUE(fs::is_empty(folder / ""));
  }
}

}  // namespace
}  // namespace oneproxy
