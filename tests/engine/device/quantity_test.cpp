#include "oneproxy/engine/device/quantity.h"

#include <gmock/gmock.h>

#include "oneproxy/engine/device/value_range.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

Quantity quantity(const std::string& unit, Direction direction) { return {"q", "q", unit, direction}; }

TEST(Quantity, ARateIsMaximisedAndEndsInPerSecond) {
  for (const char* unit : {"images/s", "img/sec", "tokens/second", "queries per second", "fps"}) {
    EXPECT_TRUE(quantity(unit, Direction::maximise).is_rate()) << unit;
    EXPECT_FALSE(quantity(unit, Direction::minimise).is_rate()) << unit;
  }
  for (const char* unit : {"ms", "%", "mJ", "s", "", "images"})
    EXPECT_FALSE(quantity(unit, Direction::maximise).is_rate()) << unit;
}

TEST(Quantity, OnlyARateIsAdaptedAsATime) {
  const auto rate = quantity("images/s", Direction::maximise), energy = quantity("mJ", Direction::minimise);
  EXPECT_EQ(as_additive(rate, 250), 4);
  EXPECT_EQ(additive_unit(rate), "ms");
  EXPECT_EQ(as_additive(energy, 250), 250);
  EXPECT_EQ(additive_unit(energy), "mJ");
}

TEST(Quantity, DirectionsAreReadAsWritten) {
  for (const auto direction : {Direction::minimise, Direction::maximise})
    EXPECT_EQ(parse_direction(to_string(direction), "here"), direction);
  EXPECT_EQ(parse_direction("min", ""), Direction::minimise);
  EXPECT_EQ(parse_direction("maximize", ""), Direction::maximise);
  EXPECT_EQ(error_of([] { parse_direction("up", "--direction"); }), "--direction 'up' should be min or max");
}

TEST(ValueRange, NamesTheUnitOfTheQuantity) {
  EXPECT_THAT(error_of([] { check_measured(1e16, quantity("mJ", Direction::minimise), "x"); }), HasSubstr("1e+16 mJ"));
  EXPECT_THAT(error_of([] { check_measured(1e10, quantity("ms", Direction::minimise), "x"); }), HasSubstr(" ms"));
  EXPECT_EQ(error_of([] { check_measured(1e10, quantity("bytes", Direction::minimise), "x"); }), "no error");
}

TEST(ValueRange, AShareIsAtMostOneAndAPercentageAHundred) {
  EXPECT_THAT(error_of([] { check_measured(71, quantity("fraction", Direction::maximise), "f.csv:3: top1 = '71'"); }),
              HasSubstr("f.csv:3: top1 = '71' is 71, and a fraction is at most 1"));
  EXPECT_THAT(error_of([] { check_measured(101, quantity("%", Direction::maximise), "x"); }), HasSubstr("at most 100"));
  EXPECT_EQ(error_of([] { check_measured(0.71, quantity("fraction", Direction::maximise), "x"); }), "no error");
}

}  // namespace
}  // namespace oneproxy
