#include "oneproxy/kernels/base/parallel.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "oneproxy/kernels/base/error.h"
#include "tests/support/scoped_variable.h"

namespace oneproxy {
namespace {

class Parallel : public testing::Test {
 protected:
  void TearDown() override { set_thread_count(0); }
  const test::ScopedVariable threads_{"ONEPROXY_THREADS"};
};

TEST_F(Parallel, CallsEachPieceOnce) {
  for (const int threads : {1, 2, 3, 8})
    for (const std::int64_t count : {0, 1, 2, 7, 1000}) {
      set_thread_count(threads);
      std::vector<std::atomic<int>> calls(count);
      parallel_for(count, [&](std::int64_t i) { ++calls[i]; });
      for (std::int64_t i = 0; i < count; ++i) ASSERT_EQ(calls[i], 1) << "piece " << i << " of " << count;
    }
}

TEST_F(Parallel, ManyShortJobs) {
  set_thread_count(4);
  std::atomic<std::int64_t> sum{0};
  for (int job = 0; job < 5000; ++job) parallel_for(4, [&](std::int64_t i) { sum += i; });
  EXPECT_EQ(sum, 5000 * 6);
}

TEST_F(Parallel, UsesSeveralThreads) {
  set_thread_count(2);
  std::atomic<int> arrived{0};
  // Each piece waits for the other: one thread alone would never end.
  parallel_for(2, [&](std::int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

TEST_F(Parallel, NestedCallsStayInTheirThread) {
  set_thread_count(3);
  std::atomic<int> strangers{0};
  parallel_for(6, [&](std::int64_t) {
    const auto self = std::this_thread::get_id();
    parallel_for(50, [&](std::int64_t) { strangers += std::this_thread::get_id() != self; });
  });
  EXPECT_EQ(strangers, 0);
}

TEST_F(Parallel, CallsFromSeveralThreads) {
  set_thread_count(3);
  std::atomic<std::int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller)
    callers.emplace_back([&] {
      for (int job = 0; job < 200; ++job) parallel_for(10, [&](std::int64_t i) { sum += i; });
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 3 * 200 * 45);
}

TEST_F(Parallel, RethrowsAndGoesOn) {
  for (const int threads : {1, 4}) {
    set_thread_count(threads);
    EXPECT_THROW(parallel_for(100,
                              [](std::int64_t i) {
                                if (i == 17) throw std::runtime_error("piece 17");
                              }),
                 std::runtime_error);
    std::atomic<int> calls{0};
    parallel_for(100, [&](std::int64_t) { ++calls; });
    EXPECT_EQ(calls, 100);
  }
}

TEST_F(Parallel, ThreadCount) {
  EXPECT_GE(thread_count(), 1);
  threads_.set("3");
  EXPECT_EQ(thread_count(), 3);
  set_thread_count(5);
  EXPECT_EQ(thread_count(), 5) << "a chosen number comes before the environment";
  set_thread_count(0);
  EXPECT_EQ(thread_count(), 3);
  EXPECT_THROW(set_thread_count(-1), Error);
}

TEST_F(Parallel, BadEnvironmentIsAnError) {
  for (const char* text : {"", "0", "-2", "two", "4 ", "4.5", "99999999999"}) {
    threads_.set(text);
    try {
      thread_count();
      FAIL() << "accepted '" << text << "'";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("ONEPROXY_THREADS = '" + std::string(text) + "'"), std::string::npos);
    }
  }
}

// New threads get a stack that no machine has, so that none starts.
TEST_F(Parallel, AThreadThatCanNotStartIsAnErrorAndThePoolStaysWhole) {
  pthread_attr_t usual, vast;
  ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
  pthread_attr_init(&vast);
  ASSERT_EQ(pthread_attr_setstacksize(&vast, std::size_t{1} << 50), 0);
  ASSERT_EQ(pthread_setattr_default_np(&vast), 0);
  set_thread_count(1000);
  std::string message = "no error";
  try {
    parallel_for(1000, [](std::int64_t) {});
  } catch (const Error& error) {
    message = error.what();
  }
  ASSERT_EQ(pthread_setattr_default_np(&usual), 0);
  pthread_attr_destroy(&vast);
  pthread_attr_destroy(&usual);
  EXPECT_NE(message.find("of 1000 can not be started ("), std::string::npos) << message;
  EXPECT_NE(message.find("--threads"), std::string::npos) << message;
  EXPECT_NE(message.find("ulimit -u"), std::string::npos) << message;
  for (const int threads : {1, 2, 16}) {
    set_thread_count(threads);
    std::atomic<int> calls{0};
    parallel_for(100, [&](std::int64_t) { ++calls; });
    EXPECT_EQ(calls, 100);
  }
}

// A child of fork has one thread; it must neither wait for its parent's nor stay alone.
TEST_F(Parallel, AChildOfForkHasThreadsOfItsOwn) {
  set_thread_count(4);
  const auto threads_that_take_part = [] {
    std::set<std::thread::id> seen;
    std::mutex adding;
    for (int job = 0; job < 100 && seen.size() < 2; ++job)
      parallel_for(4, [&](std::int64_t) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        const std::lock_guard lock(adding);
        seen.insert(std::this_thread::get_id());
      });
    return seen.size();
  };
  ASSERT_GT(threads_that_take_part(), 1u);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);                                        // kills a child that waits for ever
    std::exit(threads_that_take_part() > 1 ? 0 : 1);  // with all that ends a program
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_GT(threads_that_take_part(), 1u) << "the parent's go on";
}

}  // namespace
}  // namespace oneproxy
