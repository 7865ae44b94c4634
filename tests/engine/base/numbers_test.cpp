#include "oneproxy/engine/base/numbers.h"

#include <gtest/gtest.h>

#include <cmath>

namespace oneproxy {
namespace {

TEST(Numbers, KeysHaveNoTail) {
  EXPECT_EQ(key_number(0.1 + 0.2), "0.3");
  EXPECT_EQ(key_number(4.0145530691), "4.01455");
  EXPECT_EQ(key_number(25), "25");
  EXPECT_EQ(key_number(300000001), "300000001");
  EXPECT_EQ(key_number(-0.0), "0");
  EXPECT_EQ(key_number(3.2e17), "3.2e+17");
}

TEST(Numbers, WholeDigits) {
  EXPECT_EQ(whole_digits("1e12"), "1000000000000");
  EXPECT_EQ(whole_digits("1.5e3"), "1500");
  EXPECT_EQ(whole_digits("2E+3"), "2000");
  EXPECT_EQ(whole_digits("007"), "7");
  EXPECT_EQ(whole_digits("10.0"), "10");
  EXPECT_EQ(whole_digits("0e9"), "0");
  EXPECT_EQ(whole_digits("984770902183611232881"), "984770902183611232881");
  for (const char* text :
       {"", "1.5e0", "1.5", "-1", "x", "1e", "e3", "1e-1", "1e40", "1e1000", " 1", "1.2.3", "0x10", "."})
    EXPECT_FALSE(whole_digits(text)) << text;
}

TEST(Numbers, TimesInTheirTwoLargestUnits) {
  EXPECT_EQ(time_span(0), "0 s");
  EXPECT_EQ(time_span(59.4), "59 s");
  EXPECT_EQ(time_span(60), "1 min");
  EXPECT_EQ(time_span(3 * 60 + 5), "3 min 5 s");
  EXPECT_EQ(time_span(2.5 * 86400), "2 d 12 h");
  EXPECT_EQ(time_span(86400 + 59), "1 d");
  EXPECT_EQ(time_span(INFINITY), "more than a century");
  EXPECT_EQ(time_span(NAN), "more than a century");
}

}  // namespace
}  // namespace oneproxy
