#include "oneproxy/engine/adapt/adaproxy/rounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

// 400 architectures whose latency is linear plus noise. Counts what is read.
struct Bench {
  AdditivePredictor proxy{"", std::vector<std::uint8_t>(4, 4), "", "ms", {}, {0}, {}};
  std::vector<std::uint8_t> choices;
  std::vector<double> latency_ms;
  std::vector<std::int64_t> candidates, seen;  // seen: rows measured, in order
  std::function<bool(std::size_t)> fails = [](std::size_t) { return false; };

  explicit Bench(double noise) {
    const Philox random{17, 0};
    std::uint64_t draw = 0;
    std::vector<double> target;
    for (int j = 0; j < 16; ++j) {
      proxy.weights.push_back(random.uniform(draw++) - 0.5);
      target.push_back(proxy.weights.back() * (0.2 + random.uniform(draw++)));
    }
    for (int i = 0; i < 400; ++i) {
      double latency = 10 + noise * (random.uniform(draw++) - 0.5);
      for (int d = 0; d < 4; ++d) {
        choices.push_back(static_cast<std::uint8_t>(random.below(draw++, 4)));
        latency += target[4 * d + choices.back()];
      }
      latency_ms.push_back(latency);
    }
    candidates = random_permutation(400, Philox{5, 0});
  }

  RoundsResult run(const RoundsPlan& plan) {
    seen.clear();
    std::set<std::int64_t> measured;
    return adapt_in_rounds(
        proxy, 1, Norm::l2, plan, candidates,
        [&](std::int64_t row) {
          EXPECT_TRUE(measured.contains(row)) << "choices of row " << row << " read before it was measured";
          return std::span<const std::uint8_t>(choices).subspan(4 * row, 4);
        },
        [&](std::span<const std::int64_t> rows) {
          std::vector<double> values;
          for (const std::int64_t row : rows) {
            const bool failed = fails(seen.size());
            seen.push_back(row);
            measured.insert(row);
            values.push_back(failed ? std::numeric_limits<double>::quiet_NaN() : latency_ms[row]);
          }
          return values;
        });
  }
};

constexpr RoundsPlan kPlan{30, 10, 20, 100, 0.9};
constexpr double kNever = 2;  // no correlation reaches it

std::vector<std::int64_t> first(const std::vector<std::int64_t>& rows, std::size_t n) {
  return {rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(n)};
}

TEST(Rounds, StopsAtTheThresholdAfterOneRound) {
  Bench bench(0);
  const RoundsResult result = bench.run(kPlan);
  EXPECT_TRUE(result.reached);
  EXPECT_EQ(result.rounds, 1);
  EXPECT_GE(result.check_srcc, 0.9);
  EXPECT_EQ(result.measured, first(bench.candidates, 60));
  EXPECT_EQ(result.measured, bench.seen);
}

TEST(Rounds, TheThresholdItselfIsReached) {
  Bench bench(1);
  RoundsPlan plan = kPlan;
  plan.threshold = kNever;
  plan.max_samples = 60;
  const double srcc = bench.run(plan).check_srcc;
  plan.threshold = srcc;
  EXPECT_TRUE(bench.run(plan).reached);
  plan.threshold = std::nextafter(srcc, 2);
  EXPECT_FALSE(bench.run(plan).reached);
}

TEST(Rounds, CheckSamplesJoinTheTrainingSamplesUpToTheCap) {
  Bench bench(1);
  RoundsPlan plan = kPlan;
  plan.threshold = kNever;
  const RoundsResult result = bench.run(plan);  // 40 + 3 x 20
  EXPECT_FALSE(result.reached);
  EXPECT_EQ(result.rounds, 3);
  EXPECT_EQ(result.measured, first(bench.candidates, 100));

  // The last predictor: trained on the first 30 and the first two checks, validated on rows 30 .. 39.
  TrainingSamples training;
  ValidationSamples validation;
  std::vector<double> check, predicted(20);
  std::vector<std::uint8_t> check_choices;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::int64_t row = result.measured[i];
    auto& to = i >= 80 ? check_choices : i >= 30 && i < 40 ? validation.choices : training.choices;
    to.insert(to.end(), bench.choices.begin() + 4 * row, bench.choices.begin() + 4 * row + 4);
    (i >= 80 ? check : i >= 30 && i < 40 ? validation.values : training.values).push_back(bench.latency_ms[row]);
  }
  const AdaproxyResult expected = adapt_adaproxy(bench.proxy, 1, training, validation, Norm::l2);
  EXPECT_EQ(result.adapted.predictor.weights, expected.predictor.weights);
  expected.predictor.predict(check_choices, predicted);
  EXPECT_EQ(result.check_srcc, spearman(predicted, check, Backend::cpu).value);
}

TEST(Rounds, TheLastBatchMayBeSmallButNotTiny) {
  Bench bench(1);
  RoundsPlan plan = kPlan;
  plan.threshold = kNever;
  plan.max_samples = 65;
  EXPECT_EQ(bench.run(plan).measured.size(), 65u);
  plan.max_samples = 64;
  const RoundsResult result = bench.run(plan);
  EXPECT_EQ(result.measured.size(), 60u);
  EXPECT_EQ(result.rounds, 1);
}

TEST(Rounds, FailedMeasurementsAreReplacedAndCount) {
  Bench bench(0);
  bench.fails = [](std::size_t i) { return i < 12 || i == 50; };
  const RoundsResult result = bench.run(kPlan);
  EXPECT_TRUE(result.reached);
  EXPECT_EQ(result.measured, first(bench.candidates, 73));
}

TEST(Rounds, NeverMeasuresMoreThanTheCap) {
  for (const int max_samples : {60, 61, 77, 99}) {
    for (const int every : {2, 3, 7}) {
      Bench bench(1);
      bench.fails = [every](std::size_t i) { return i > 40 && i % every == 0; };
      RoundsPlan plan = kPlan;
      plan.threshold = kNever;
      plan.max_samples = max_samples;
      EXPECT_LE(bench.run(plan).measured.size(), static_cast<std::size_t>(max_samples));
      EXPECT_LE(bench.seen.size(), static_cast<std::size_t>(max_samples));
    }
  }
}

TEST(Rounds, AnUndefinedCheckNeverReaches) {
  Bench bench(0);
  bench.fails = [](std::size_t i) { return i >= 42; };  // two check samples only
  const RoundsResult result = bench.run(kPlan);
  EXPECT_FALSE(result.reached);
  EXPECT_TRUE(std::isnan(result.check_srcc));

  Bench constant(0);
  for (std::size_t i = 40; i < 400; ++i) constant.latency_ms[constant.candidates[i]] = 1;
  RoundsPlan plan = kPlan;
  plan.threshold = -1;
  plan.max_samples = 60;
  EXPECT_FALSE(constant.run(plan).reached);
}

TEST(Rounds, RefusesWhatCanNotRun) {
  Bench bench(0);
  const auto with = [](const auto& change) {
    RoundsPlan plan = kPlan;
    change(plan);
    return plan;
  };
  EXPECT_THROW(bench.run(with([](RoundsPlan& p) { p.max_samples = 59; })), Error);
  EXPECT_THROW(bench.run(with([](RoundsPlan& p) { p.training_samples = 2; })), Error);
  EXPECT_THROW(bench.run(with([](RoundsPlan& p) { p.validation_samples = 1; })), Error);
  EXPECT_THROW(bench.run(with([](RoundsPlan& p) { p.check_samples = 4; })), Error);
  EXPECT_THROW(bench.run(with([](RoundsPlan& p) { p.threshold = std::nan(""); })), Error);
  EXPECT_TRUE(bench.seen.empty());
  bench.candidates.resize(59);
  EXPECT_THROW(bench.run(kPlan), Error);

  Bench broken(0);
  broken.fails = [](std::size_t) { return true; };
  EXPECT_THROW(broken.run(kPlan), Error);
  EXPECT_EQ(broken.seen.size(), 100u);
}

}  // namespace
}  // namespace oneproxy
