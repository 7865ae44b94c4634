#include "oneproxy/engine/predictor/additive_predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

AdditivePredictor table_of(const std::string& name, const std::string& store, const SearchSpace& space) {
  return std::get<AdditivePredictor>(find_table(name, store, space));
}

using testing::ElementsAre;
using testing::HasSubstr;

double latency(const AdditivePredictor& table, const SearchSpace& space, const std::string& arch) {
  double value = 0;
  table.predict(space.parse(arch), std::span(&value, 1));
  return value;
}

TEST(AdditivePredictor, Note10IsNearTheMeasuredNetworks) {
  // Once-for-All's specialised networks of width 1.2 carry the latency that was measured on the same phone.
  const auto space = SearchSpace::load("ofa_mbv3");
  const auto table = table_of("note10", shipped_store(), space);
  ASSERT_EQ(table.n_tables(), 25);
  EXPECT_NEAR(
      latency(table, space,
              "r=224|k3_e3 k3_e3|k5_e4 k3_e3 k3_e4|k5_e4 k5_e4 k3_e3|k3_e6 k3_e4 k3_e4|k3_e6 k3_e6 k3_e4 k3_e3"),
      29.96534591520859, 1e-9);  // "30ms"; the sum by NumPy over the published file
  const std::string net41 =
      "|k3_e3 k3_e4|k7_e4 k3_e4 k3_e6|k7_e6 k3_e6 k3_e3 k3_e4|k3_e6 k5_e6 k3_e6 k3_e4|"
      "k3_e6 k3_e6 k3_e6 k3_e3";
  const auto at = [&](int r) { return latency(table, space, "r=" + std::to_string(r) + net41); };
  EXPECT_NEAR(at(220), 39.9, 0.05);  // "41ms": measured there, yet 2.7 % below
  for (int r = 164; r <= 224; r += 4) EXPECT_GT(at(r), at(r - 4)) << r;
  for (int r = 128; r < 160; r += 4) EXPECT_TRUE(std::isnan(at(r))) << r;
  EXPECT_EQ(std::get<std::string>(table.record.at("interpolated_resolutions")), "none");
  EXPECT_THAT(std::get<std::string>(table.record.at("source")), HasSubstr("CompOFA"));
}

TEST(AdditivePredictor, MobileTrimPricesBothFamilies) {
  for (const char* name : {"proxylessnas", "mobilenetv2"}) {
    const auto space = SearchSpace::load(name);
    const auto table = table_of("mobile_trim", shipped_store(), space);
    ASSERT_EQ(table.n_tables(), 1);
    // By hand from the published file: stem 4.0838 + first block + head, then blocks.
    const double least = latency(table, space, space.to_string(space.choices(0)));
    EXPECT_GT(least, table.bias[0]);
    const Philox random{9, 1};
    for (int i = 0; i < 100; ++i) {
      const auto choices = space.choices(random.bits(i) % space.size());
      double value = 0;
      table.predict(choices, std::span(&value, 1));
      EXPECT_GE(value, least);
    }
  }
  const auto space = SearchSpace::load("proxylessnas");
  const auto table = table_of("mobile_trim", shipped_store(), space);
  // One block more costs what its entry says, wherever it stands in the stage.
  const std::string head = "k3_e6", rest = "|k3_e3|k3_e3|k3_e3|k3_e3|k3_e3";
  const double one = latency(table, space, head + rest);
  const double two = latency(table, space, head + " k7_e6" + rest),
               three = latency(table, space, head + " k7_e6 k7_e6" + rest);
  EXPECT_NEAR(three - two, two - one, 1e-9);
  EXPECT_NEAR(one - latency(table, space, "k3_e3" + rest), 16.766225433526014 - 6.240567073170731, 1e-9);
}

TEST(AdditivePredictor, AddsFromDecisionZeroUpwards) {
  AdditivePredictor table{"tiny", {2, 3}, "t", "ms", {0, 0, 1, 2, 3, 0, 0, 10, 20, std::nan("")}, {100, 200}, {}};
  std::vector<double> values(4);
  const std::vector<std::uint8_t> choices = {0, 0, 0, 2, 1, 1, 1, 2};
  table.predict(choices, values);
  EXPECT_THAT(std::span(values).first(3), ElementsAre(101, 103, 220));
  EXPECT_TRUE(std::isnan(values[3]));
}

TEST(AdditivePredictor, SurvivesTheStoreAndNamesFaults) {
  const TemporaryFolder folder;
  const auto space = SearchSpace::load("nasbench201");
  AdditivePredictor table{
      "nasbench201", std::vector<std::uint8_t>(6, 5), "t", "ms", std::vector<double>(30, 0.5), {2}, {}};
  table.record["source"] = std::string("a test");
  add_predictor(folder / "s.h5", shipped_store(), "mine", table);
  const auto read = table_of("mine", folder / "s.h5", space);
  EXPECT_EQ(checksum(read), checksum(table));
  EXPECT_EQ(read.record, table.record);
  EXPECT_THAT(table_names(folder / "s.h5", "nasbench201"), ElementsAre("mine"));
  EXPECT_THAT(predicted_spaces(folder / "s.h5"), ElementsAre("mobilenetv2", "nasbench201", "ofa_mbv3", "proxylessnas"));
  EXPECT_THAT(error_of([&] { find_table("mime", folder / "s.h5", space); }), HasSubstr("nearest: mine"));
  EXPECT_THAT(error_of([&] { check_predictor(table, SearchSpace::load("fbnet"), "it"); }), HasSubstr("nasbench201"));
  table.weights.pop_back();
  EXPECT_THAT(error_of([&] { add_predictor(folder / "s.h5", "", "mine", table); }), HasSubstr("29 weights"));
  table.bias = {1, 2};
  EXPECT_THAT(error_of([&] { add_predictor(folder / "s.h5", "", "mine", table); }), HasSubstr("2 tables"));
  EXPECT_NO_THROW(find_table("mine", folder / "s.h5", space));
}

TEST(IndexTable, SurvivesAFileAndAStoreAndHasNoKernels) {
  const TemporaryFolder folder;
  const auto space = SearchSpace::load("nasbench201");
  IndexTable table{"nasbench201", std::vector<std::uint8_t>(6, 5), "t", "ms", std::vector<double>(15625), {}};
  for (std::size_t i = 0; i < table.values.size(); ++i) table.values[i] = std::sin(static_cast<double>(i));
  table.record["source"] = std::string("a test");
  save_predictor(folder / "own.h5", table);
  add_predictor(folder / "s.h5", shipped_store(), "mine", table);
  for (const auto& reference : {folder / "own.h5", std::string("mine")}) {
    const Predictor read = find_table(reference, folder / "s.h5", space);
    EXPECT_EQ(checksum(std::get<IndexTable>(read)), checksum(table));
    EXPECT_EQ(std::get<IndexTable>(read).record, table.record);
    EXPECT_FALSE(has_kernels(read));
    const SubSpace part(space);
    EXPECT_THAT(error_of([&] { const PredictorKernel kernel(read, part); }), HasSubstr("use method = \"exhaustive\""));
    double value = 0;
    for (const std::uint64_t i : {0, 1, 4321, 15624}) {
      predict(read, space.choices(i), std::span(&value, 1));
      EXPECT_EQ(value, table.values[i]);
    }
  }
  const auto error = [&] { return error_of([&] { save_predictor(folder / "bad.h5", table); }); };
  table.values[7] = std::nan("");
  EXPECT_THAT(error(), HasSubstr("architecture 7 is not finite"));
  table.values.pop_back();
  EXPECT_THAT(error(), HasSubstr("has 15624 values, its space has 15625"));
  table.radices.assign(9, 5);
  EXPECT_THAT(error(), HasSubstr("more than 1048576"));
  EXPECT_FALSE(std::filesystem::exists(folder / "bad.h5"));
}

TEST(AdditivePredictor, SurvivesAFileOfItsOwn) {
  const TemporaryFolder folder;
  const auto space = SearchSpace::load("nasbench201");
  AdditivePredictor table{
      "nasbench201", std::vector<std::uint8_t>(6, 5), "t", "ms", std::vector<double>(30, 0.5), {2}, {}};
  save_predictor(folder / "own.h5", table);
  EXPECT_EQ(checksum(table_of(folder / "own.h5", "", space)), checksum(table));
  EXPECT_THAT(error_of([&] { find_table(folder / "own.h5", "", SearchSpace::load("fbnet")); }),
              HasSubstr("belongs to space nasbench201"));
  EXPECT_THAT(error_of([&] { find_predictor(folder / "own.h5", "", space); }), HasSubstr("table:FILE"));
}

}  // namespace
}  // namespace oneproxy
