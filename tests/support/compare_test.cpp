// The helpers must be able to say no.
#include "tests/support/compare.h"

#include <limits>
#include <vector>

namespace oneproxy::test {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
using Values = std::vector<double>;
using Rows = std::vector<std::int64_t>;

TEST(Compare, SameValues) {
  EXPECT_TRUE(same_values(Values{}, Values{}));
  EXPECT_TRUE(same_values(Values{1, nan, infinity, -0.0}, Values{1, nan, infinity, 0.0}));
  EXPECT_FALSE(same_values(Values{1}, Values{1, 2}));
  EXPECT_FALSE(same_values(Values{nan}, Values{1}));
  EXPECT_FALSE(same_values(Values{1}, Values{nan}));
  EXPECT_FALSE(same_values(Values{1}, Values{1 + 1e-15}));
}

TEST(Compare, CloseValues) {
  EXPECT_TRUE(close_values(Values{1, nan, -infinity}, Values{1.05, nan, -infinity}, 0.1));
  EXPECT_FALSE(close_values(Values{1}, Values{1.2}, 0.1));
  EXPECT_FALSE(close_values(Values{nan}, Values{1}, infinity));
  EXPECT_FALSE(close_values(Values{1}, Values{nan}, infinity));
  EXPECT_FALSE(close_values(Values{infinity}, Values{-infinity}, infinity));
  EXPECT_FALSE(close_values(Values{1}, Values{infinity}, infinity));
}

TEST(Compare, FailureNamesIndexAndBothValues) {
  const testing::AssertionResult result = same_values(Values{1, 2, 3}, Values{1, 2, 4});
  EXPECT_STREQ(result.message(), "value 2 is 3, expected 4");
}

TEST(Compare, SameOrderLetsTiesSwapOnly) {
  const Values keys{5, 1, 5, nan, nan};
  EXPECT_TRUE(same_order(Rows{1, 0, 2, 3, 4}, Rows{1, 2, 0, 4, 3}, keys));
  EXPECT_FALSE(same_order(Rows{0, 1, 2, 3, 4}, Rows{1, 0, 2, 3, 4}, keys));
  EXPECT_FALSE(same_order(Rows{1, 0, 0, 3, 4}, Rows{1, 0, 2, 3, 4}, keys)) << "row 0 comes twice";
  EXPECT_FALSE(same_order(Rows{1, 0, 2, 3, 5}, Rows{1, 0, 2, 3, 4}, keys)) << "row 5 does not exist";
  EXPECT_FALSE(same_order(Rows{1, 0}, Rows{1, 0, 2, 3, 4}, keys));
}

}  // namespace
}  // namespace oneproxy::test
