#include "oneproxy/engine/base/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace oneproxy {
namespace {

volatile std::sig_atomic_t seen = 0;
void own_handler(int) { seen = seen + 1; }
void own_handler_with_info(int, siginfo_t* info, void*) { seen = info->si_signo; }

// Puts back the handler of SIGINT that a test changes.
class InterruptWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    seen = 0;
    sigaction(SIGINT, nullptr, &before_);
  }
  void TearDown() override { sigaction(SIGINT, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

TEST_F(InterruptWatchTest, StopsLongWorkAndGoesOnToTheHandlerThatWasThere) {
  std::signal(SIGINT, own_handler);
  {
    const InterruptWatch outer;
    check_interrupt();
    {
      const InterruptWatch inner;
      std::raise(SIGINT);
      EXPECT_THROW(check_interrupt(), Interrupted);
    }
    EXPECT_THROW(check_interrupt(), Interrupted) << "the outer work is to stop too";
  }
  EXPECT_EQ(seen, 1);
  check_interrupt();
  std::raise(SIGINT);
  EXPECT_EQ(seen, 2) << "the program's handler is back";
  check_interrupt();
  const InterruptWatch later;
  check_interrupt();  // what came before is not its business
}

TEST_F(InterruptWatchTest, KeepsAHandlerThatTakesMore) {
  struct sigaction action {};
  action.sa_sigaction = own_handler_with_info;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGINT, &action, nullptr);
  const InterruptWatch watch;
  std::raise(SIGINT);
  EXPECT_EQ(seen, SIGINT);
  EXPECT_THROW(check_interrupt(), Interrupted);
}

TEST_F(InterruptWatchTest, LeavesIgnoredSignalsIgnored) {
  std::signal(SIGINT, SIG_IGN);
  const InterruptWatch watch;
  std::raise(SIGINT);
  check_interrupt();
}

}  // namespace
}  // namespace oneproxy
