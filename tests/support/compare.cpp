#include "tests/support/compare.h"

#include <cmath>
#include <vector>

namespace oneproxy::test {
namespace {

testing::AssertionResult failure_at(std::size_t i, double actual, double expected) {
  return testing::AssertionFailure() << "value " << i << " is " << testing::PrintToString(actual) << ", expected "
                                     << testing::PrintToString(expected);
}

}  // namespace

testing::AssertionResult same_values(std::span<const double> actual, std::span<const double> expected) {
  return close_values(actual, expected, 0);
}

testing::AssertionResult close_values(std::span<const double> actual, std::span<const double> expected,
                                      double tolerance) {
  if (actual.size() != expected.size())
    return testing::AssertionFailure() << actual.size() << " values, expected " << expected.size();
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const bool both_nan = std::isnan(actual[i]) && std::isnan(expected[i]);
    if (both_nan || actual[i] == expected[i]) continue;
    // Written so that a NaN on one side, or an infinity, fails.
    if (!std::isfinite(expected[i]) || !(std::abs(actual[i] - expected[i]) <= tolerance))
      return failure_at(i, actual[i], expected[i]);
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult same_order(std::span<const std::int64_t> actual, std::span<const std::int64_t> expected,
                                    std::span<const double> keys) {
  if (actual.size() != keys.size() || expected.size() != keys.size())
    return testing::AssertionFailure() << actual.size() << " rows and " << expected.size() << " expected rows for "
                                       << keys.size() << " keys";
  std::vector<char> seen(keys.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (actual[i] < 0 || actual[i] >= static_cast<std::int64_t>(keys.size()) || seen[actual[i]])
      return testing::AssertionFailure() << "row " << actual[i] << " at position " << i << " is no row or comes twice";
    seen[actual[i]] = 1;
    const double key = keys[actual[i]], expected_key = keys[expected[i]];
    if (key != expected_key && !(std::isnan(key) && std::isnan(expected_key)))
      return testing::AssertionFailure() << "position " << i << " holds row " << actual[i] << " of key " << key
                                         << ", expected row " << expected[i] << " of key " << expected_key;
  }
  return testing::AssertionSuccess();
}

}  // namespace oneproxy::test
