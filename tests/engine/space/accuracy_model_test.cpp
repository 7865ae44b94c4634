#include "oneproxy/engine/space/accuracy_model.h"

#include <gmock/gmock.h>

#include <cmath>

#include "oneproxy/engine/predictor/accuracy_fit.h"
#include "oneproxy/engine/search/objective.h"
#include "oneproxy/engine/space/subspace.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

AccuracyModel some_model() {
  AccuracyModel model{"accel_nasbench", "metric:val_top1", "%", "somewhere", "MIT", 40, 0.6, {}};
  for (int s = 0; s < 7; ++s) {
    const double k = s + 1;
    model.stages.push_back({0.5 * k, 0.1 * k, 0.05 * k, 0.2 * k, 0.25 * k, 0.15 * k, 0.025 * k});
  }
  return model;
}

std::vector<std::uint8_t> random_choices(const SearchSpace& space, int n) {
  const Philox random{7, 1};
  std::vector<std::uint8_t> all;
  std::uint64_t draw = 0;
  for (int i = 0; i < n; ++i)
    for (const auto radix : space.radices()) all.push_back(static_cast<std::uint8_t>(random.below(draw++, radix)));
  return all;
}

TEST(AccuracyModel, GainsOfALayerAreThoseOfTheEquation) {
  const auto model = some_model();
  Operation layer{"", "mbconv", 5, 6};
  const double x = std::log(6.0);
  // Stage 3 (k = 3): first layer b1 (x + a / b) + c1, second a + b x + c, third decay times that.
  EXPECT_NEAR(model.gain(2, 0, layer), 1.5 * (x + 0.8) + 0.3, 1e-12);
  EXPECT_NEAR(model.gain(2, 1, layer), 0.6 + 0.75 * x + 0.45, 1e-12);
  EXPECT_NEAR(model.gain(2, 2, layer), 0.6 * (0.6 + 0.75 * x + 0.45), 1e-12);
  layer.repeats = 3;
  layer.squeeze_excitation = true;
  EXPECT_NEAR(model.gain(2, 0, layer), 1.5 * (x + 0.8) + 0.3 + 0.15 + (1 + 0.6) * (0.6 + 0.75 * x + 0.45 + 0.075),
              1e-12);
  layer = {"", "mbconv", 3, 1, 2};  // two groups: half an expansion
  EXPECT_NEAR(model.gain(0, 1, layer), 0.2 - 0.25 * std::log(2.0), 1e-12);
  EXPECT_EQ(model.gain(0, 0, {"", "skip"}), 0);
}

TEST(AccuracyModel, KnowsWhereTheLayersOfASpaceStand) {
  const auto stages = [](const std::string& name) {
    std::vector<std::pair<int, int>> all;
    for (const auto& place : layer_places(SearchSpace::load(name))) all.push_back({place.stage, place.position});
    return all;
  };
  const auto fbnet = stages("fbnet");
  EXPECT_EQ(fbnet.front(), (std::pair{0, 0}));
  EXPECT_EQ(fbnet[1], (std::pair{1, 0}));
  EXPECT_EQ(fbnet[4], (std::pair{1, 3}));
  EXPECT_EQ(fbnet.back(), (std::pair{6, 0}));
  EXPECT_EQ(stages("proxylessnas").front(), (std::pair{1, 0}));  // its first block is fixed
  EXPECT_EQ(stages("proxylessnas").back(), (std::pair{6, 0}));
  const auto ofa = stages("ofa_mbv3");
  EXPECT_EQ(ofa[0], (std::pair{-1, 0}));  // the resolution
  EXPECT_EQ(ofa[1], (std::pair{1, 0}));
  EXPECT_EQ(ofa.back(), (std::pair{5, 3}));
  const auto accel = stages("accel_nasbench");
  for (int s = 0; s < 7; ++s) EXPECT_EQ(accel[s], (std::pair{s, 0}));
}

TEST(AccuracyModel, RefusesSpacesItSaysNothingOf) {
  EXPECT_TRUE(has_accuracy_model(SearchSpace::load("fbnet")));
  EXPECT_FALSE(has_accuracy_model(SearchSpace::load("nasbench201")));
  EXPECT_FALSE(has_accuracy_model(SearchSpace::load("ofa_mbv3")));
  EXPECT_EQ(proposed_quality(SearchSpace::load("fbnet")), "model:accuracy");
  EXPECT_EQ(proposed_quality(SearchSpace::load("ofa_mbv3")), "model:macs");
  EXPECT_THAT(error_of([] { layer_places(SearchSpace::load("nasbench201")); }),
              testing::AllOf(HasSubstr("model:accuracy"), HasSubstr("nasbench201"), HasSubstr("no chain")));
  EXPECT_THAT(error_of([] { accuracy_table(SearchSpace::load("ofa_mbv3"), shipped_accuracy_model()); }),
              HasSubstr("resolution"));
}

TEST(AccuracyModel, IsMaximisedAndTheSameByRowsAndByTable) {
  const auto space = SearchSpace::load("fbnet");
  const ObjectiveSources sources{space, nullptr, "", "", Backend::cpu};
  const auto objective = make_objective(sources, kAccuracyModel, "quality", std::nullopt);
  EXPECT_TRUE(objective.maximised());
  EXPECT_TRUE(objective.is_stand_in);
  EXPECT_THAT(error_of([&] { make_objective(sources, kAccuracyModel, "latency", Direction::minimise); }),
              HasSubstr("is to be maximised"));
  const auto choices = random_choices(space, 20);
  std::vector<double> by_table(20);
  objective.evaluate(choices, by_table);
  const auto by_rows = accuracies(space, shipped_accuracy_model(), choices);
  for (int i = 0; i < 20; ++i) EXPECT_NEAR(by_rows[i], by_table[i], 1e-10);
}

// The model that made the accuracies is found again: gains, decay and intercept.
TEST(AccuracyModel, FindsTheModelThatMadeTheAccuracies) {
  const auto space = SearchSpace::load("accel_nasbench");
  const auto model = some_model();
  const auto choices = random_choices(space, 2000);
  std::vector<double> accuracy(2000);
  accuracy_table(space, model).predict(choices, accuracy);
  accuracy[3] = std::nan("");  // was never trained
  const auto found = fit_accuracy_model(space, choices, accuracy);
  EXPECT_DOUBLE_EQ(found.decay, 0.6);
  EXPECT_NEAR(found.intercept, 40, 1e-3);
  for (int s = 0; s < 7; ++s) {
    EXPECT_NEAR(found.stages[s].first_expansion, model.stages[s].first_expansion, 1e-4) << s;
    EXPECT_NEAR(found.stages[s].repeated, model.stages[s].repeated, 1e-4) << s;
    EXPECT_NEAR(found.stages[s].expansion, model.stages[s].expansion, 1e-4) << s;
    EXPECT_NEAR(found.stages[s].kernel, model.stages[s].kernel, 1e-4) << s;
    EXPECT_NEAR(found.stages[s].squeeze_excitation, model.stages[s].squeeze_excitation, 1e-4) << s;
  }
}

TEST(AccuracyModel, NeverGivesALayerANegativeGain) {
  const auto space = SearchSpace::load("accel_nasbench");
  const auto choices = random_choices(space, 500);
  std::vector<double> accuracy(500);
  accuracy_table(space, some_model()).predict(choices, accuracy);
  for (double& value : accuracy) value = 100 - value;  // as if every layer did harm
  const auto found = fit_accuracy_model(space, choices, accuracy);
  for (const double gain : accuracy_gains(space, found)) EXPECT_GE(gain, 0);
}

TEST(AccuracyModel, RefusesTooFewOrEqualAccuracies) {
  const auto space = SearchSpace::load("accel_nasbench");
  const auto choices = random_choices(space, 100);
  std::vector<double> accuracy(100, 60.0);
  EXPECT_THAT(error_of([&] { fit_accuracy_model(space, choices, accuracy); }), HasSubstr("are equal"));
  accuracy[0] = std::nan("");
  EXPECT_THAT(error_of([&] { fit_accuracy_model(space, choices, accuracy); }), HasSubstr("it needs 100"));
  EXPECT_THAT(error_of([&] { fit_accuracy_model(SearchSpace::load("proxylessnas"), {}, {}); }),
              HasSubstr("seven stages"));
}

TEST(AccuracyModel, ReadsBackWhatItWrote) {
  const TemporaryFolder folder;
  const auto model = some_model();
  const auto read = read_accuracy_model(folder.write("m.toml", to_toml(model)));
  EXPECT_EQ(to_toml(read), to_toml(model));
  EXPECT_EQ(read.stages.size(), 7u);
  auto text = to_toml(model);
  text.resize(text.rfind("[[stage]]"));
  EXPECT_THAT(error_of([&] { read_accuracy_model(folder.write("six.toml", text)); }), HasSubstr("a model has seven"));
}

// What the model is for: a network that skips half of its layers is no winner, and FBNet's own networks are in order.
TEST(AccuracyModel, RanksFbnetsOwnNetworks) {
  const auto space = SearchSpace::load("fbnet");
  const auto table = accuracy_table(space, shipped_accuracy_model());
  const auto accuracy = [&](const std::string& arch) {
    double value = 0;
    table.predict(space.parse(arch), std::span(&value, 1));
    return value;
  };
  const double a = accuracy(
      "skip|k3_e3|k3_e1|skip|skip|k5_e6|k3_e3|k5_e1|k3_e3|k5_e6|k5_e3|k5_e1_g2|k5_e6|k3_e6|k5_e1_g2|k5_e1|k3_e1_g2|"
      "k5_e6|k5_e6|k5_e3|k5_e6|k5_e6");
  const double b = accuracy(
      "k3_e1|k3_e6|k5_e1|k3_e1|k3_e1|k5_e6|k5_e3|k3_e6|k5_e6|k5_e6|k5_e1|skip|k5_e3|k5_e6|k3_e1|k5_e1|k5_e3|k5_e6|"
      "k5_e1|k5_e6|k5_e6|k3_e6");
  const double c = accuracy(
      "k3_e1|k3_e6|skip|k3_e1|k3_e1|k5_e6|k5_e3|k5_e6|k3_e6|k5_e6|k5_e3|k5_e6|k5_e6|k5_e6|k5_e6|k5_e6|k5_e3|k5_e6|"
      "k5_e6|k5_e6|k5_e6|k3_e6");
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
}

}  // namespace
}  // namespace oneproxy
