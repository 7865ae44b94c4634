#include "oneproxy/engine/front_loop/front_loop.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/search/front.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;
using Network = std::vector<std::uint8_t>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const Fleet& shared_fleet() {
  static const Fleet fleet("nasbench201");
  return fleet;
}

// Device 4 of a made-up fleet is the target; the others are its sources. Networks are the 300 of the fleet.
class FrontLoopTest : public testing::Test {
 protected:
  FrontLoopTest() {
    quality_.name = quality_.label = "accuracy";
    quality_.unit = "%";
    quality_.direction = Direction::maximise;
    const std::size_t width = fleet_.space().radices().size();
    const Philox random{11, 0};
    for (std::size_t i = 0; i < fleet_.devices[0].size(); ++i) {
      const Network network(&fleet_.choices[i * width], &fleet_.choices[i * width] + width);
      if (!row_.try_emplace(network, i).second) continue;  // drawn before
      listed_.insert(listed_.end(), network.begin(), network.end());
      accuracy_[network] = 60 + 3 * std::sqrt(fleet_.devices[2][i]) + 4 * random.uniform(i);
    }
    quality_.evaluate = [this, width](std::span<const std::uint8_t> choices, std::span<double> values) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto at = accuracy_.find({&choices[i * width], &choices[i * width] + width});
        values[i] = at == accuracy_.end() ? kNan : at->second;
      }
    };
  }

  MeasuredObjective measured(int n_sources, const std::string& name = "latency_ms") const {
    // What is learnt from the sources is the same for every test.
    static std::map<std::pair<int, std::string>, MeasuredObjective> made;
    if (const auto at = made.find({n_sources, name}); at != made.end()) return at->second;
    auto objective = measured_objective({name, name, name == "latency_ms" ? "ms" : "mJ", Direction::minimise},
                                        Sources(fleet_.shared_features, fleet_.sources(n_sources)), 1);
    return made.emplace(std::pair{n_sources, name}, std::move(objective)).first->second;
  }
  FrontLoop loop(FrontLoopSettings settings = {}, int n_sources = 4) const {
    return {{fleet_.shared_features, {measured(n_sources)}, quality_, candidates()}, std::move(settings)};
  }
  std::shared_ptr<const LoopCandidates> candidates() const {
    return listed_candidates(fleet_.space(), listed_, quality_, "the 300");
  }
  double latency(const Network& network) const { return fleet_.devices[4][row_.at(network)]; }
  std::vector<Network> networks(const LoopStep& step) const {
    std::vector<Network> all;
    const std::size_t width = fleet_.space().radices().size();
    for (std::size_t i = 0; i < step.measure.size(); i += width)
      all.emplace_back(&step.measure[i], &step.measure[i] + width);
    return all;
  }
  // Plays the device until the loop is done, or so many steps.
  LoopStep play(FrontLoop& loop, int most_steps) const {
    auto step = loop.step();
    for (int k = 0; k < most_steps && !step.measure.empty(); ++k) {
      for (const auto& network : networks(step)) loop.tell(network, std::vector<double>{latency(network)});
      step = loop.step();
    }
    return step;
  }
  Network best_network() const {
    return std::max_element(accuracy_.begin(), accuracy_.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  }

  const Fleet& fleet_ = shared_fleet();
  Objective quality_;
  std::map<Network, std::size_t> row_;
  std::map<Network, double> accuracy_;
  std::vector<std::uint8_t> listed_;
};

TEST_F(FrontLoopTest, StartsWithTheBestNetworkAndProposesEachOnce) {
  auto loop = this->loop();
  auto step = loop.step();
  EXPECT_EQ(step.phase, LoopPhase::start);
  ASSERT_FALSE(step.measure.empty());
  EXPECT_EQ(networks(step).front(), best_network());
  std::set<Network> seen;
  for (int k = 0; k < 5 && step.phase != LoopPhase::confirm && step.phase != LoopPhase::done; ++k) {
    for (const auto& network : networks(step)) {
      EXPECT_TRUE(seen.insert(network).second);
      loop.tell(network, std::vector<double>{latency(network)});
    }
    step = loop.step();
  }
  EXPECT_GE(seen.size(), 15u);
}

TEST_F(FrontLoopTest, FindsTheFrontWithFewMeasurementsAndConfirmsIt) {
  FrontLoopSettings settings;
  settings.repeats = 2;
  auto loop = this->loop(settings);
  const auto step = play(loop, 60);
  EXPECT_EQ(step.phase, LoopPhase::done);
  EXPECT_NE(step.why_stop, "");
  EXPECT_LT(step.n_measured, 120);

  std::vector<double> latencies, accuracies;
  for (const auto& [network, accuracy] : accuracy_) {
    latencies.push_back(latency(network));
    accuracies.push_back(accuracy);
  }
  const Front truth = exact_front(latencies, accuracies, Backend::cpu);
  Front found;
  for (const auto& one : step.front) {
    found.push_back({0, one.values[0], one.quality});
    EXPECT_EQ(one.values[0], latency(one.choices));
    EXPECT_EQ(one.quality, accuracy_.at(one.choices));
    EXPECT_TRUE(one.repeats >= 2 || one.quality <= step.reference[1]);
  }
  const ReferencePoint box{truth.back().latency_ms, median_of(accuracies)};
  EXPECT_GT(hypervolume(found, box), 0.98 * hypervolume(truth, box));
}

TEST_F(FrontLoopTest, ABudgetKeepsRoomToMeasureTheAnswerAgain) {
  for (const int budget : {3, 24, 40}) {
    FrontLoopSettings settings;
    settings.budget = budget;
    settings.stop_gain = 0;
    auto loop = this->loop(settings);
    const auto step = play(loop, 100);
    EXPECT_EQ(step.phase, LoopPhase::done);
    EXPECT_LE(step.n_measurements, budget);
    EXPECT_GE(step.n_measurements, budget - 2) << step.why_stop;  // three for a new network may be too many
    for (const auto& one : step.front)
      EXPECT_TRUE(budget < 30 || one.repeats == 3 || one.quality <= step.reference[1]) << budget;
  }
}

TEST_F(FrontLoopTest, TheSameMeasurementsGiveTheSameStep) {
  auto first = loop(), second = loop();
  play(first, 3);
  std::vector<std::pair<Network, double>> told;
  auto again = loop();
  auto step = again.step();
  for (int k = 0; k < 3; ++k) {
    for (const auto& network : networks(step)) {
      told.emplace_back(network, latency(network));
      again.tell(network, std::vector<double>{latency(network)});
    }
    step = again.step();
  }
  for (const auto& [network, value] : told) second.tell(network, std::vector<double>{value});
  const auto a = first.step(), b = second.step();
  EXPECT_EQ(a.measure, b.measure);
  EXPECT_EQ(a.gains, b.gains);
  EXPECT_EQ(a.expected_gain, b.expected_gain);
}

TEST_F(FrontLoopTest, AnswersKeepTheirLimits) {
  std::vector<double> latencies;
  for (const auto& [network, accuracy] : accuracy_) latencies.push_back(latency(network));
  FrontLoopSettings settings;
  settings.repeats = 1;
  const double limit = quantile(latencies, 0.3), fastest = *std::min_element(latencies.begin(), latencies.end());
  settings.limits = {{limit}, {0.5 * fastest}};
  auto loop = this->loop(settings);
  const auto step = play(loop, 12);
  ASSERT_EQ(step.answers.size(), 2u);
  ASSERT_TRUE(step.answers[0].found);
  EXPECT_LE(step.answers[0].network.values[0], limit);
  double best = 0;
  for (const auto& [network, accuracy] : accuracy_)
    if (latency(network) <= limit) best = std::max(best, accuracy);
  EXPECT_NEAR(step.answers[0].network.quality, best, 0.5);
  // Nothing keeps the second: the nearest is said.
  EXPECT_FALSE(step.answers[1].found);
  for (const auto& one : step.front) EXPECT_GE(one.values[0], step.answers[1].network.values[0]);
}

TEST_F(FrontLoopTest, WhatFailsIsNotProposedAgain) {
  auto loop = this->loop();
  const auto failing = best_network();
  loop.tell(failing, std::vector<double>{kNan});
  auto step = loop.step();
  for (int k = 0; k < 5 && !step.measure.empty(); ++k) {
    for (const auto& network : networks(step)) {
      EXPECT_NE(network, failing);
      loop.tell(network, std::vector<double>{latency(network)});
    }
    step = loop.step();
  }
  EXPECT_GT(step.n_measured, 10);
}

TEST_F(FrontLoopTest, WithoutSourcesItStartsWithADesign) {
  auto loop = this->loop({}, 0);
  EXPECT_THAT(loop.step().start, HasSubstr("design over the space"));
  EXPECT_EQ(networks(loop.step()).front(), best_network());
  EXPECT_EQ(networks(loop.step()).size(), 10u);
  const auto step = play(loop, 4);
  EXPECT_EQ(step.phase, LoopPhase::rounds);
}

TEST_F(FrontLoopTest, GoesOnWhereTheStartTellsNothing) {
  auto loop = this->loop();
  for (int k = 0; k < 3; ++k)
    for (const auto& network : networks(loop.step())) loop.tell(network, std::vector<double>{5.0});
  const auto step = loop.step();
  EXPECT_EQ(step.phase, LoopPhase::start);
  EXPECT_EQ(networks(step).size(), 1u);
  ASSERT_FALSE(step.remarks.empty());
  EXPECT_EQ(step.remarks.back().kind, Remark::Kind::not_adapted);
}

TEST_F(FrontLoopTest, FewerCandidatesThanTheStartWantsAreAllMeasuredAndConfirmed) {
  const std::size_t width = fleet_.space().radices().size();
  const std::vector<std::uint8_t> few(listed_.begin(), listed_.begin() + static_cast<std::ptrdiff_t>(3 * width));
  for (const int n_sources : {4, 0}) {
    FrontLoop loop({fleet_.shared_features,
                    {measured(n_sources)},
                    quality_,
                    listed_candidates(fleet_.space(), few, quality_, "three")},
                   {});
    EXPECT_EQ(networks(loop.step()).size(), 3u) << n_sources;
    const auto step = play(loop, 20);
    EXPECT_EQ(step.phase, LoopPhase::done);
    EXPECT_THAT(step.why_stop, HasSubstr("every candidate was measured"));
    for (const auto& one : step.answers) EXPECT_EQ(one.network.repeats, 3);
  }
}

TEST_F(FrontLoopTest, WhereAllAboveTheFloorFailTheRestIsMeasured) {
  FrontLoopSettings settings;
  settings.floor = 0.9;
  auto loop = this->loop(settings);
  std::vector<double> qualities;
  for (const auto& [network, accuracy] : accuracy_) qualities.push_back(accuracy);
  const double floor = quantile(qualities, 0.9);
  int n_known = 0;
  for (const auto& [network, accuracy] : accuracy_) {
    if (accuracy > floor) loop.tell(network, std::vector<double>{kNan});
    if (accuracy < floor && n_known < 8) loop.tell(network, std::vector<double>{latency(network)}), ++n_known;
  }
  const auto step = loop.step();
  EXPECT_EQ(step.n_measured, 8);
  EXPECT_FALSE(step.phase == LoopPhase::start);
}

TEST_F(FrontLoopTest, SaysWhatAPersonShouldLookAt) {
  auto loop = this->loop();
  const auto first = networks(loop.step());
  for (const auto& network : first) loop.tell(network, std::vector<double>{latency(network)});
  loop.tell(first[0], std::vector<double>{2 * latency(first[0])});
  loop.tell(first[1], std::vector<double>{1000 * latency(first[1])});
  const auto step = loop.step();
  const auto has = [&](Remark::Kind kind) {
    return std::any_of(step.remarks.begin(), step.remarks.end(), [&](const Remark& one) { return one.kind == kind; });
  };
  EXPECT_TRUE(has(Remark::Kind::scattered_repeats));
  EXPECT_TRUE(has(Remark::Kind::outlier));
}

TEST_F(FrontLoopTest, ARateIsHandledAsTheTimeOfAnItem) {
  FrontLoopProblem problem{fleet_.shared_features, {measured(4)}, quality_, candidates()};
  problem.measured[0].quantity = {"fps", "throughput", "fps", Direction::maximise};
  FrontLoopSettings settings;
  settings.limits = {{1000 / 12.0}};
  FrontLoop rate(problem, settings);
  settings.limits = {{12.0}};
  auto time = loop(settings);
  for (int k = 0; k < 4; ++k) {
    const auto step = time.step();
    EXPECT_EQ(rate.step().measure, step.measure);
    for (const auto& network : networks(step)) {
      time.tell(network, std::vector<double>{latency(network)});
      rate.tell(network, std::vector<double>{1000 / latency(network)});
    }
  }
  const auto a = rate.step(), b = time.step();
  ASSERT_EQ(a.answers[0].found, b.answers[0].found);
  EXPECT_NEAR(a.answers[0].network.values[0], 1000 / b.answers[0].network.values[0], 1e-9);
}

TEST_F(FrontLoopTest, TwoQuantitiesAreMeasuredTogether) {
  FrontLoopProblem problem{fleet_.shared_features, {measured(4), measured(3, "energy_mj")}, quality_, candidates()};
  FrontLoopSettings settings;
  settings.repeats = 1;
  FrontLoop loop(problem, settings);
  auto step = loop.step();
  for (int k = 0; k < 12 && !step.measure.empty(); ++k) {
    for (const auto& network : networks(step))
      loop.tell(network, std::vector<double>{latency(network), fleet_.devices[3][row_.at(network)]});
    step = loop.step();
  }
  ASSERT_EQ(step.reference.size(), 3u);
  EXPECT_GT(step.front.size(), 3u);
  // No network of the front is beaten by another measured one in all three.
  for (const auto& a : step.front)
    for (const auto& b : step.front)
      EXPECT_FALSE(&a != &b && a.values[0] <= b.values[0] && a.values[1] <= b.values[1] && a.quality >= b.quality);
}

TEST_F(FrontLoopTest, AnUncertainQualityRaisesTheExpectedGain) {
  const auto& space = fleet_.space();
  const std::vector<std::uint8_t> radices(space.radices().begin(), space.radices().end());
  auto posterior = std::make_shared<Posterior>();
  const auto n = static_cast<std::size_t>(space.size());
  posterior->deviation = IndexTable{space.name(), radices, "", "%", std::vector<double>(n, 2.0), {}};
  FrontLoopProblem problem{fleet_.shared_features, {measured(4)}, quality_, candidates()};
  problem.quality.posterior = posterior;
  FrontLoop uncertain(problem, {});
  auto known = loop();
  for (const auto& network : networks(known.step())) {
    known.tell(network, std::vector<double>{latency(network)});
    uncertain.tell(network, std::vector<double>{latency(network)});
  }
  const auto a = known.step(), b = uncertain.step();
  EXPECT_EQ(a.attained, b.attained);  // by the mean of the quality
  EXPECT_GT(b.gains[0], a.gains[0]);
  EXPECT_EQ(a.front[0].quality_deviation, 0);
  EXPECT_EQ(b.front[0].quality_deviation, 2);
}

TEST_F(FrontLoopTest, RefusesWhatItCanNotAnswer) {
  FrontLoopSettings settings;
  settings.limits = {{5, 6}};
  EXPECT_THAT(error_of([&] { loop(settings); }), HasSubstr("2 bounds"));
  settings.limits = {{-5}};
  EXPECT_THAT(error_of([&] { loop(settings); }), HasSubstr("must be above 0"));
  auto unknown = quality_;
  unknown.evaluate = [](std::span<const std::uint8_t>, std::span<double> values) {
    std::fill(values.begin(), values.end(), kNan);
  };
  EXPECT_THAT(error_of([&] { listed_candidates(fleet_.space(), listed_, unknown, "the 300"); }),
              HasSubstr("known of none of the 300"));
  EXPECT_THAT(error_of([&] { searched_candidates(SubSpace(fleet_.space()), quality_, 1); }),
              HasSubstr("name one that covers the space"));
  auto loop = this->loop();
  EXPECT_THAT(error_of([&] { loop.tell(best_network(), std::vector<double>{-3.0}); }), HasSubstr("latency_ms of"));
}

}  // namespace
}  // namespace oneproxy
