// A process is told apart from a later one with its PID, and from those of other machines.
#include "oneproxy/engine/base/process_identity.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace oneproxy {
namespace {
using ::testing::MatchesRegex;

TEST(ProcessIdentity, TheTextSaysAllAndIsReadBack) {
  const auto self = this_process();
  const auto text = to_text(self);
  EXPECT_THAT(text.substr(0, text.find('\n')),
              MatchesRegex("process " + std::to_string(getpid()) +
                           " on [^ ]+, since [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"));
  const auto read = parse_process(text + "more");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(to_text(*read), text);
  EXPECT_EQ(to_text(this_process()).substr(text.find('\n')), text.substr(text.find('\n')));
  for (const std::string bad : {"", "process x on h, since a b\n", "process 1 on h since a b\nticks 1 boot 2 pids 3"})
    EXPECT_FALSE(parse_process(bad).has_value()) << bad;
}

TEST(ProcessIdentity, TheStartIsThatOfTheProcess) {
  std::tm start{};
  ASSERT_NE(strptime(this_process().since.c_str(), "%Y-%m-%d %H:%M:%S", &start), nullptr);
  start.tm_isdst = -1;
  const auto age = std::time(nullptr) - std::mktime(&start);
  EXPECT_GE(age, -2);
  EXPECT_LT(age, 3600);  // the tests take no hour
}

TEST(ProcessIdentity, LifeIsThatOfThisProcessAndNotOfItsPid) {
  const auto self = this_process();
  EXPECT_EQ(life_of(self), Life::alive);
  auto other = self;
  other.ticks = std::to_string(std::stoll(self.ticks) - 1);  // the PID has been used again
  EXPECT_EQ(life_of(other), Life::dead);
  other = self;
  other.boot = "of-yesterday";
  EXPECT_EQ(life_of(other), Life::dead);
  other = self;
  other.pids = "pid:[1]";  // a container's
  EXPECT_EQ(life_of(other), Life::unknown);
  other = self;
  other.host += "-2";
  other.boot = "of-yesterday";
  EXPECT_EQ(life_of(other), Life::unknown);
  other = self;
  other.ticks = other.boot = other.pids = "-";
  EXPECT_EQ(life_of(other), Life::alive);
}

TEST(ProcessIdentity, AKilledProcessIsDeadBeforeAnybodyHasWaitedForIt) {
  int told[2];
  ASSERT_EQ(pipe(told), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto text = to_text(this_process());
    _exit(write(told[1], text.data(), text.size()) > 0 && pause() ? 0 : 1);
  }
  char text[512] = {};
  ASSERT_GT(read(told[0], text, sizeof text - 1), 0);
  const auto process = *parse_process(text);
  EXPECT_EQ(process.pid, child);
  EXPECT_EQ(life_of(process), Life::alive);
  kill(child, SIGKILL);
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
  EXPECT_EQ(life_of(process), Life::dead);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(life_of(process), Life::dead);
  close(told[0]);
  close(told[1]);
}

}  // namespace
}  // namespace oneproxy
