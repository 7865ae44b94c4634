// An optimizer that is asked about devices in their own units. The network is not trained: what is promised of its
// answers does not hang on that.
#include "oneproxy/engine/optimizer/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "oneproxy/engine/fleet/generator.h"
#include "oneproxy/engine/optimizer/proposals.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"
#include "tests/engine/search/world.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

class AnOptimizer : public testing::TestWithParam<const char*> {
 protected:
  Fleet fleet{GetParam()};
  const SearchSpace& space = fleet.space();
  LatencyBasis basis{Sources(fleet.shared_features, fleet.sources(5))};
  DeviceGenerator generator{basis};
  std::vector<double> weights = generator.draw(40, 1);
  std::vector<Objective> qualities = {random_mlp(space, 8, 1), random_mlp(space, 8, 2)};

  SavedOptimizer saved(bool energy = false) const {
    SavedOptimizer o;
    o.space = space.name();
    o.space_checksum = space.checksum();
    o.radices.assign(space.radices().begin(), space.radices().end());
    o.latency = fit_coordinates(basis.reference(), basis.values(weights), basis.n_reference(), 6);
    if (energy)
      o.energy =
          fit_coordinates(basis.reference(), basis.values(generator.draw_physics(40, 1)), basis.n_reference(), 4);
    o.inputs = {true, o.latency.n_coordinates() + o.energy.n_coordinates(), 2, energy};
    const PolicySteps steps(space, o.inputs);
    o.shape = steps.shape({8}, {8});
    o.parameters = random_parameters(o.shape, steps.active_step_inputs(), 3);
    o.qualities = {"a", "b"};
    o.spreads = {1, 2};
    return o;
  }
  // Device 0 of the training, in milliseconds: 40 + 5 f.
  Predictor device_ms() const {
    auto device = basis.predictors(std::span(weights).first(basis.n_columns()))[0];
    if (auto* table = std::get_if<IndexTable>(&device))
      for (double& value : table->values) value = 40 + 5 * value;
    if (auto* table = std::get_if<AdditivePredictor>(&device)) {
      for (double& value : table->weights) value *= 5;
      for (double& value : table->bias) value = 40 + 5 * value;
    }
    return device;
  }
  double predicted(const Predictor& predictor, std::span<const std::uint8_t> choices) const {
    double value = 0;
    predict(predictor, choices, std::span(&value, 1));
    return value;
  }
};

TEST_P(AnOptimizer, AnswersInTheDevicesUnits) {
  const Optimizer optimizer(saved(), space, qualities, "test.h5");
  const auto latency = device_ms();
  const auto device = optimizer.device(latency);
  EXPECT_EQ(device.remark, "");
  EXPECT_NEAR(device.latency.mean, 40, 1e-6);
  for (const int proposals : {1, 10}) {
    const auto answer = optimizer.answer(device, {.quality = 1, .limit = 38.0, .proposals = proposals});
    ASSERT_FALSE(answer.choices.empty());
    EXPECT_TRUE(space.valid(answer.choices));
    EXPECT_LE(answer.latency, 38.0 + 1e-9);
    EXPECT_NEAR(answer.latency, predicted(latency, answer.choices), 1e-9);
    EXPECT_NEAR(answer.quality, values_of(qualities[1], answer.choices, 1)[0], 1e-12);
  }
  // The best of its proposals.
  const Optimizer::Question question{.quality = 0, .limit = 39.0, .proposals = 20};
  const auto best = optimizer.answer(device, question);
  for (const auto& one : optimizer.propose(device, question)) {
    EXPECT_LE(values_of(qualities[0], one, 1)[0], best.quality + 1e-12);
  }
}

// The sum of the weights of a preference does not matter.
TEST_P(AnOptimizer, TakesPreferences) {
  const Optimizer optimizer(saved(), space, qualities, "test.h5");
  const auto device = optimizer.device(device_ms());
  const auto a = optimizer.answer(device, {.preference = {0.7, 0.3, 0}});
  const auto b = optimizer.answer(device, {.preference = {7, 3, 0}});
  EXPECT_EQ(a.choices, b.choices);
  EXPECT_THAT(error_of([&] {
                optimizer.answer(device, {.preference = {0.5, 0, 0.5}});
              }),
              HasSubstr("trained without energy"));
  EXPECT_THAT(error_of([&] { optimizer.answer(device, {.preference = {1, -1, 0}}); }), HasSubstr("weight of latency"));
  EXPECT_THAT(error_of([&] { optimizer.answer(device, {}); }), HasSubstr("all 0"));
}

TEST_P(AnOptimizer, WeighsAnEnergy) {
  const Optimizer optimizer(saved(true), space, qualities, "test.h5");
  const auto latency = device_ms();
  const auto energy = basis.predictors(generator.draw_physics(1, 9))[0];
  EXPECT_THAT(error_of([&] { optimizer.device(latency); }), HasSubstr("give the device's energy"));
  const auto answer = optimizer.answer(optimizer.device(latency, &energy), {.preference = {0.4, 0.3, 0.3}});
  EXPECT_NEAR(answer.energy, predicted(energy, answer.choices), 1e-6);
  const Optimizer without(saved(), space, qualities, "test.h5");
  EXPECT_THAT(error_of([&] { without.device(latency, &energy); }), HasSubstr("trained without"));
}

TEST_P(AnOptimizer, NamesTheCheapestArchitectureWhereALimitIsBelowIt) {
  const Optimizer optimizer(saved(), space, qualities, "test.h5");
  const auto message = error_of([&] { optimizer.answer(optimizer.device(device_ms()), {.limit = -1000.0}); });
  EXPECT_THAT(message, HasSubstr("the limit -1e+03 is below the device's cheapest architecture"));
  EXPECT_THAT(message, HasSubstr("raise the limit"));
  EXPECT_THAT(error_of([&] { optimizer.answer(optimizer.device(device_ms()), {.limit = std::nan("")}); }),
              HasSubstr("not a number"));
}

TEST_P(AnOptimizer, SaysWhenADeviceIsUnlikeAllOfItsTraining) {
  auto strange = device_ms();
  if (auto* table = std::get_if<IndexTable>(&strange))
    for (std::size_t i = 0; i < table->values.size(); ++i) table->values[i] += i % 2 ? 100 : -100;
  if (auto* table = std::get_if<AdditivePredictor>(&strange))
    for (std::size_t i = 0; i < table->weights.size(); ++i) table->weights[i] += i % 2 ? 100 : -100;
  const Optimizer optimizer(saved(), space, qualities, "test.h5");
  EXPECT_THAT(optimizer.device(strange).remark, HasSubstr("far from all devices"));
}

TEST_P(AnOptimizer, RefusesWhatIsNotItsOwn) {
  EXPECT_THAT(error_of([&] { Optimizer(saved(), space, {qualities[0]}, "test.h5"); }),
              HasSubstr("so many qualities: 2; given are 1"));
  const SearchSpace other = SearchSpace::load("mobilenetv2");
  EXPECT_NE(error_of([&] { Optimizer(saved(), other, qualities, "test.h5"); }), "");
  const Optimizer optimizer(saved(), space, qualities, "test.h5");
  IndexTable table;
  table.space = "elsewhere";
  EXPECT_NE(error_of([&] { optimizer.device(table); }), "");
}

TEST_P(AnOptimizer, ProposesStartsForASearch) {
  const SubSpace part(space);
  Objective latency{
      "latency_ms", "made up", "ms", Direction::minimise, false, std::make_shared<const Predictor>(device_ms()), {}};
  latency.evaluate = [&](std::span<const std::uint8_t> choices, std::span<double> values) {
    predict(*latency.model, choices, values);
  };
  const SearchProblem problem{part, nullptr, {qualities[0], latency}};
  const auto limits = latency_limits({38, 42});
  const auto starts = proposals_for(problem, limits, saved(), "b", 12, 5, "test.h5");
  ASSERT_EQ(starts.size(), 2u);
  for (std::size_t l = 0; l < 2; ++l) {
    EXPECT_GT(starts[l].size(), 4u);
    for (const auto& one : starts[l]) EXPECT_LE(predicted(*latency.model, one), limits[l].bounds[1] + 1e-9);
  }
  EXPECT_THAT(error_of([&] { proposals_for(problem, limits, saved(), "", 12, 5, "test.h5"); }),
              HasSubstr("say which of them is meant"));
  const std::vector<Limits> of_quality = {{{0.5, kNan}}};
  EXPECT_THAT(error_of([&] { proposals_for(problem, of_quality, saved(), "b", 12, 5, "test.h5"); }),
              HasSubstr("limit on the latency alone"));
}

INSTANTIATE_TEST_SUITE_P(Spaces, AnOptimizer, testing::Values("nasbench201", "fbnet", "ofa_mbv3"));

}  // namespace
}  // namespace oneproxy
