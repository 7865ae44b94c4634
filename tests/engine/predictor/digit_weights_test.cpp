#include "oneproxy/engine/predictor/digit_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

TEST(DigitWeights, AddTheRowsOfAValue) {
  // Digit 1 stands for two decisions, its last value only for the first of them.
  const std::vector<std::uint32_t> radices = {2, 3};
  const std::vector<std::int32_t> rows = {0, -1, 1, -1, 2, 4, 3, 5, 3, -1};
  const std::vector<double> weights = {1, 2, 10, 20, 100, std::nan(""), 3, 4, 30, 40, 300, 500};
  const DigitCode code{radices, 2, rows, 6};
  EXPECT_THAT(digit_weights(code, weights), testing::ElementsAre(1, 2, 110, testing::IsNan(), 20, 3, 4, 330, 540, 40));
  EXPECT_THAT(error_of([&] { digit_weights(code, std::span(weights).first(7)); }), testing::HasSubstr("pass 6"));
}

}  // namespace
}  // namespace oneproxy
