#include "oneproxy/engine/adapt/calibrate_limits.h"

#include <gmock/gmock.h>

#include <cmath>

#include "oneproxy/engine/adapt/front_answers.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/adapt/made_up_fleet.h"

namespace oneproxy {
namespace {

const MethodSettings& bayes() {
  static const MethodChoice method("bayes");
  return method.settings();
}

LimitCalibrations both_calibrated(const Sources& sources, int n_measured = 20) {
  return calibrate_limits(sources, bayes(), bayes().learn(sources, 1), n_measured, 1);
}
LimitCalibration calibrated(const Sources& sources, int n_measured = 20) {
  return both_calibrated(sources, n_measured).over_rows;
}

// Whether answers keep a limit as often as promised, on a device that was no source: the errors of its own answers.
TEST(CalibrateLimits, CoversADeviceThatItDidNotSee) {
  for (const char* name : {"fbnet", "nasbench201"}) {
    const Fleet fleet(name, 400, 0.2);
    const auto all_seen = both_calibrated(Sources(fleet.shared_features, fleet.sources(4)));
    auto others = fleet.sources(5);
    std::rotate(others.begin(), others.end() - 1, others.end());  // the fifth plays first
    const auto all_own = both_calibrated(Sources(fleet.shared_features, {others.begin(), others.begin() + 3}));
    const bool sums = std::string(name) == "fbnet";
    EXPECT_EQ(all_seen.over_space.errors.empty(), !sums);
    for (const auto which : {&LimitCalibrations::over_rows, &LimitCalibrations::over_space}) {
      const auto &seen = all_seen.*which, &own = all_own.*which;
      if (seen.errors.empty()) continue;
      EXPECT_EQ(seen.n_devices, 4);
      double below = 0;
      for (const double error : own.errors) below += error <= seen.spreads(0.9);
      EXPECT_GT(below / static_cast<double>(own.errors.size()), 0.85) << name;
      EXPECT_LT(seen.spreads(0.9), 3) << name;
    }
  }
}

TEST(CalibrateLimits, IsWiderWhereDevicesAreOtherwise) {
  Fleet fleet("nasbench201", 400);
  const auto alike = calibrated(Sources(fleet.shared_features, fleet.sources(4)));
  // Each device has jumps that no feature explains, and few measurements show.
  const Philox random{9, 0};
  for (int d = 0; d < 4; ++d)
    for (int i = 0; i < 400; ++i)
      if (random.uniform(d * 400 + i) < 0.08) fleet.devices[d][i] *= 3;
  const auto otherwise = calibrated(Sources(fleet.shared_features, fleet.sources(4)));
  EXPECT_GT(otherwise.spreads(0.95), alike.spreads(0.95));
}

TEST(CalibrateLimits, TheSameAnyTime) {
  const Fleet fleet("nasbench201");
  const Sources sources(fleet.shared_features, fleet.sources(4));
  EXPECT_EQ(calibrated(sources).errors, calibrated(sources).errors);
}

TEST(CalibrateLimits, SaysWhereItLearntNothing) {
  const Fleet fleet("nasbench201", 60);
  const auto stated = stated_calibration().errors;
  EXPECT_EQ(calibrated(Sources(fleet.shared_features, fleet.sources(2))).errors, stated);
  EXPECT_EQ(calibrated(Sources(fleet.shared_features)).errors, stated);
  // Too few measurements to measure 40 of them and search the others; a method that knows no posterior.
  EXPECT_EQ(calibrated(Sources(fleet.shared_features, fleet.sources(4)), 40).n_devices, 0);
  const MethodChoice adaproxy("adaproxy");
  const Sources sources(fleet.shared_features, fleet.sources(4));
  const auto& settings = adaproxy.settings();
  EXPECT_EQ(calibrate_limits(sources, settings, settings.learn(sources, 1), 20, 1).over_rows.errors, stated);
}

// A corner of the front is the best at its own latency, and there is none between it and the limit.
TEST(FrontAnswers, AreOnTheFront) {
  for (const char* name : {"fbnet", "ofa_mbv3"}) {
    const auto space = SearchSpace::load(name);
    const std::vector<std::uint8_t> radices(space.radices().begin(), space.radices().end());
    std::size_t width = 0;
    for (const auto radix : radices) width += radix;
    const std::size_t n_tables = space.resolutions().empty() ? 1 : radices[0];
    const Philox random{4, 0};
    std::uint64_t draw = 0;
    const auto table = [&](std::size_t tables) {
      AdditivePredictor made{space.name(), radices, "", "", {}, {}, {}};
      for (std::size_t i = 0; i < tables * width; ++i)
        made.weights.push_back(tables > 1 && i % width < radices[0] ? 0 : random.uniform(draw++));
      for (std::size_t t = 0; t < tables; ++t) made.bias.push_back(1 + random.uniform(draw++));
      return made;
    };
    const auto goal = table(n_tables), latency = table(n_tables);
    const std::vector<double> limits = {0.1, 8, 11, 14};  // nothing keeps the first
    const auto answers = front_answers(goal, latency, limits);
    ASSERT_EQ(answers.size(), 3 * radices.size()) << name;
    std::vector<double> values(3), takes(3);
    goal.predict(answers, values);
    latency.predict(answers, takes);
    const std::vector<std::uint32_t> digits(radices.begin(), radices.end());
    std::vector<ExactLimits> own;
    for (int i = 0; i < 3; ++i) {
      EXPECT_LE(takes[i], limits[i + 1]);
      own.push_back({takes[i] * (1 + 1e-9)});
    }
    const auto best = search_exactly({digits, latency.table(), goal.table(), std::nullopt}, own, {});
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(best.best[i][0].quality, values[i], 1e-9) << name;
  }
}

}  // namespace
}  // namespace oneproxy
