// [[operation]] tables with lists of attributes, and stages that choose among a part of the operations.
#include "oneproxy/engine/space/declared_operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oneproxy/engine/space/space.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_of(const std::string& text) {
  Config file = Config::parse(text, "space.toml", {});
  std::vector<std::string> names;
  for (const auto& op : read_operations(file)) names.push_back(op.name);
  file.finish();
  return names;
}

const std::string kBlock = "[[operation]]\nkind = 'mbconv'\n";

TEST(DeclaredOperations, AreTheProductInTheOrderOfTheName) {
  EXPECT_THAT(names_of(kBlock + "name = 'e{expansion}_k{kernel}'\nkernel = [5, 3]\nexpansion = [3, 6]\n" +
                       "[[operation]]\nname = 'skip'\nkind = 'skip'\n"),
              ElementsAre("e3_k5", "e3_k3", "e6_k5", "e6_k3", "skip"));
  EXPECT_THAT(
      names_of(kBlock + "name = '{squeeze_excitation}s{kernel}'\nkernel = 7\nsqueeze_excitation = [true, false]"),
      ElementsAre("1s7", "0s7"));
}

TEST(DeclaredOperations, HaveTheAttributesOfTheirName) {
  Config file = Config::parse(
      kBlock + "name = 'l{repeats}_g{groups}_se{squeeze_excitation}'\nrepeats = [1, 4]\ngroups = [2, 3]\n" +
          "squeeze_excitation = [false, true]\nsqueeze_of = 'input'\nunit_expansion = false\nbatch_norm = true\n",
      "space.toml", {});
  const auto operations = read_operations(file);
  ASSERT_EQ(operations.size(), 8u);
  const auto& op = operations[6];
  EXPECT_EQ(op.name, "l4_g3_se0");
  EXPECT_EQ(op.repeats, 4);
  EXPECT_EQ(op.groups, 3);
  EXPECT_FALSE(op.squeeze_excitation);
  EXPECT_TRUE(operations[7].squeeze_excitation);
  EXPECT_EQ(op.squeeze_of, SqueezeOf::input);
  EXPECT_FALSE(op.unit_expansion);
  EXPECT_TRUE(op.batch_norm);
}

TEST(DeclaredOperations, FaultsAreNamed) {
  const auto refusal = [](const std::string& text) { return error_of([&] { names_of(kBlock + text); }); };
  EXPECT_THAT(refusal("name = 'e{expansio}'\nexpansion = [1, 2]\n"), HasSubstr("nearest: expansion"));
  EXPECT_THAT(refusal("name = 'block'\nkernel = [3, 5]\n"), HasSubstr("write {kernel} into name"));
  EXPECT_THAT(refusal("name = 'k{kernel'\nkernel = [3, 5]\n"), HasSubstr("'{' without '}'"));
  EXPECT_THAT(refusal("name = 'k{kernel}{kernel}'\nkernel = [3, 5]\n"), HasSubstr("{kernel} twice"));
  EXPECT_THAT(refusal("name = 'k{kernel}'\nkernel = [3, 3]\n"), HasSubstr("two operations 'k3'"));
  EXPECT_THAT(refusal("name = 'k{kernel}'\nkernel = []\n"), HasSubstr("kernel = [] lists no value"));
  EXPECT_THAT(refusal("name = 'k{kernel}'\nkernel = [3, 500]\n"), HasSubstr("between 1 and 99"));
  EXPECT_THAT(refusal("name = 's{squeeze_excitation}'\nsqueeze_excitation = [0, 1]\n"), HasSubstr("valid flags"));
  EXPECT_THAT(error_of([] { names_of("[[operation]]\nname = 'none'\nkind = 'none'\nrepeats = 2\n"); }),
              HasSubstr("repeats = 2 of kind \"none\""));
  // A product beyond all bounds is refused before it is made.
  std::string many = "repeats = [1";
  for (int i = 2; i < 100; ++i) many += ", " + std::to_string(i);
  EXPECT_THAT(refusal("name = 'l{repeats}k{kernel}e{expansion}'\n" + many + "]\nkernel" + many.substr(7) +
                      "]\nexpansion" + many.substr(7) + "]\n"),
              HasSubstr("there are 9801, more than the 255"));
}

std::string chain(const std::string& stages) {
  return "name = 'mine'\nstring_form = 'list'\n" + kBlock +
         "name = 'k{kernel}_e{expansion}'\nkernel = [3, 5]\nexpansion = [3, 6]\n[[geometry]]\nname = 'g'\n" +
         "input_channels = 8\ninput_resolution = 16\nstage = [" + stages + "]\n";
}

TEST(DeclaredOperations, StagesChooseAPartOfThem) {
  const TemporaryFolder folder;
  const auto space = SearchSpace::load_file(
      folder.write("mine.toml", chain("{channels = 8, layers = 2, kernel = 5}, {channels = 16, layers = 1}")));
  EXPECT_THAT(std::vector<int>(space.radices().begin(), space.radices().end()), ElementsAre(2, 2, 4));
  EXPECT_EQ(space.decisions()[0].name, "layer 0");  // no operation repeats
  EXPECT_EQ(space.size(), 16u);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(space.index(space.parse(space.to_string(space.choices(i)))), ArchIndex(i));
  EXPECT_EQ(space.to_string(space.choices(0)), "k5_e3|k5_e3|k3_e3");
  EXPECT_THAT(error_of([&] { space.parse("k3_e3|k5_e3|k3_e3"); }), HasSubstr("nearest: k5_e3"));
  const auto refusal = [&](const std::string& stages) {
    return error_of([&] { SearchSpace::load_file(folder.write("bad.toml", chain(stages))); });
  };
  EXPECT_THAT(refusal("{channels = 8, layers = 1, kernel = 7}"), HasSubstr("no operation has kernel = 7"));
  EXPECT_THAT(refusal("{channels = 8, layers = 1, kernel = 3, expansion = 3}"), HasSubstr("keeps 1 operation"));
  EXPECT_THAT(refusal("{channels = 8, layers = 2, smallest_depth = 1, kernel = 3}"), HasSubstr("among all operations"));
}

}  // namespace
}  // namespace oneproxy
