// A rate as an objective: every method searches it as it searches the time behind it, in the rate's unit and direction.
#include <gmock/gmock.h>

#include <algorithm>

#include "oneproxy/engine/fleet/fleet_search.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "tests/engine/error_of.h"
#include "tests/engine/search/world.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

Objective objective_of(const std::string& name, const Predictor& model, const std::string& unit, Direction direction) {
  auto shared = std::make_shared<const Predictor>(model);
  return {
      name,
      name,
      unit,
      direction,
      false,
      shared,
      [shared](std::span<const std::uint8_t> choices, std::span<double> values) { predict(*shared, choices, values); }};
}

class Rates : public testing::Test {
 protected:
  Rates() : macs(world.objective("model:macs", Direction::maximise)) {
    const Predictor model = *world.objective("proxy:pixel3", Direction::minimise).model;
    time = objective_of("time", model, "ms", Direction::minimise);
    rate = objective_of("rate", as_rate(model, {0.01}), "images/s", Direction::maximise);
  }
  const World world{"nasbench201"};
  Objective macs, time, rate;
  const ExactSearch exact{std::int64_t{1} << 30};
  const ExhaustiveSearch exhaustive;
};

TEST_F(Rates, ProvenMethodsFindWhatTheyFindForTheTime) {
  const SearchProblem by_time{world.part, nullptr, {macs, time}}, by_rate{world.part, nullptr, {macs, rate}};
  const auto times = latency_limits({5, 8, 15}), rates = latency_limits({200, 125, 1000 / 15.0});
  for (const auto* method : {static_cast<const SearchMethod*>(&exact), static_cast<const SearchMethod*>(&exhaustive)}) {
    const auto expected = run(*method, by_time, times, 1, 3), found = run(*method, by_rate, rates, 1, 3);
    ASSERT_EQ(found.front.size(), expected.front.size());
    for (std::size_t l = 0; l < 3; ++l) {
      ASSERT_EQ(found.best[l].size(), 3u);
      for (std::size_t r = 0; r < 3; ++r) {
        EXPECT_EQ(found.best[l][r].choices, expected.best[l][r].choices);
        EXPECT_NEAR(found.best[l][r].values[1], 1000 / expected.best[l][r].values[1], 1e-6);
      }
    }
  }
}

TEST_F(Rates, EveryMethodKeepsLimitsInItsUnit) {
  const SearchProblem problem{world.part, nullptr, {macs, rate}};
  const auto limits = latency_limits({1e12, 125, 1000 / 15.0});
  const auto truth = run(exhaustive, problem, limits);
  EXPECT_TRUE(truth.best[0].empty());
  for (const auto& kind : search_methods()) {
    SCOPED_TRACE(kind.name);
    Config config = Config::defaults();
    const auto found = run(*kind.read(config), problem, limits);
    EXPECT_TRUE(found.best[0].empty()) << "nothing is that fast";
    for (std::size_t l = 1; l < limits.size(); ++l) {
      ASSERT_FALSE(found.best[l].empty());
      EXPECT_GE(found.best[l][0].values[1], limits[l].bounds[1]);
      EXPECT_LE(found.best[l][0].values[0], truth.best[l][0].values[0]);
      EXPECT_GT(found.best[l][0].values[0], 0.5 * truth.best[l][0].values[0]) << "far from the best";
    }
  }
}

TEST_F(Rates, AsTheGoalItIsMaximised) {
  Objective few = macs;
  few.direction = Direction::minimise;
  const std::vector<double> some = values_of(few, world.data->rows().choices, world.data->n());
  const double limit = *std::max_element(some.begin(), some.end()) / 3;
  const SearchProblem by_rate{world.part, nullptr, {rate, few}}, by_time{world.part, nullptr, {time, few}};
  const auto expected = run(exact, by_time, latency_limits({limit})),
             found = run(exact, by_rate, latency_limits({limit}));
  EXPECT_EQ(found.best[0][0].choices, expected.best[0][0].choices);
  EXPECT_NEAR(found.best[0][0].values[0], RateScale{0.01}.rate(-expected.best[0][0].values[0]), 1e-6);
}

TEST(RatesOfAFleet, AsAQualityAreMaximisedAndAsADeviceRefused) {
  const World world("fbnet");
  const Predictor fpga = *world.objective("proxy:fpga", Direction::minimise).model;
  const Objective rate = objective_of("rate", as_rate(fpga, {0.01}), "images/s", Direction::maximise);
  const Objective latency = world.objective("proxy:pixel3", Direction::minimise);
  const double limit = 12;
  const auto expected = run(ExactSearch(), {world.part, nullptr, {rate, latency}}, latency_limits({limit}));
  const FleetSearch fleet(world.space, rate);
  const auto found = fleet.best(std::span(latency.model.get(), 1), std::span(&limit, 1), Backend::cpu);
  ASSERT_FALSE(expected.best[0].empty());
  EXPECT_NEAR(found[0].quality, expected.best[0][0].values[0], 1e-9);
  EXPECT_LE(found[0].latency, limit);
  EXPECT_THAT(error_of([&] { fleet.best(std::span(rate.model.get(), 1), std::span(&limit, 1), Backend::cpu); }),
              HasSubstr("does not add up"));
}

TEST_F(Rates, TheRecordSaysWhichWayIsBetter) {
  TemporaryFolder folder;
  AdditivePredictor table = std::get<AdditivePredictor>(*rate.model);
  table.unit = "images/s";
  table.record["direction"] = to_string(Direction::maximise);
  save_predictor(folder / "tpu.h5", table);
  const ObjectiveSources sources{world.space, nullptr, "", folder / "", Backend::cpu};
  const auto found = make_objective(sources, "table:tpu.h5", "objectives", std::nullopt);
  EXPECT_TRUE(found.maximised());
  EXPECT_EQ(found.unit, "images/s");
  EXPECT_TRUE(make_objective(sources, "table:tpu.h5", "quality", Direction::maximise).maximised());
  EXPECT_THAT(error_of([&] { make_objective(sources, "table:tpu.h5", "latency", Direction::minimise); }),
              HasSubstr("\"table:tpu.h5\" is to be maximised, as its file says"));
  std::vector<double> by_definition(1), by_model(1);
  const std::vector<std::uint8_t> one = {3, 3, 3, 3, 3, 3};
  found.evaluate(one, by_definition);
  rate.evaluate(one, by_model);
  EXPECT_NEAR(by_definition[0], by_model[0], 1e-9);
}

}  // namespace
}  // namespace oneproxy
