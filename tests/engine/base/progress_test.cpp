#include "oneproxy/engine/base/progress.h"

#include <gmock/gmock.h>

#include "oneproxy/engine/base/log.h"
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

}  // namespace
}  // namespace oneproxy
