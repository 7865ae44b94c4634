#include "oneproxy/engine/predictor/mlp_predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/predictor/torch_predictor.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;

MlpPredictor random_predictor(const SearchSpace& space, int width = 7) {
  const Philox random{3, 1};
  std::uint64_t next = 0;
  const auto draw = [&](std::size_t n) {
    std::vector<double> values(n);
    for (auto& v : values) v = 2 * random.uniform(next++) - 1;
    return values;
  };
  MlpPredictor p;
  p.space = space.name();
  p.radices.assign(space.radices().begin(), space.radices().end());
  p.target = "latency on a test";
  p.unit = "ms";
  p.output_offset = 3;
  p.output_scale = 0.5;
  p.first_width = width;
  p.rows = draw(std::size_t(space.code().n_rows) * width);
  p.first_bias = draw(width);
  p.layers = {{width, 4, draw(width * 4), draw(4)}, {4, 1, draw(4), draw(1)}};
  p.record = {{"source", std::string("a test")}, {"seed", std::int64_t{3}}, {"srcc", 0.25}};
  return p;
}

// The definition, written once more on explicit one-hot codes.
double by_hand(const MlpPredictor& p, std::span<const std::uint8_t> choices) {
  std::vector<double> code;
  for (std::size_t d = 0; d < p.radices.size(); ++d)
    for (int c = 0; c < p.radices[d]; ++c) code.push_back(c == choices[d]);
  std::vector<double> h(p.first_width);
  for (int j = 0; j < p.first_width; ++j) {
    h[j] = p.first_bias[j];
    for (std::size_t i = 0; i < code.size(); ++i) h[j] += code[i] * p.rows[i * p.first_width + j];
  }
  for (const auto& layer : p.layers) {
    std::vector<double> next(layer.outputs);
    for (int o = 0; o < layer.outputs; ++o) {
      next[o] = layer.bias[o];
      for (int i = 0; i < layer.inputs; ++i) next[o] += layer.weights[o * layer.inputs + i] * std::max(0.0, h[i]);
    }
    h = next;
  }
  const double value = p.output_offset + p.output_scale * h[0];
  return p.log_target ? std::exp(value) : value;
}

TEST(MlpPredictor, PredictsByItsDefinition) {
  for (const char* name : {"nasbench201", "ofa_mbv3"}) {
    const auto space = SearchSpace::load(name);
    auto predictor = random_predictor(space);
    const Philox random{4, 1};
    for (const bool log : {false, true}) {
      predictor.log_target = log;
      for (int i = 0; i < 50; ++i) {
        const auto choices = space.choices(random.bits(i) % space.size());
        double value = 0;
        predictor.predict(choices, std::span(&value, 1));
        EXPECT_NEAR(value, by_hand(predictor, choices), 1e-12 * std::abs(value));
      }
    }
  }
}

TEST(MlpPredictor, ViewIsTheSameFunctionOnTheDigits) {
  const auto space = SearchSpace::load("ofa_mbv3");
  const auto predictor = random_predictor(space);
  const auto code = space.code();
  Dense last;
  const Mlp mlp = predictor.view(last);
  std::vector<std::size_t> first_value(1, 0);
  for (const auto radix : code.radices) first_value.push_back(first_value.back() + radix);
  const Philox random{4, 2};
  for (int i = 0; i < 50; ++i) {
    const auto choices = space.choices(random.bits(i));
    const auto digits = space.digits_of(choices);
    std::vector<double> h(mlp.first_bias.begin(), mlp.first_bias.end());
    for (int d = 0; d < code.n_digits(); ++d)
      for (int part = 0; part < code.parts; ++part)
        if (const auto row = code.rows[(first_value[d] + digits[d]) * code.parts + part]; row >= 0)
          for (int j = 0; j < mlp.first_width; ++j) h[j] += mlp.rows[row * mlp.first_width + j];
    for (const auto& layer : mlp.layers) {
      std::vector<double> next(layer.bias.begin(), layer.bias.end());
      for (int o = 0; o < layer.outputs; ++o)
        for (int k = 0; k < layer.inputs; ++k) next[o] += layer.weights[o * layer.inputs + k] * std::max(0.0, h[k]);
      h = next;
    }
    EXPECT_NEAR(h[0], by_hand(predictor, choices), 1e-12);
  }
}

TEST(MlpPredictor, SurvivesItsFileAndTheStore) {
  const TemporaryFolder folder;
  const auto space = SearchSpace::load("fbnet");
  const auto predictor = random_predictor(space);
  save_predictor(folder / "p.h5", predictor);
  add_predictor(folder / "s.h5", shipped_store(), "test", predictor);
  for (const auto& read :
       {find_predictor(folder / "p.h5", shipped_store(), space), find_predictor("test", folder / "s.h5", space)}) {
    EXPECT_EQ(checksum(read), checksum(predictor));
    EXPECT_EQ(read.target, predictor.target);
    EXPECT_EQ(read.unit, predictor.unit);
    EXPECT_EQ(read.record, predictor.record);
  }
  EXPECT_THAT(predictor_names(folder / "s.h5", "fbnet"), testing::ElementsAre("test"));
  EXPECT_EQ(folder.n_files(), 2u);
  // Any number changes the checksum.
  auto changed = predictor;
  changed.layers[1].bias[0] += 1e-9;
  EXPECT_NE(checksum(changed), checksum(predictor));
  add_predictor(folder / "s.h5", shipped_store(), "test", changed);  // replaces
  EXPECT_EQ(checksum(find_predictor("test", folder / "s.h5", space)), checksum(changed));
}

TEST(MlpPredictor, FaultsAreNamed) {
  const TemporaryFolder folder;
  const auto space = SearchSpace::load("fbnet"), other = SearchSpace::load("nasbench201");
  auto predictor = random_predictor(space);
  save_predictor(folder / "p.h5", predictor);
  EXPECT_THAT(error_of([&] { find_predictor(folder / "p.h5", "", other); }),
              AllOf(HasSubstr("belongs to space fbnet"), HasSubstr("nasbench201")));
  auto short_code = predictor;
  short_code.radices.pop_back();
  EXPECT_THAT(error_of([&] { check_predictor(short_code, space, "it"); }), HasSubstr("21 x 9, space fbnet has 22 x 9"));
  EXPECT_THAT(error_of([&] { find_predictor("nothing", shipped_store(), space); }), HasSubstr("oneproxy import"));
  EXPECT_THAT(error_of([&] { find_predictor("a.pth", shipped_store(), space); }), HasSubstr("imported first"));
  EXPECT_THAT(error_of([&] { add_predictor(folder / "s.h5", shipped_store(), "a/b", predictor); }), HasSubstr("a/b"));
  EXPECT_THAT(error_of([&] { load_predictor(shipped_store()); }), HasSubstr("is no predictor"));

  predictor.layers[0].weights[5] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error_of([&] { save_predictor(folder / "p.h5", predictor); }),
              AllOf(HasSubstr("layer 2"), HasSubstr("NaN at place 5")));
  EXPECT_NO_THROW(load_predictor(folder / "p.h5"));  // the older one is still whole
  predictor.layers[0].weights[5] = 0;
  predictor.layers[1].inputs = 3;
  EXPECT_THAT(error_of([&] { save_predictor(folder / "q.h5", predictor); }), HasSubstr("layer 3 does not fit the 4"));

  {
    H5File file(folder / "p.h5", H5Mode::append);
    auto bias = file.read_doubles("/first/bias");
    const auto attributes = file.attributes("/first/bias");
    bias[2] += 1;
    file.remove("/first/bias");
    file.write("/first/bias", std::span<const double>(bias));
    file.set_attribute("/first/bias", "sha256", attributes.at("sha256"));
  }
  EXPECT_THAT(error_of([&] { load_predictor(folder / "p.h5"); }), HasSubstr("/first/bias does not match its checksum"));
}

TEST(MlpPredictor, AnAlteredAttributeIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "p.h5";
  save_predictor(path, random_predictor(SearchSpace::load("nasbench201")));
  {
    H5File file(path, H5Mode::append);
    file.set_attribute("/", "output_scale", 0.75);
  }
  EXPECT_THAT(error_of([&] { load_predictor(path); }), HasSubstr("p.h5: does not match its checksum"));
  {
    H5File file(path, H5Mode::append);  // as files of schema 1 were: without it
    file.set_attribute("/", "schema_version", std::int64_t{1});
  }
  EXPECT_EQ(load_predictor(path).output_scale, 0.75);
}

// The released predictor itself, against NumPy on the layout that its authors describe (no weight of it is kept here).
TEST(MlpPredictor, OnceForAllsAccuracyPredictor) {
  const char* data = std::getenv("ONEPROXY_DATA");
  if (!data) GTEST_SKIP() << "ONEPROXY_DATA names no folder of the public data";
  const auto space = SearchSpace::load("ofa_mbv3");
  const std::string file = std::string(data) + "/ofa/acc_predictor.pth";
  const auto predictor = predictor_from_torch(read_torch_file(file), space, "ofa", file);
  const std::vector<std::pair<std::string, double>> published = {
      {"19,9,5,0,0,9,7,0,0,4,9,0,0,4,3,0,0,6,2,4,0", 0.7915521001571231},
      {"2,8,3,0,0,2,8,2,0,1,9,3,8,2,9,9,0,4,6,9,2", 0.8092673242919458},
      {"1,3,4,4,7,2,1,4,2,2,2,0,0,3,6,0,0,6,8,7,3", 0.7958037565611805},
      {"8,7,2,0,0,3,5,1,0,6,8,7,0,9,8,7,0,9,5,5,0", 0.7838982897168705},
      {"3,4,6,4,0,6,5,9,0,8,1,6,7,2,6,1,4,8,1,1,0", 0.8122702888361457},
      {"r=224|k3_e3 k3_e3|k5_e3 k5_e6 k3_e3|k5_e4 k5_e4 k3_e3|k5_e6 k5_e4 k3_e4 k3_e4|k3_e6 k3_e6 k7_e6 k3_e3",
       0.825640526217494},
      {"r=220|k3_e3 k3_e4|k7_e4 k3_e4 k3_e6|k7_e6 k3_e6 k3_e3 k3_e4|k3_e6 k5_e6 k3_e6 k3_e4|k3_e6 k3_e6 k3_e6 k3_e3",
       0.8251700930861035}};
  for (const auto& [arch, expected] : published) {
    double value = 0;
    predictor.predict(space.parse(arch), std::span(&value, 1));
    EXPECT_NEAR(value, expected, 1e-12) << arch;
  }
}

}  // namespace
}  // namespace oneproxy
