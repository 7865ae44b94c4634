// Layers of a file and where they stand: any space of inverted residuals, by shapes alone.
#include "oneproxy/engine/predictor/layer_table.h"

#include <gmock/gmock.h>

#include <cmath>

#include "oneproxy/engine/predictor/table_coverage.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::NanSensitiveDoubleEq;

const std::string kSpace = R"(
name = "tiny"
string_form = "list"
[[operation]]
name = "small"
kind = "mbconv"
expansion = 2
kernel = 3
[[operation]]
name = "skip"
kind = "skip"
[[geometry]]
name = "photos"
fixed = [
  { name = "stem", kernel = 3, in_channels = 3, channels = 8, stride = 2, resolution = 12 },
  { name = "expansion", in_channels = 8, channels = 16, resolution = 6 },
  { name = "depthwise", kernel = 5, groups = 16, in_channels = 16, channels = 16, resolution = 6 },
  { name = "projection", in_channels = 16, channels = 8, resolution = 6 },
  { name = "head", in_channels = 12, channels = 20, resolution = 3 },
  { name = "classes", kind = "linear", in_channels = 20, channels = 7 },
]
input_channels = 8
input_resolution = 6
stage = [ { channels = 12, layers = 2, stride = 2 } ]
)";

std::string entry(const std::string& key, const std::string& mean) { return key + ":\n  mean: " + mean + "\n"; }
const std::string kFixed = entry("Conv-input:12x12x3-output:6x6x8", "1") +
                           entry("expanded_conv-input:6x6x8-output:6x6x8-expand:16-kernel:5-stride:1-idskip:1", "2") +
                           entry("Conv_1-input:3x3x12-output:3x3x20", "4") +
                           entry("AvgPool2D-input:3x3x20-output:1x1x20", "8") +
                           entry("Logits-input:1x1x20-output:7", "16");
const std::string kFirst = "expanded_conv-input:6x6x8-output:3x3x12-expand:16-kernel:3-stride:2-idskip:0";
const std::string kSecond = "expanded_conv-input:3x3x12-output:3x3x12-expand:24-kernel:3-stride:1-idskip:1";

class LayerTables : public ::testing::Test {
 protected:
  LayerTable read(const std::string& text) {
    return table_of_layers(space_, {{0, read_layer_latencies(folder_.write("t.yaml", text))}});
  }
  TemporaryFolder folder_;
  SearchSpace space_ = SearchSpace::load(folder_.write("tiny.toml", kSpace));
};

TEST_F(LayerTables, LayersFindTheirPlacesByShape) {
  // A skip between unequal shapes is a projection, whose entry is that of a plain layer.
  const auto result = read(kFixed + entry(kFirst, "0.5") + entry(kSecond, "0.25") +
                           entry("Projection-input:6x6x8-output:3x3x12", "0.125"));
  EXPECT_THAT(result.table.weights, ElementsAre(0.5, 0.125, 0.25, 0));
  EXPECT_THAT(result.table.bias, ElementsAre(31));  // with the block of three layers, and the pooling
  EXPECT_THAT(result.remarks, IsEmpty());
  const auto coverage = table_coverage(space_, result.table);
  EXPECT_EQ(coverage.predicted, coverage.networks);
}

TEST_F(LayerTables, AnOperationOfSeveralLayersIsTheirSum) {
  std::string text = kSpace;
  text.replace(text.find("kernel = 3\n[["), 10, "kernel = 3\nrepeats = 3");
  space_ = SearchSpace::load(folder_.write("tiny.toml", text));
  // Only the first layer of the first place changes width and side.
  EXPECT_THAT(read(kFixed + entry(kFirst, "0.5") + entry(kSecond, "0.25")).table.weights,
              ElementsAre(1, NanSensitiveDoubleEq(std::nan("")), 0.75, 0));
}

TEST_F(LayerTables, AMissingLayerLeavesItsChoiceWithoutAnEntry) {
  const auto result = read(kFixed + entry(kFirst, "0.5") + entry(kSecond, "0.25"));
  EXPECT_THAT(result.table.weights, ElementsAre(0.5, NanSensitiveDoubleEq(std::nan("")), 0.25, 0));
  const auto coverage = table_coverage(space_, result.table);
  EXPECT_EQ(coverage.networks, 4u);
  EXPECT_EQ(coverage.predicted, 2u);
  ASSERT_EQ(coverage.missing.size(), 1u);
  EXPECT_EQ(coverage.missing[0].decision, 0);
  EXPECT_EQ(coverage.missing[0].choice, 1);
  EXPECT_EQ(coverage.missing[0].networks, 2u);
}

TEST_F(LayerTables, OfTwoThatDifferInTheirActivationThePlaceDecides) {
  const auto result = read(kFixed + entry(kFirst + "-se:0-hs:1", "3") + entry(kFirst + "-se:0-hs:0", "5") +
                           entry(kSecond + "-se:0-hs:1", "7") + entry(kSecond + "-se:1-hs:0", "9"));
  EXPECT_EQ(result.table.weights[0], 5);  // the space has no h-swish there
  EXPECT_EQ(result.table.weights[2], 7);  // the only one without squeeze-and-excitation
  ASSERT_EQ(result.remarks.size(), 1u);
  EXPECT_THAT(result.remarks[0], HasSubstr(kSecond + "-se:1-hs:0"));
}

TEST_F(LayerTables, ExpansionsAreFactorsOrChannelsThroughoutAFile) {
  std::string relative = kFixed + entry(kFirst, "0.5") + entry(kSecond, "0.25");
  for (const auto& [channels, factor] : {std::pair("expand:16", "expand:2"), std::pair("expand:24", "expand:2")})
    for (auto at = relative.find(channels); at != std::string::npos; at = relative.find(channels))
      relative.replace(at, std::string(channels).size(), factor);
  EXPECT_EQ(read(relative).table.weights[2], 0.25);
  EXPECT_THAT(error_of([&] { read(relative + entry(kSecond, "1")); }), HasSubstr("t.yaml:15: expand:24"));
}

TEST_F(LayerTables, WhatAllNetworksHaveMustBeThere) {
  EXPECT_THAT(error_of([&] { read(entry(kFirst, "0.5")); }), HasSubstr("'stem'"));
}

TEST_F(LayerTables, TheSumOfLayersIsRoundedOnce) {
  std::string text = kFixed + entry(kFirst, "0.5") + entry(kSecond, "0.25");
  const auto set = [&](const std::string& from, const std::string& to) {
    text.replace(text.find("mean: " + from + "\n") + 6, from.size(), to);
  };
  // One by one, each small number is lost; together they are one step of the large one.
  set("1", "9007199254740992"), set("2", "0.5"), set("4", "0.5"), set("8", "0.5"), set("16", "0.5");
  EXPECT_EQ(read(text).table.bias[0], 9007199254740994.0);
}

}  // namespace
}  // namespace oneproxy
