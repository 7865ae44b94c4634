#include "oneproxy/engine/base/progress.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>
#include <tuple>

#include "oneproxy/engine/base/log.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

TEST(Progress, SaysTheTimeLeftInDaysAndHours) {
  EXPECT_EQ(progress_line("score", 100, 216100, "architectures", 100),
            "score: 100 of 216100 architectures, 1/s, 2 d 12 h left");
  EXPECT_EQ(progress_line("score", 0, 10, "fits", 5), "score: 0 of 10 fits");
}

// What run.log holds of two steps.
std::string log_of(std::chrono::milliseconds line_every) {
  const TemporaryFolder folder;
  {
    const LogFile log(folder / "run.log");
    Progress progress("work", 3, "steps", line_every);
    progress.advance();
    progress.advance();
  }
  std::ifstream file(folder / "run.log");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Progress, ALogGetsALineNowAndThen) {
  if (isatty(STDERR_FILENO)) GTEST_SKIP() << "standard error is a terminal";
  EXPECT_THAT(log_of(std::chrono::milliseconds(0)), HasSubstr("work: 2 of 3 steps"));
  EXPECT_EQ(log_of(std::chrono::minutes(1)), "");
}

using Told = std::vector<std::tuple<std::string, std::int64_t, std::int64_t, std::string>>;

ProgressListener into(Told& told) {
  return [&told](const std::string& what, std::int64_t done, std::int64_t total, const std::string& unit) {
    told.emplace_back(what, done, total, unit);
  };
}

TEST(Progress, TheListenerOfTheThreadThatBeginsTheWorkHearsOfItsEnd) {
  Told told;
  {
    const ListenToProgress listening(into(told));
    Progress progress("fitting", 3, "fits");
    std::thread([&] { progress.advance(2); }).join();  // too soon to be told
    Progress within("a part", 1, "parts");
    within.advance();
    progress.advance();
  }
  Progress("unheard", 1, "fits").advance();
  EXPECT_THAT(told, testing::ElementsAre(std::tuple("fitting", 3, 3, "fits")));
}

TEST(Progress, WorkWithinWorkThatIsHeardOfIsSilent) {
  if (isatty(STDERR_FILENO)) GTEST_SKIP() << "standard error is a terminal";
  Told told;
  const ListenToProgress listening(into(told));
  const Progress around("around", 1, "steps");
  EXPECT_EQ(log_of(std::chrono::milliseconds(0)), "");
}

TEST(Progress, WhatTheListenerThrowsComesOut) {
  const ListenToProgress listening(
      [](const std::string&, std::int64_t, std::int64_t, const std::string&) { throw Error("enough"); });
  Progress progress("fitting", 1, "fits");
  EXPECT_EQ(error_of([&] { progress.advance(); }), "enough");
}

}  // namespace
}  // namespace oneproxy
