#include "oneproxy/engine/base/toml_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oneproxy/engine/base/config.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// "a.a.a" of so many parts.
std::string key_of(int parts) {
  std::string key = "a";
  for (int i = 1; i < parts; ++i) key += ".a";
  return key;
}

std::string refusal(const std::string& text) {
  return error_of([&] { check_toml_limits(text, "f.toml"); });
}

TEST(TomlLimits, AKeyHasAtMost32Parts) {
  for (const std::string pattern : {"K = 1\n", "[K]\n", "[[K]]\n", "x = {K = 1}\n", "x = {y = 1, K = 2}\n",
                                    "s = \"\"\"\n\"\"\"\"\"\nK = 1\n", "s = 'it' # it's\nK = 1\n", "s = 'a\nK = 1\n"}) {
    const auto with = [&](int parts) {
      return "n = 0.5\n" + std::string(pattern).replace(pattern.find('K'), 1, key_of(parts));
    };
    EXPECT_EQ(refusal(with(32)), "no error") << pattern;
    EXPECT_THAT(refusal(with(33)), HasSubstr("32 parts")) << pattern;
    EXPECT_THAT(error_of([&] { Config::parse(with(33), "f.toml", {}); }), HasSubstr("32 parts")) << pattern;
  }
  EXPECT_THAT(refusal("a = 1\n\n" + key_of(400'000) + " = 1\n"), HasSubstr("f.toml:3:"));
  EXPECT_THAT(refusal("a = '''\n\n'''\n" + key_of(40) + " = 1\n"), HasSubstr("f.toml:4:"));
}

TEST(TomlLimits, DotsElsewhereAreNoParts) {
  const std::string dots(100, '.');
  for (const std::string& text :
       {"a = '" + dots + "'", "a = \"\\\"" + dots + "\"", "'" + dots + "' = 1", "# " + dots,
        "a = '''\n''" + dots + "'''", "a = \"\"\"\n\\\"\"\"" + dots + "\"\"\"", "a = 1 # it's " + dots + "\nb = 2"}) {
    EXPECT_EQ(refusal(text), "no error") << text;
    EXPECT_NO_THROW(Config::parse(text, "f.toml", {})) << text;
  }
  std::string many;
  for (int i = 0; i < 100; ++i) many += "a" + std::to_string(i) + ".b = 0.5\n";
  EXPECT_EQ(refusal(many), "no error");
}

TEST(TomlLimits, ATextHasAtMostAMebibyte) {
  const std::string line = "# comment\n";
  std::string text;
  while (text.size() + line.size() <= kMaxTomlBytes) text += line;
  EXPECT_EQ(refusal(text), "no error");
  EXPECT_THAT(refusal(text + line), AllOf(HasSubstr("f.toml"), HasSubstr("1048576 bytes")));
}

TEST(TomlLimits, BareCharactersAreAscii) {
  for (const std::string text : {"é = 1", "a = é", "a = 1 é", "a = [1, é]", "[é]", "a.é = 1"})
    EXPECT_THAT(refusal("b = 1\n" + text), AllOf(HasSubstr("f.toml:2:"), HasSubstr("not ASCII"))) << text;
  for (const std::string text : {"'é' = 1", "a = \"é\"", "# é",
                                 "\xEF\xBB\xBF"
                                 "a = 1"}) {
    EXPECT_EQ(refusal(text), "no error") << text;
    EXPECT_NO_THROW(Config::parse(text, "f.toml", {})) << text;
  }
  // A path of the command line is a value all the same.
  Config config = Config::parse("", "f.toml", {"store=/data/jürgen/s.h5"});
  EXPECT_EQ(config.text("store", std::nullopt, "a path"), "/data/jürgen/s.h5");
}

TEST(TomlLimits, HoldForOverridesToo) {
  const auto set = [](const std::string& text) { return error_of([&] { Config::parse("", "", {text}); }); };
  EXPECT_THAT(set(key_of(400'000) + "=1"), AllOf(HasSubstr("--set"), HasSubstr("32 parts")));
  EXPECT_THAT(set("a={" + key_of(400'000) + "=1}"), AllOf(HasSubstr("--set a"), HasSubstr("32 parts")));
  EXPECT_EQ(set("a=/tmp/" + std::string(100, '.') + "/x.y"), "no error");  // a path is a value
}

// What the parser refuses by itself: one line with file and line.
TEST(TomlLimits, DeepAndLongValuesAreOneLine) {
  for (const std::string& value : {std::string(100'000, '['), std::string(500'000, '9'), std::string("'\xff\xfe'")})
    EXPECT_THAT(error_of([&] { Config::parse("ok = 1\na = " + value, "f.toml", {}); }),
                AllOf(HasSubstr("f.toml:2: not valid TOML"), Not(HasSubstr("\n"))));
  std::string tables = "a = ";
  for (int i = 0; i < 100'000; ++i) tables += "{a = ";
  EXPECT_THAT(error_of([&] { Config::parse(tables, "f.toml", {}); }), HasSubstr("f.toml:1: not valid TOML"));
}

}  // namespace
}  // namespace oneproxy
