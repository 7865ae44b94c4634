// Files of torch.save: tests/fixtures/make_torch_fixtures.py made them, and evaluated the predictor in them by NumPy.
#include "oneproxy/engine/data/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/predictor/torch_predictor.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string fixture(const std::string& name) { return home_folder() + "/tests/fixtures/torch/" + name; }

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

MlpPredictor imported(const std::string& file) {
  return predictor_from_torch(read_torch_file(file), SearchSpace::load("nasbench201"), "onehot", file);
}

TEST(TorchFile, BothFormsHoldTheSameTensors) {
  const auto legacy = read_torch_file(fixture("legacy.pth")), zip = read_torch_file(fixture("zip.pth"));
  ASSERT_EQ(legacy.size(), 6u);
  ASSERT_EQ(zip.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(legacy[i].name, zip[i].name);
    EXPECT_EQ(legacy[i].shape, zip[i].shape);
    EXPECT_EQ(legacy[i].values, zip[i].values);
  }
  EXPECT_EQ(legacy[0].name, "0.weight");
  EXPECT_THAT(legacy[0].shape, ElementsAre(5, 30));
}

TEST(TorchFile, ReadsEveryKindOfNumber) {
  const auto tensors = read_torch_file(fixture("kinds.pth"));
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_THAT(tensors[0].values, ElementsAre(1.5, -2.25));
  EXPECT_THAT(tensors[1].values, ElementsAre(1.5, -0.0, std::ldexp(1, -24), 65504, HUGE_VAL));
  EXPECT_TRUE(std::signbit(tensors[1].values[1]));
  EXPECT_THAT(tensors[2].values, ElementsAre(1.5, -3));
  EXPECT_THAT(tensors[3].values, ElementsAre(-7));
  EXPECT_EQ(read_torch_file(fixture("nested.pth"))[0].name, "state_dict.fc.weight");
}

TEST(TorchFile, RunsNothing) {
  EXPECT_THAT(error_of([] { read_torch_file(fixture("hostile.pth")); }),
              AllOf(HasSubstr("hostile.pth"), HasSubstr("posix.system"), HasSubstr("state_dict")));
}

// Whatever is damaged, the answer is tensors or one line, never a crash or memory without end.
TEST(TorchFile, DamageIsOneLine) {
  const auto read = [&](const std::string& content) {
    try {
      parse_torch_file(content);
      return std::string("read");
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
      return std::string(error.what());
    }
  };
  const Philox random{5, 1};
  std::uint64_t draw = 0;
  for (const char* name : {"legacy.pth", "zip.pth"}) {
    const std::string whole = content_of(fixture(name));
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(read(whole.substr(0, size)), "read") << size;
    for (int i = 0; i < 3000; ++i) {
      std::string changed = whole;
      for (int k = 0; k < 2; ++k, draw += 2)
        changed[random.below(draw, whole.size())] = static_cast<char>(random.below(draw + 1, 256));
      read(changed);
    }
  }
  EXPECT_THAT(read("latency_ms\n"), HasSubstr("no file of torch.save"));
  const TemporaryFolder folder;
  folder.write("cut.pth", content_of(fixture("zip.pth")).substr(0, 300));
  EXPECT_THAT(error_of([&] { read_torch_file(folder / "cut.pth"); }),
              AllOf(HasSubstr("cut.pth: "), HasSubstr("truncated")));
  EXPECT_THAT(error_of([&] { read_torch_file(folder / "none.pth"); }), HasSubstr("none.pth"));
  EXPECT_THAT(error_of([] { read_torch_file("/"); }), HasSubstr("folder"));
}

TEST(TorchPredictor, GivesWhatNumpyGives) {
  for (const char* name : {"legacy.pth", "zip.pth"}) {
    const auto predictor = imported(fixture(name));
    std::ifstream values(fixture("values.txt"));
    std::string line;
    std::getline(values, line);
    int n = 0;
    while (std::getline(values, line)) {
      std::istringstream words(line);
      std::vector<std::uint8_t> choices;
      for (int d = 0, c = 0; d < 6 && words >> c; ++d) choices.push_back(static_cast<std::uint8_t>(c));
      double expected = 0, value = 0;
      words >> expected;
      predictor.predict(choices, std::span(&value, 1));
      EXPECT_NEAR(value, expected, 1e-12) << line;
      ++n;
    }
    EXPECT_EQ(n, 8);
  }
}

TEST(TorchPredictor, OneLinearLayerIsALinearPredictor) {
  const auto tensors = read_torch_file(fixture("nested.pth"));  // no bias
  const auto predictor = predictor_from_torch(tensors, SearchSpace::load("nasbench201"), "onehot", "it");
  const std::vector<std::uint8_t> choices = {4, 0, 3, 1, 2, 2};
  double expected = 0, value = 0;
  for (int d = 0; d < 6; ++d) expected += tensors[0].values[5 * d + choices[d]];
  predictor.predict(choices, std::span(&value, 1));
  EXPECT_NEAR(value, expected, 1e-15);
}

TEST(TorchPredictor, FaultsAreNamed) {
  EXPECT_THAT(error_of([] { imported(fixture("nan.pth")); }), AllOf(HasSubstr("'0.bias'"), HasSubstr("NaN")));
  EXPECT_THAT(error_of([] { imported(fixture("batch_norm.pth")); }), HasSubstr("'1.running_mean' (5)"));
  const auto tensors = read_torch_file(fixture("legacy.pth"));
  const auto ofa = SearchSpace::load("ofa_mbv3"), nasbench201 = SearchSpace::load("nasbench201");
  const auto fault = [&](std::vector<TorchTensor> these, const SearchSpace& space, const std::string& layout) {
    return error_of([&] { predictor_from_torch(these, space, layout, "f.pth"); });
  };
  EXPECT_THAT(fault(tensors, ofa, "onehot"), HasSubstr("30 inputs; layout onehot of space ofa_mbv3 has 225"));
  EXPECT_THAT(fault(tensors, ofa, "ofa"), HasSubstr("layout ofa of space ofa_mbv3 has 128"));
  EXPECT_THAT(fault(tensors, nasbench201, "ofa"), HasSubstr("needs a space with resolutions"));
  EXPECT_THAT(fault({tensors[0], tensors[1]}, nasbench201, "onehot"), HasSubstr("5 outputs"));
  EXPECT_THAT(fault({tensors[0], tensors[4]}, nasbench201, "onehot"), HasSubstr("'4' has 3 inputs"));
  EXPECT_THAT(fault({tensors[1]}, nasbench201, "onehot"), HasSubstr("'0.bias'"));
  EXPECT_THAT(fault({}, nasbench201, "onehot"), HasSubstr("no Linear layer"));
}

}  // namespace
}  // namespace oneproxy
