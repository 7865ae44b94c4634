// A list of networks as a space: its index is the row, its strings are names, and its features products.
#include "oneproxy/engine/space/listed_space.h"

#include <gmock/gmock.h>

#include <cmath>

#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/predictor/tabulation.h"
#include "oneproxy/engine/space/physics.h"
#include "oneproxy/engine/space/subspace.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Not in the order of their choices.
const std::string kList =
    "model,family,side,size\n"
    "wide,b,64,7\n"
    "12,a,128,3\n"
    "tiny,a,64,1\n"
    "huge,b,256,9\n";

class Listed : public ::testing::Test {
 protected:
  SearchSpace load(const std::string& list, const std::string& decisions = "\"family\", \"side\"") {
    folder_.write("list.csv", list);
    return SearchSpace::load(
        folder_.write("mine.toml", "name = \"mine\"\nstring_form = \"listed\"\nlist = \"list.csv\"\nchecksum = \"" +
                                       sha256_hex(list) + "\"\nname_column = \"model\"\ndecision_columns = [" +
                                       decisions + "]\nfeature_columns = [\"side\", \"size\"]\n"));
  }
  TemporaryFolder folder_;
};

TEST_F(Listed, EveryNetworkHasOneIndexInTheOrderOfItsChoices) {
  const auto space = load(kList);
  ASSERT_EQ(space.size(), 4u);
  EXPECT_THAT(space.radices(), ElementsAre(2, 3));  // 64 < 128 < 256: numbers by value
  EXPECT_THAT(space.list().names, ElementsAre("tiny", "12", "wide", "huge"));
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto choices = space.choices(i);
    EXPECT_EQ(space.index(choices), i);
    EXPECT_EQ(space.to_string(choices), space.list().names[i]);
    EXPECT_EQ(space.parse(space.to_string(choices)), choices);  // "12" is a name, not a choice
  }
  EXPECT_THAT(space.parse("1,2"), ElementsAre(1, 2));  // choices as numbers: huge
  EXPECT_FALSE(space.is_product());
  EXPECT_FALSE(space.has_costs());
}

TEST_F(Listed, WhatTheListDoesNotHaveIsNoNetwork) {
  const auto space = load(kList);
  const std::vector<std::uint8_t> none = {0, 2};  // a at 256
  EXPECT_FALSE(space.valid(none));
  EXPECT_THAT(error_of([&] { space.index(none); }), HasSubstr("list.csv"));
  EXPECT_THAT(error_of([&] { space.parse("hug"); }), HasSubstr("nearest: huge"));
}

TEST_F(Listed, APartKeepsSomeRows) {
  const auto space = load(kList);
  SubSpace part(space);
  part.fix("side=64|256");
  EXPECT_EQ(part.size(), 3u);
  EXPECT_EQ(space.to_string(part.choices(ArchIndex{0})), "tiny");
  EXPECT_TRUE(part.digits(space.parse("12")).empty());
}

TEST_F(Listed, FeaturesAreProductsOfNumbersAndWords) {
  std::string list = "model,family,side,size\n";
  for (const char* family : {"a", "b"})
    for (const int side : {64, 128, 256})
      list += family + std::to_string(side) + "," + family + "," + std::to_string(side) + "," +
              std::to_string(side / 64) + "\n";
  const auto space = load(list);
  const Physics physics(space);
  EXPECT_FALSE(physics.additive());
  ASSERT_EQ(physics.groups().size(), 2u);  // one decision of words: no pairs
  EXPECT_THAT(physics.groups()[0].columns, ElementsAre("side", "side^2", "size", "size^2", "side^2*size"));
  EXPECT_EQ(physics.groups()[1].name, "words");
  std::vector<double> features(physics.n_columns());
  physics.features(space.parse("b128"), features);
  EXPECT_DOUBLE_EQ(features[physics.column("side")], 0.5);  // of the largest
  EXPECT_DOUBLE_EQ(features[physics.column("side^2*size")], 0.125);
  EXPECT_DOUBLE_EQ(features[physics.column("family=b*side^2")], 0.25);
  EXPECT_DOUBLE_EQ(features[physics.column("family=a*side^2")], 0);
  std::vector<double> code(physics.n_code());
  physics.code(space.parse("b128"), code);
  EXPECT_THAT(code, ElementsAre(0, 1, 0, 1, 0));
}

TEST_F(Listed, ATableOfItsNetworksSurvivesAFile) {
  const auto space = load(kList);
  const Tabulation tabulation(space, false);
  ASSERT_EQ(tabulation.n(), 4);
  const std::vector<double> values = {1, 2, 3, 4};
  save_predictor(folder_ / "t.h5", tabulation.predictor(values, "ms"));
  const Predictor read = find_table(folder_ / "t.h5", "", space);
  std::vector<std::uint8_t> asked = space.parse("wide");
  asked.insert(asked.end(), {0, 2});  // no network
  std::vector<double> found(2);
  predict(read, asked, found);
  EXPECT_EQ(found[0], 3);
  EXPECT_TRUE(std::isnan(found[1]));
  const auto other = load(kList + "new,a,256,2\n");
  EXPECT_THAT(error_of([&] { find_table(folder_ / "t.h5", "", other); }), HasSubstr("another list of networks"));
}

TEST_F(Listed, FaultyListsNameTheirLines) {
  EXPECT_THAT(error_of([&] { load(kList + "tiny,b,128,2\n"); }),
              HasSubstr("list.csv:6: the name 'tiny' is that of line 4"));
  EXPECT_THAT(error_of([&] { load(kList + ",b,128,2\n"); }), HasSubstr("list.csv:6: has no name"));
  EXPECT_THAT(error_of([&] { load(kList + "twin,a,64,2\n"); }), HasSubstr("same values"));
  EXPECT_THAT(error_of([&] { load(kList + "x,b,128,big\n"); }), HasSubstr("list.csv:6: size = 'big'"));
  EXPECT_THAT(error_of([&] { load(kList, "\"famly\""); }), HasSubstr("nearest: family"));
  EXPECT_THAT(error_of([&] { load("model,family,side,size\nx,a,1,1\ny,a,2,1\n"); }), HasSubstr("one value only, 'a'"));
  std::string many = "model,family,side,size\n";
  for (int i = 0; i < 256; ++i) many += "n" + std::to_string(i) + ",f" + std::to_string(i) + ",1,1\n";
  EXPECT_THAT(error_of([&] { load(many, "\"family\""); }), HasSubstr("256 different values"));
}

}  // namespace
}  // namespace oneproxy
