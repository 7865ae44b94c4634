#include "oneproxy/engine/data/onnx_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/predictor/onnx_predictor.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string fixture(const std::string& name) { return home_folder() + "/tests/fixtures/onnx/" + name; }

MlpPredictor predictor_of(const std::string& file) {
  return predictor_from_file(file, SearchSpace::load("nasbench201"), "onehot");
}

// As tests/fixtures/make_onnx_fixtures.py counts them.
std::vector<double> numbers(int first, int n) {
  std::vector<double> all;
  for (int i = first; i < first + n; ++i) all.push_back((7 * i % 31 - 15) / 16.0);
  return all;
}

TEST(OnnxFile, EveryWayToWriteANetworkGivesTheSameOne) {
  for (const char* name : {"torch.onnx", "external.onnx", "double.onnx", "matmul.onnx"}) {
    const auto predictor = predictor_of(fixture(name));
    ASSERT_EQ(predictor.first_width, 4) << name;
    ASSERT_EQ(predictor.layers.size(), 1u) << name;
    const auto weights = numbers(0, 120);  // [4, 30]
    for (int row = 0; row < 30; ++row)
      for (int o = 0; o < 4; ++o) ASSERT_EQ(predictor.rows[row * 4 + o], weights[o * 30 + row]) << name;
    EXPECT_EQ(predictor.first_bias, numbers(120, 4)) << name;
    EXPECT_EQ(predictor.layers[0].weights, numbers(124, 4)) << name;
    EXPECT_EQ(predictor.layers[0].bias, numbers(128, 1)) << name;
  }
}

TEST(OnnxFile, OtherOperationsAreNamed) {
  EXPECT_THAT(error_of([] { predictor_of(fixture("sigmoid.onnx")); }),
              AllOf(HasSubstr("sigmoid.onnx: Sigmoid 'last'"), HasSubstr("only stacks of linear layers")));
}

TEST(OnnxFile, AnotherWidthIsRefusedWithTheOrderOfTheInputs) {
  EXPECT_THAT(error_of([] { predictor_from_file(fixture("torch.onnx"), SearchSpace::load("fbnet"), "onehot"); }),
              AllOf(HasSubstr("30 inputs"), HasSubstr("198"), HasSubstr("one a choice")));
}

TEST(OnnxFile, EveryTruncationIsRefusedOrLeavesAnotherGraph) {
  const std::string whole = read_file(fixture("matmul.onnx"), 1 << 20);
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_NE(error_of([&] { linear_tensors(parse_onnx_file(whole.substr(0, n)), "cut"); }), "no error") << n;
}

TEST(OnnxFile, NoAlteredByteBreaksTheReader) {
  int refused = 0;
  for (const char* name : {"torch.onnx", "double.onnx", "matmul.onnx"}) {
    const std::string whole = read_file(fixture(name), 1 << 20);
    for (std::size_t at = 0; at < whole.size(); ++at)
      for (const int change : {1, 2, 8, 128, 255}) {
        std::string content = whole;
        content[at] = static_cast<char>(content[at] ^ change);
        refused += error_of([&] { linear_tensors(parse_onnx_file(content), "altered"); }) != "no error";
      }
  }
  EXPECT_GT(refused, 1000);  // the rest are other weights and other names
}

TEST(OnnxFile, WeightsInAnotherFolderAreNotLookedFor) {
  const TemporaryFolder folder;
  const std::string copy = folder / "copy.onnx";
  std::filesystem::copy_file(fixture("external.onnx"), copy);
  EXPECT_THAT(error_of([&] { predictor_of(copy); }), HasSubstr("external.data"));
  std::string content = read_file(copy, 1 << 20);
  for (auto at = content.find("external.data"); at != std::string::npos; at = content.find("external.data"))
    content.replace(at, 13, "../up/outside");
  std::ofstream(copy, std::ios::binary) << content;
  EXPECT_THAT(error_of([&] { predictor_of(copy); }), AllOf(HasSubstr("../up/outside"), HasSubstr("same folder")));
  EXPECT_THAT(error_of([&] { parse_onnx_file(content); }), HasSubstr("same folder"));
}

TEST(OnnxFile, WhatIsNoOnnxIsRefused) {
  for (const std::string content :
       {"", "PK\x03\x04", "arch,latency_ms\n", "\x08\x08", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"})
    EXPECT_NE(error_of([&] { parse_onnx_file(content); }), "no error");
}

}  // namespace
}  // namespace oneproxy
