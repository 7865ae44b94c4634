#include "oneproxy/engine/base/shell_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "oneproxy/engine/base/read_file.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

TEST(ShellCommand, GetsItsArgumentsBehindItsOwnWords) {
  const TemporaryFolder folder;
  const std::string out = folder / "a b.txt";
  const auto done = run_by_shell("printf '%s;' one > \"$2\"; printf '%s;'", {"it's $HOME", out}, 60);
  EXPECT_TRUE(done.good());
  EXPECT_EQ(read_file(out, 100), "one;");
  EXPECT_EQ(done.last_lines, "it's $HOME;" + out + ";");
}

TEST(ShellCommand, EndsWhereItsParentWasStartedToIgnoreTheEndOfChildren) {
  std::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(run_by_shell("exit 3;", {}, 60).status, 3);
  std::signal(SIGCHLD, SIG_IGN);
  EXPECT_TRUE(run_by_shell("sleep 1000", {}, 0.2).timed_out);
}

TEST(ShellCommand, TellsItsStatusAndItsLastLines) {
  const auto done = run_by_shell("seq 1 9; echo lost >&2; exit 3;", {}, 60);
  EXPECT_EQ(done.status, 3);
  EXPECT_FALSE(done.good());
  EXPECT_EQ(done.describe(), "ended with status 3: 6 | 7 | 8 | 9 | lost");
  EXPECT_EQ(run_by_shell("kill -9 $$;", {}, 60).status, 128 + SIGKILL);
  EXPECT_EQ(run_by_shell("no_such_command_here", {}, 60).status, 127);
}

TEST(ShellCommand, ManyLinesOfOutputDoNotStopIt) {
  const auto done = run_by_shell("seq 1 200000;", {}, 60);
  EXPECT_TRUE(done.good());
  EXPECT_THAT(done.last_lines, HasSubstr("199999 | 200000"));
}

TEST(ShellCommand, EndsTheWholeGroupAtTheTimeOut) {
  const TemporaryFolder folder;
  const auto done = run_by_shell("(sleep 0.8; echo > \"$1\") & wait;", {folder / "late"}, 0.3);
  EXPECT_TRUE(done.timed_out);
  EXPECT_EQ(done.describe(), "was stopped after 0.3 s");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_FALSE(file_exists(folder / "late"));
}

TEST(ShellCommand, EndsWhatDoesNotListenToAPoliteEnd) {
  EXPECT_TRUE(run_by_shell("trap '' TERM; while :; do sleep 0.1; done;", {}, 0.2).timed_out);
}

TEST(ShellCommand, DoesNotWaitForWhatStaysInTheBackground) {
  const auto done = run_by_shell("sleep 20 & exit 0;", {}, 60);
  EXPECT_TRUE(done.good());
  EXPECT_LT(done.seconds, 10);
}

}  // namespace
}  // namespace oneproxy
