// Predictors of a rate: the scale itself, and each form of predictor with it, in memory and in a file.
#include "oneproxy/engine/predictor/rate_scale.h"

#include <gmock/gmock.h>

#include <cmath>

#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/predictor/predictor.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

const RateScale kScale{0.5};

// Times in ms: 2 + a weight for each of two decisions; the last networks take no time, which none can.
AdditivePredictor times(const std::string& space, std::vector<std::uint8_t> radices) {
  AdditivePredictor table;
  table.space = space;
  table.radices = std::move(radices);
  for (const auto radix : table.radices)
    for (int c = 0; c < radix; ++c) table.weights.push_back(1.0 - 0.7 * c);
  table.bias = {2};
  return table;
}

TEST(RateScale, IsTheReciprocalOfTheTime) {
  EXPECT_EQ(kScale.rate(-4), 250);
  EXPECT_EQ(kScale.score(250), -4);
  EXPECT_EQ(kScale.deviation(-4, 0.2), 12.5);  // 1000 / 4^2 * 0.2
}

TEST(RateScale, IncreasesAndIsFiniteWhereNoTimeCanBe) {
  double before = -1;
  for (double score = -1e6; score < 3; score += score < -10 ? 1e4 : 0.01) {
    const double rate = kScale.rate(score);
    EXPECT_GT(rate, before) << score;
    EXPECT_TRUE(std::isfinite(rate));
    EXPECT_NEAR(kScale.score(rate), score, 1e-9 * std::abs(score) + 1e-12);
    before = rate;
  }
  // Along its tangent: no step at the shortest time.
  EXPECT_NEAR((kScale.rate(-0.5 + 1e-6) - kScale.rate(-0.5)) / 1e-6, 1000 / 0.25, 0.02);
  EXPECT_EQ(kScale.score(0), -INFINITY);  // a limit that every network keeps
}

TEST(RateScale, EachFormOfPredictorPredictsTheRate) {
  const auto sum = times("s", {3, 3});
  IndexTable index{"s", {3, 3}, "", "ms", {}, {}};
  MlpPredictor mlp;
  mlp.space = "s", mlp.radices = {3, 3}, mlp.first_width = 1, mlp.log_target = true;
  mlp.rows = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, mlp.first_bias = {0.3};
  mlp.layers = {{1, 1, {0.7}, {0.1}}};
  mlp.output_offset = 0.2, mlp.output_scale = 1.5;
  std::vector<std::uint8_t> all;
  for (std::uint8_t a = 0; a < 3; ++a)
    for (std::uint8_t b = 0; b < 3; ++b) all.insert(all.end(), {a, b});
  index.values.resize(9);
  sum.predict(all, index.values);
  for (const Predictor& time : {Predictor(sum), Predictor(index), Predictor(mlp)}) {
    std::vector<double> ms(9), rates(9);
    predict(time, all, ms);
    const Predictor rate = as_rate(time, kScale);
    predict(rate, all, rates);
    for (int i = 0; i < 9; ++i) EXPECT_NEAR(rates[i], kScale.rate(-ms[i]), 1e-9 * std::abs(rates[i])) << i;
    for (const double value : {5.0, 250.0, 3000.0})
      EXPECT_NEAR(value_of_score(rate, score_of_value(rate, value)), value, 1e-9 * value);
    EXPECT_LT(score_of_value(rate, 5), score_of_value(rate, 250));
  }
  mlp.log_target = false;
  EXPECT_THAT(error_of([&] { as_rate(mlp, kScale); }), HasSubstr("no predictor of a rate"));
}

TEST(RateScale, AFileKeepsItAndForeignReadersSeeThatItIsNoTableOfTimes) {
  TemporaryFolder folder;
  const SearchSpace space = SearchSpace::load("fbnet");
  AdditivePredictor table =
      std::get<AdditivePredictor>(as_rate(times("fbnet", {space.radices().begin(), space.radices().end()}), kScale));
  table.unit = "images/s";
  table.record["direction"] = to_string(Direction::maximise);
  const std::string path = folder / "rate.h5";
  save_predictor(path, table);
  EXPECT_EQ(attribute_text(H5File(path, H5Mode::read).attributes("/"), "format"), "oneproxy-rate-table");
  const auto back = std::get<AdditivePredictor>(find_table(path, "", space));
  ASSERT_TRUE(back.rate);
  EXPECT_EQ(back.rate->least_ms, kScale.least_ms);
  EXPECT_EQ(back.weights, table.weights);
  EXPECT_EQ(recorded_direction(back), Direction::maximise);
  EXPECT_EQ(checksum(back), checksum(table));

  AdditivePredictor plain = table;
  plain.rate.reset();
  EXPECT_NE(checksum(plain), checksum(table));
  plain.record.clear();
  EXPECT_EQ(recorded_direction(plain), std::nullopt);

  table.rate = RateScale{0};
  EXPECT_THAT(error_of([&] { save_predictor(folder / "bad.h5", table); }), HasSubstr("shortest time of its rate"));
}

}  // namespace
}  // namespace oneproxy
