#include "oneproxy/engine/base/unit_number.h"

#include <gmock/gmock.h>

#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(UnitNumber, TimesAreMilliseconds) {
  const auto ms = [](const char* text) { return values_in_unit(std::vector<std::string>{text}, "ms", "here").front(); };
  EXPECT_EQ(ms("25"), 25);
  EXPECT_EQ(ms("25ms"), 25);
  EXPECT_EQ(ms(" 25 ms "), 25);
  EXPECT_EQ(ms("0.025s"), 25);
  EXPECT_EQ(ms("0.0301 s"), 30.1);  // 0.0301 * 1000 is another double
  EXPECT_EQ(ms("25000us"), 25);
  EXPECT_EQ(ms("2.5e-2s"), 25);
  EXPECT_EQ(ms("25000000ns"), 25);
}

TEST(UnitNumber, TheUnitIsThatOfTheQuantity) {
  EXPECT_THAT(values_in_unit(std::vector<std::string>{"40mJ", "50"}, "mJ", "here"), ElementsAre(40, 50));
  EXPECT_THAT(error_of([] { values_in_unit(std::vector<std::string>{"25mJ"}, "ms", "--limits"); }),
              AllOf(HasSubstr("--limits: the limit 25 mJ"), HasSubstr("in ms")));
  EXPECT_THAT(error_of([] { values_in_unit(std::vector<std::string>{"25ms"}, "", "--limits"); }),
              HasSubstr("without a unit"));
}

TEST(UnitNumber, WhatIsNoNumberIsSaid) {
  for (const char* text : {"", "ms", "fast", "nan", "inf"})
    EXPECT_THAT(error_of([&] { parse_unit_number(text, "--limits"); }), HasSubstr("--limits: '")) << text;
}

TEST(UnitNumber, LimitsAreInOneUnit) {
  EXPECT_EQ(common_unit(std::vector<UnitNumber>{{1, ""}, {2, "ms"}}, "here"), "ms");
  EXPECT_THAT(error_of([] {
                common_unit(std::vector<UnitNumber>{{1, "mJ"}, {2, "ms"}}, "here");
              }),
              HasSubstr("one limit is in mJ, another in ms"));
}

}  // namespace
}  // namespace oneproxy
