#include "oneproxy/engine/base/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/kernels/base/error.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class ConfigTest : public testing::Test {
 protected:
  Config load(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return Config::load(folder_.write("c.toml", text), overrides);
  }
  TemporaryFolder folder_;
};

TEST_F(ConfigTest, ReadsValuesAndDefaults) {
  Config config = load("name = 'x'\nn = 3\nrate = 2\nlist = ['a', 'b']\none = 'c'\nnumbers = [1, 2.5]\n");
  EXPECT_EQ(config.text("name", std::nullopt, ""), "x");
  EXPECT_EQ(config.integer("n", std::nullopt, 0, 10, ""), 3);
  EXPECT_EQ(config.number("rate", std::nullopt, 0, 10, ""), 2.0);
  EXPECT_EQ(config.number("absent", 0.5, 0, 10, ""), 0.5);
  EXPECT_THAT(config.texts("list", {}, ""), ElementsAre("a", "b"));
  EXPECT_THAT(config.texts("one", {}, ""), ElementsAre("c"));
  EXPECT_THAT(config.numbers("numbers", {}, 0, 10, ""), ElementsAre(1, 2.5));
  EXPECT_NO_THROW(config.finish());
}

TEST_F(ConfigTest, MisspeltKeyNamesLineAndNearest) {
  Config config = load("seed = 1\nsamples_trian = 60\n");
  config.integer("seed", 1, 0, 10, "");
  config.integer("samples_train", 60, 0, 100, "");
  EXPECT_THAT(error_of([&] { config.finish(); }),
              AllOf(HasSubstr("c.toml:2"), HasSubstr("samples_trian"), HasSubstr("nearest: samples_train")));
}

TEST_F(ConfigTest, WrongTypeAndRangeNamePlaceAndValue) {
  Config config = load("a = 'text'\nb = 99\nc = 1.5\nd = 0.6\n");
  EXPECT_THAT(error_of([&] { config.integer("a", 1, 0, 10, ""); }), AllOf(HasSubstr("c.toml:1"), HasSubstr("text")));
  EXPECT_THAT(error_of([&] { config.integer("b", 1, 0, 10, ""); }), AllOf(HasSubstr("c.toml:2"), HasSubstr("99")));
  EXPECT_THAT(error_of([&] { config.integer("c", 1, 0, 10, ""); }), AllOf(HasSubstr("c.toml:3"), HasSubstr("1.5")));
  EXPECT_THAT(error_of([&] { config.number("d", 0.1, 0, 0.5, ""); }), HasSubstr("d = 0.6 should"));
  EXPECT_THAT(error_of([&] { config.text("missing", std::nullopt, "its meaning"); }),
              HasSubstr("'missing' is missing"));
}

TEST_F(ConfigTest, LargeCountsAreWrittenAsPeopleDo) {
  Config config = load("a = 1e6\nb = '1e6'\nc = '1.5e0'\nd = '984770902183611232881'\ne = 1e30\nf = [1e3, '2e3']\n",
                       {"g=984770902183611232881", "h=1e3"});
  EXPECT_EQ(config.integer("a", 1, 0, 10000000, ""), 1000000);
  EXPECT_EQ(config.integer("b", 1, 0, 10000000, ""), 1000000);
  EXPECT_THAT(error_of([&] { config.integer("c", 1, 0, 10, ""); }), AllOf(HasSubstr("c.toml:3"), HasSubstr("1.5e0")));
  EXPECT_EQ(config.whole_number("d", "0", ""), "984770902183611232881");
  EXPECT_THAT(error_of([&] { config.whole_number("e", "0", ""); }), HasSubstr("in quotes"));
  EXPECT_THAT(config.integers("f", {}, 0, 10000, ""), ElementsAre(1000, 2000));
  EXPECT_EQ(config.whole_number("g", "0", ""), "984770902183611232881");
  EXPECT_EQ(config.whole_number("h", "0", ""), "1000");
  EXPECT_THAT(config.resolved(), HasSubstr("h = '1000'"));
}

TEST_F(ConfigTest, LimitsMayHaveAUnit) {
  Config config = load("a = ['0.025s', 30, '40ms']\nb = ['fast']\nc = ['-1ms']\n");
  const auto limits = config.limits("a", 0, 100, "");
  ASSERT_EQ(limits.size(), 3u);
  EXPECT_EQ(limits[0].value, 25);
  EXPECT_EQ(limits[0].unit, "ms");
  EXPECT_EQ(limits[1].unit, "");
  EXPECT_EQ(common_unit(limits, ""), "ms");
  EXPECT_THAT(config.resolved(), HasSubstr("a = [25.0, 3e+01, 4e+01]"));  // one result, however it is written
  EXPECT_THAT(error_of([&] { config.limits("b", 0, 100, ""); }), AllOf(HasSubstr("c.toml:2"), HasSubstr("'fast'")));
  EXPECT_THAT(error_of([&] { config.limits("c", 0, 100, ""); }), HasSubstr("between 0 and 100"));
}

TEST_F(ConfigTest, NotANumberIsOutOfRange) {
  Config config = load("a = nan\n");
  EXPECT_THAT(error_of([&] { config.number("a", 1.0, 0, 10, ""); }), HasSubstr("c.toml:1"));
}

TEST_F(ConfigTest, OverridesAreTomlOrBareWords) {
  Config config = load("p = 2\nproxy = 'x'\n",
                       {"p=inf", "proxy=630", "targets=[\"a\",\"b\"]", "file=some/where.h5", "one=rice_fpga", "t.k=4"});
  EXPECT_EQ(config.one_of("p", "2", {"1", "2", "inf"}, ""), "inf");
  EXPECT_EQ(config.text("proxy", std::nullopt, ""), "630");
  EXPECT_THAT(config.texts("targets", {}, ""), ElementsAre("a", "b"));
  EXPECT_THAT(config.texts("one", {}, ""), ElementsAre("rice_fpga"));
  // On the command line a path is relative to the working directory, in the file to the file.
  EXPECT_EQ(config.path("file", "", ""), (std::filesystem::current_path() / "some/where.h5").string());
  EXPECT_THAT(error_of([&] { load("", {"novalue"}); }), HasSubstr("key=value"));
}

TEST_F(ConfigTest, PathsInAFileAreRelativeToIt) {
  Config config = load("store = 'data/x.h5'\n");
  EXPECT_EQ(config.path("store", "", ""), folder_ / "data/x.h5");
}

TEST_F(ConfigTest, ErrorsInOverridesNameTheOverride) {
  Config config = load("n = 1\n", {"n=abc", "unknown=1"});
  EXPECT_THAT(error_of([&] { config.integer("n", 1, 0, 10, ""); }), HasSubstr("--set n=abc"));
  config.flag("other", true, "");
  EXPECT_THAT(error_of([&] { Config(std::move(config)).finish(); }), HasSubstr("key"));
}

TEST_F(ConfigTest, BadTomlNamesTheLine) {
  EXPECT_THAT(error_of([&] { load("a = 1\nb = = 2\n"); }), HasSubstr("c.toml:2"));
  EXPECT_THAT(error_of([&] { Config::load(folder_ / "none.toml", {}); }), HasSubstr("no such configuration"));
}

TEST_F(ConfigTest, TablesAreStrictToo) {
  Config config = load("[[row]]\ndevice = 'a'\n[[row]]\ndevise = 'b'\n");
  auto rows = config.tables("row", "");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].text("device", std::nullopt, ""), "a");
  EXPECT_EQ(rows[1].text("device", "none", ""), "none");
  EXPECT_THAT(error_of([&] { config.finish(); }), HasSubstr("devise"));
}

TEST_F(ConfigTest, ResolvedReadsBackTheSame) {
  const std::string text = "name = 'quote \" and \\\\ slash'\nrate = 0.1\nlist = ['a']\n[[row]]\ndevice = 'a'\n";
  auto read = [](Config& config) {
    config.text("name", std::nullopt, "");
    config.number("rate", 1.0, 0, 10, "");
    config.integer("n", 7, 0, 10, "");
    config.texts("list", {}, "");
    for (auto& row : config.tables("row", "")) row.text("device", std::nullopt, "");
    config.one_of_outside_identity("backend", "auto", {"auto", "cpu"}, "");
  };
  Config first = load(text);
  read(first);
  Config second = load(first.resolved());
  read(second);
  EXPECT_NO_THROW(second.finish());
  EXPECT_EQ(first.resolved(), second.resolved());
  EXPECT_THAT(first.resolved(), HasSubstr("n = 7"));
  EXPECT_THAT(first.resolved(), HasSubstr("backend"));
  EXPECT_THAT(first.identity(), Not(HasSubstr("backend")));
}

TEST(Names, AShellTakesAWordAsItIs) {
  for (const char* plain : {"plan.csv", "metric:natsbench:cifar10", "../a_b-1/x.h5", "table:phone.h5"})
    EXPECT_EQ(shell_word(plain), plain);
  EXPECT_EQ(shell_word("my phone.csv"), "'my phone.csv'");
  EXPECT_EQ(shell_word("$HOME\"*"), "'$HOME\"*'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("~x"), "'~x'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(Names, OneIsNotSeveral) {
  EXPECT_EQ(count_of(1, "line"), "1 line");
  EXPECT_EQ(count_of(0, "line"), "0 lines");
  EXPECT_EQ(count_of(21, "line"), "21 lines");
}

TEST(Names, NearestFirst) {
  const std::vector<std::string> names = {"rice_pixel3", "rice_fpga", "true_vpu"};
  EXPECT_EQ(nearest_names("rice_fgpa", names, 1).front(), "rice_fpga");
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_THAT(unknown_name("device", "x", "store", {}), HasSubstr("there is none"));
}

// The time of a distance is the product of the lengths: 10^12 steps where all of a long name is compared.
TEST(Names, ALongNameIsComparedByItsBeginning) {
  const std::string tail(1 << 20, 'x');
  const std::vector<std::string> names = {"rice_pixel3" + tail, "rice_fpga" + tail, "true_vpu"};
  EXPECT_EQ(nearest_names("rice_fgpa" + tail, names, 1).front(), names[1]);
  EXPECT_EQ(nearest_names("true_vpo", names, 1).front(), "true_vpu");
}

}  // namespace
}  // namespace oneproxy
