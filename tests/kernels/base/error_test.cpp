// An error is one readable line, whatever a file or a command line put into it.
#include "oneproxy/kernels/base/error.h"

#include <gtest/gtest.h>

namespace oneproxy {
namespace {

std::string what(const std::string& message) { return Error(message).what(); }

TEST(ErrorLine, PlainTextStays) {
  EXPECT_EQ(what("a.csv:3: latency_ms = '-2' should be positive"), "a.csv:3: latency_ms = '-2' should be positive");
  EXPECT_EQ(what("Gerät µs 設備 🙂"), "Gerät µs 設備 🙂");
  EXPECT_EQ(what(""), "");
}

TEST(ErrorLine, ControlCharactersAndBrokenTextAreEscaped) {
  EXPECT_EQ(what("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(what(std::string("\x1b[31m\0x", 7)), "\\x1B[31m\\x00x");
  EXPECT_EQ(what("\x7f\xc2\x85"), "\\x7F\\xC2\\x85");             // DEL, C1
  EXPECT_EQ(what("\xff\xc3(\xc0\xaf"), "\\xFF\\xC3(\\xC0\\xAF");  // never valid, cut off, overlong
  EXPECT_EQ(what("\xed\xa0\x80"), "\\xED\\xA0\\x80");             // half of a surrogate pair
  EXPECT_EQ(what("\xf4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");    // beyond Unicode
  EXPECT_EQ(what("end\xe4\xb8"), "end\\xE4\\xB8");
}

TEST(ErrorLine, LongWordsAndLinesAreCutInTheMiddle) {
  const std::string name(1'000'000, 'x');
  EXPECT_EQ(what("device '" + name + "' is unknown").size(), 237u);
  EXPECT_TRUE(what("device '" + name + "' is unknown").ends_with("xx' is unknown"));
  EXPECT_EQ(what(std::string(200, 'y')), std::string(200, 'y'));
  std::string words;
  for (int i = 0; i < 100'000; ++i) words += "word ";
  EXPECT_LT(what(words).size(), 2100u);
  std::string wide;  // is not cut within a character
  for (int i = 0; i < 1000; ++i) wide += "設";
  const std::string line = what(wide);
  EXPECT_LT(line.size(), 300u);
  EXPECT_EQ(one_line(line), line);
}

}  // namespace
}  // namespace oneproxy
