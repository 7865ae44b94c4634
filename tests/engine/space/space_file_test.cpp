// Spaces from a file of one's own: named choices, their strings and their index; operations without edges.
#include "oneproxy/engine/space/space_file.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/space/physics.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kNamed =
    "name = \"mine\"\n"
    "[[decision]]\nname = \"heads\"\nchoices = [\"2\", \"4\", \"8\"]\n"
    "[[decision]]\nname = \"act\"\nchoices = [\"relu\", \"gelu\"]\n";

class NamedChoices : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string path_ = folder_.write("mine.toml", kNamed);
  SearchSpace space_ = SearchSpace::load(path_);
};

TEST_F(NamedChoices, EveryArchitectureBothWays) {
  ASSERT_EQ(space_.size(), 6u);
  for (std::uint64_t i = 0; i < 6; ++i) {
    const auto choices = space_.choices(i);
    EXPECT_EQ(space_.index(choices), i);
    EXPECT_EQ(space_.parse(space_.to_string(choices)), choices);
  }
  EXPECT_EQ(space_.to_string(space_.choices(3)), "heads=4|act=gelu");
  EXPECT_THAT(space_.parse("act=relu|heads=8"), ElementsAre(2, 0));  // in any order
  EXPECT_THAT(space_.parse("2,0"), ElementsAre(2, 0));               // numbers are choices, not names
}

TEST_F(NamedChoices, IsKnownByNameFileAndChecksum) {
  EXPECT_EQ(space_.name(), "mine");
  EXPECT_EQ(space_.reference(), path_);
  EXPECT_EQ(space_.checksum(), sha256_hex(kNamed));
  EXPECT_EQ(SearchSpace::load("nasbench201").reference(), "nasbench201");
  EXPECT_TRUE(names_space_file(path_));
  EXPECT_FALSE(names_space_file("nasbench201"));
}

TEST_F(NamedChoices, HasNoCostsAndNoPhysicalFeatures) {
  EXPECT_FALSE(space_.has_costs());
  EXPECT_TRUE(SearchSpace::load("nasbench201").has_costs());
  EXPECT_THAT(error_of([&] { space_.cost(space_.choices(0)); }), HasSubstr("mine"));
  const Physics physics(space_);
  EXPECT_EQ(physics.n_columns(), 0);
  EXPECT_TRUE(physics.groups().empty());
  std::vector<double> code(physics.n_code());
  physics.code(space_.choices(3), code);
  EXPECT_THAT(code, ElementsAre(0, 1, 0, 0, 1));
}

TEST_F(NamedChoices, AGeometryIsRefused) {
  EXPECT_THAT(error_of([&] { SearchSpace::load_file(path_, "cifar10"); }), HasSubstr("cifar10"));
}

TEST(SpaceFile, ACopyOfASpaceThatShipsIsThatSpaceAndAChangedOneIsRefused) {
  const TemporaryFolder folder;
  const auto shipped = SearchSpace::load("fbnet");
  std::filesystem::copy_file(space_file("fbnet"), folder / "copy.toml");
  EXPECT_EQ(SearchSpace::load_file(folder / "copy.toml").checksum(), shipped.checksum());
  std::ofstream(folder / "copy.toml", std::ios::app) << "# changed\n";
  EXPECT_THAT(error_of([&] { SearchSpace::load_file(folder / "copy.toml"); }), HasSubstr("fbnet"));
}

TEST(SpaceFile, OperationsWithoutEdges) {
  const TemporaryFolder folder;
  const std::string operations =
      "name = \"two\"\nstring_form = \"list\"\n[[operation]]\nname = \"a\"\nkind = \"conv\"\n[[operation]]\n"
      "name = \"b\"\nkind = \"skip\"\n[[decision]]\nname = \"first\"\n[[decision]]\nname = \"second\"\n"
      "[[geometry]]\nname = \"g\"\nplacement = [{channels = 8, resolution = 4, count = 2}]\n";
  const auto space = SearchSpace::load_file(folder.write("two.toml", operations));
  EXPECT_EQ(space.size(), 4u);
  EXPECT_EQ(space.cost(space.parse("a|b")).macs, 2 * 8 * 8 * 16);  // twice 8 -> 8 channels at 4x4 pixels
  std::string cell = operations;
  cell.replace(cell.find("list"), 4, "cell");
  EXPECT_THAT(error_of([&] { SearchSpace::load_file(folder.write("cell.toml", cell)); }), HasSubstr("from"));
}

// Some lines that would become gigabytes: the tables of a space have limits.
TEST(SpaceFile, NamesTheSetThatIsMeant) {
  EXPECT_EQ(SearchSpace::load("accel_nasbench").measured_set(), "anb");
  EXPECT_EQ(SearchSpace::load("fbnet").measured_set(), "help");
  const TemporaryFolder folder;
  const auto file = folder.write("own.toml", "name = \"own\"\nmeasured_set = \"a b\"\n");
  EXPECT_THAT(error_of([&] { SearchSpace::load_file(file); }),
              ::testing::AllOf(HasSubstr("own.toml:2"), HasSubstr("measured_set = \"a b\"")));
}

TEST(SpaceFile, BombsAreRefused) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    return error_of([&] { SearchSpace::load_file(folder.write("bomb.toml", text)); });
  };
  const auto repeated = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  const auto operations = [](int n) {
    std::string all;
    for (int i = 0; i < n; ++i) all += "[[operation]]\nname = 'o" + std::to_string(i) + "'\nkind = 'skip'\n";
    return all;
  };
  const std::string stages = "name = 'x'\nstring_form = 'stages'\n", list = "name = 'x'\nstring_form = 'list'\n";
  const std::string geometry = "[[geometry]]\nname = 'g'\n", stage = "[[geometry.stage]]\nchannels = 8\n";
  EXPECT_THAT(refusal(stages + operations(2) + geometry + stage + "layers = 1000000\nsmallest_depth = 1\n"),
              HasSubstr("256 layers together"));
  EXPECT_THAT(refusal(list + operations(2) + geometry + repeated(stage + "layers = 100\n", 3)),
              HasSubstr("256 layers together"));
  EXPECT_THAT(refusal(stages + operations(3) + geometry + repeated(stage + "layers = 18\nsmallest_depth = 1\n", 4)),
              HasSubstr("1048576 variants"));
  EXPECT_THAT(
      refusal("name = 'x'\nstring_form = 'cell'\n" + operations(2) + "[[decision]]\nname = 'd'\nfrom = 0\nto = 1\n" +
              geometry + repeated("[[geometry.placement]]\nchannels = 8\nresolution = 8\n", 65)),
      HasSubstr("65 [[placement]]s"));
  EXPECT_THAT(refusal(list + operations(2) + repeated(geometry, 65)), HasSubstr("65 [[geometry]]s"));
  EXPECT_THAT(refusal(list + operations(256)), HasSubstr("there are 256, more than the 255"));
  EXPECT_THAT(refusal("name = 'x'\n" + repeated("[[decision]]\nname = 'd'\nchoices = ['a', 'b']\n", 257)),
              HasSubstr("257 [[decision]]s"));
  std::string choices;
  for (int i = 0; i < 20'000; ++i) choices += "'" + std::to_string(i) + "',";
  EXPECT_THAT(refusal("name = 'x'\n[[decision]]\nname = 'd'\nchoices = [" + choices + "]\n"),
              HasSubstr("20000 choices, more than the 255"));
  EXPECT_THAT(refusal("name = '" + std::string(101, 'x') + "'\n"), HasSubstr("101 characters"));
  EXPECT_THAT(refusal("resolutions = [64, 128]\n" + stages + operations(2) + geometry +
                      repeated(stage + "layers = 1\nsmallest_depth = 1\nstride = 1048576\n", 2)),
              HasSubstr("stride = 1048576"));
}

}  // namespace
}  // namespace oneproxy
