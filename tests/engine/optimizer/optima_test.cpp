#include "oneproxy/engine/optimizer/optima.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/optimizer/training_set.h"
#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/kernels/base/parallel.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"
#include "tests/engine/search/world.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

std::vector<std::uint8_t> all_choices(const SearchSpace& space) {
  std::vector<std::uint8_t> all;
  for (ArchIndex i = 0; i < space.size(); ++i) {
    const auto one = space.choices(i);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

std::vector<double> values_of(const Predictor& predictor, std::span<const std::uint8_t> choices, std::size_t n) {
  std::vector<double> values(n);
  predict(predictor, choices, values);
  return values;
}

Objective macs(const SearchSpace& space) {
  return make_objective({space, nullptr, "", "", Backend::cpu}, "model:macs", "quality", Direction::maximise);
}

// Every architecture of a small space, looked at one by one, says what is best.
TEST(Optima, OfASmallSpaceAreThoseOfBruteForce) {
  const Fleet fleet("nasbench201");
  const LatencyBasis basis(Sources(fleet.shared_features, fleet.sources(4)));
  const DeviceGenerator generator(basis);
  const auto latency = basis.predictors(generator.draw(2, 1)), energy = basis.predictors(generator.draw_physics(2, 1));
  const std::vector<Objective> qualities = {random_mlp(fleet.space(), 16, 5)};
  const auto optima = make_optima(fleet.space(), qualities, basis.reference());
  const auto all = all_choices(fleet.space());
  const std::size_t n = 15625;
  std::vector<double> quality(n);
  qualities[0].evaluate(all, quality);
  auto sorted = values_of({qualities[0].model ? *qualities[0].model : Predictor{}}, basis.reference(), 512);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_NEAR(optima->spread(0), *std::max_element(quality.begin(), quality.end()) - (sorted[255] + sorted[256]) / 2,
              1e-9);
  for (int d = 0; d < 2; ++d) {
    const auto y = values_of(latency[d], all, n), e = values_of(energy[d], all, n);
    const std::vector<OptimizerQuery> queries = {{0, -0.8, {}}, {0, -100.0, {}}, {0, std::nullopt, {0.5, 0.3, 0.2}}};
    const auto found = optima->find(latency[d], &energy[d], queries, 8);
    ASSERT_EQ(found[0].size(), 8u);
    EXPECT_TRUE(found[1].empty());
    ASSERT_EQ(found[2].size(), 8u);
    std::vector<std::pair<double, std::size_t>> within, preferred;
    for (std::size_t i = 0; i < n; ++i) {
      if (y[i] <= -0.8) within.emplace_back(-quality[i], i);
      preferred.emplace_back(-(0.5 * quality[i] / optima->spread(0) - 0.3 * y[i] - 0.2 * e[i]), i);
    }
    std::sort(within.begin(), within.end());
    std::sort(preferred.begin(), preferred.end());
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(found[0][i].choices, fleet.space().choices(within[i].second));
      EXPECT_NEAR(found[0][i].quality, -within[i].first, 1e-12);
      EXPECT_EQ(found[2][i].choices, fleet.space().choices(preferred[i].second));
    }
  }
}

// No random architecture, nor any change of one or of two decisions, is better than what dynamic programming found.
TEST(Optima, OfALayeredSpaceAreNotImproved) {
  for (const char* name : {"fbnet", "ofa_mbv3"}) {
    const Fleet fleet(name);
    const auto& space = fleet.space();
    const LatencyBasis basis(Sources(fleet.shared_features, fleet.sources(4)));
    const DeviceGenerator generator(basis);
    const auto latency = basis.predictors(generator.draw(1, 2)),
               energy = basis.predictors(generator.draw_physics(1, 2));
    const std::vector<Objective> qualities = {macs(space)};
    const auto optima = make_optima(space, qualities, basis.reference());
    const auto range = optima->range(latency[0]);
    const std::vector<OptimizerQuery> queries = {{0, range.low + 0.3 * (range.high - range.low), {}},
                                                 {0, range.low - 1e-6, {}},
                                                 {0, std::nullopt, {0.4, 0.4, 0.2}}};
    const auto found = optima->find(latency[0], &energy[0], queries, 8);
    ASSERT_EQ(found[0].size(), 1u);
    EXPECT_TRUE(found[1].empty());
    ASSERT_EQ(found[2].size(), 1u);
    const auto one = [&](const Predictor& p, const std::vector<std::uint8_t>& x) { return values_of(p, x, 1)[0]; };
    const auto score = [&](const std::vector<std::uint8_t>& x) {
      return 0.4 * one(*qualities[0].model, x) / optima->spread(0) - 0.4 * one(latency[0], x) - 0.2 * one(energy[0], x);
    };
    const auto& best = found[0][0];
    EXPECT_LE(one(latency[0], best.choices), *queries[0].limit);
    EXPECT_NEAR(best.quality, one(*qualities[0].model, best.choices), 1e-6 * std::abs(best.quality));
    const double preferred = score(found[2][0].choices);
    const auto check = [&](const std::vector<std::uint8_t>& x) {
      if (!space.valid(x)) return;
      if (one(latency[0], x) <= *queries[0].limit) {
        EXPECT_LE(one(*qualities[0].model, x), best.quality * (1 + 1e-12)) << name;
      }
      EXPECT_LE(score(x), preferred + 1e-9) << name;
      EXPECT_GE(one(latency[0], x), range.low - 1e-9);
      EXPECT_LE(one(latency[0], x), range.high + 1e-9);
    };
    const auto radices = space.radices();
    for (std::size_t a = 0; a < radices.size(); ++a)
      for (std::uint8_t v = 0; v < radices[a]; ++v)
        for (const auto* start : {&best.choices, &found[2][0].choices}) {
          auto x = *start;
          x[a] = v;
          check(x);
          for (std::size_t b = a + 1; b < radices.size(); b += 3) {
            auto two = x;
            two[b] = (two[b] + 1) % radices[b];
            check(two);
          }
        }
    const auto width = static_cast<std::ptrdiff_t>(radices.size());
    for (auto i = basis.reference().begin(); i != basis.reference().end(); i += width) check({i, i + width});
  }
}

// Of a network the answers are those of the sum over decisions that comes nearest to it.
TEST(Optima, OfANetworkAreThoseOfTheNearestSum) {
  const Fleet fleet("fbnet");
  const auto& space = fleet.space();
  const LatencyBasis basis(Sources(fleet.shared_features, fleet.sources(4)));
  const auto& reference = fleet.features.reference_choices();
  const std::vector<Objective> mlp = {random_mlp(space, 8, 1)};
  std::vector<double> values(reference.size() / space.n_decisions());
  mlp[0].evaluate(reference, values);
  Objective sum = macs(space);
  sum.model = std::make_shared<const Predictor>(fit_linear(space, reference, values));
  sum.evaluate = [&](std::span<const std::uint8_t> choices, std::span<double> out) {
    predict(*sum.model, choices, out);
  };
  const auto of_mlp = make_optima(space, mlp, reference), of_sum = make_optima(space, std::vector{sum}, reference);
  const auto device = basis.predictors(DeviceGenerator(basis).draw(1, 3))[0];
  const OptimizerQuery query{0, of_sum->range(device).low + 2, {}};
  const auto a = of_mlp->find(device, nullptr, std::span(&query, 1), 1),
             b = of_sum->find(device, nullptr, std::span(&query, 1), 1);
  ASSERT_EQ(a[0].size(), 1u);
  EXPECT_EQ(a[0][0].choices, b[0][0].choices);
  EXPECT_EQ(of_sum->explained(0), 1);
  EXPECT_GT(of_mlp->explained(0), 0.3);
  EXPECT_LT(of_mlp->explained(0), 1);
}

TEST(Optima, RefuseQualitiesWithoutAnExactAnswer) {
  const SearchSpace space = SearchSpace::load("fbnet");
  const auto reference = space.choices(5);
  std::vector<Objective> rows = {macs(space)};
  rows[0].model = nullptr;
  EXPECT_THAT(error_of([&] { make_optima(space, rows, reference); }), HasSubstr("known of some architectures only"));
  std::vector<Objective> down = {macs(space)};
  down[0].direction = Direction::minimise;
  EXPECT_THAT(error_of([&] { make_optima(space, down, reference); }), HasSubstr("to be minimised"));
}

TEST(TrainingSet, IsTheSameOnAnyNumberOfThreadsAndKeepsItsLimits) {
  const Fleet fleet("nasbench201");
  const LatencyBasis basis(Sources(fleet.shared_features, fleet.sources(4)));
  const std::vector<Objective> qualities = {random_mlp(fleet.space(), 16, 5), random_mlp(fleet.space(), 16, 6)};
  const auto optima = make_optima(fleet.space(), qualities, basis.reference());
  TrainingSetSettings settings;
  settings.devices = 20;
  settings.energy = settings.keep_tables = true;
  const auto set = make_training_set(basis, *optima, 2, settings);
  set_thread_count(3);
  const auto again = make_training_set(basis, *optima, 2, settings);
  set_thread_count(0);
  EXPECT_EQ(set.devices.size(), 24u);
  ASSERT_EQ(set.examples.size(), again.examples.size());
  EXPECT_GT(set.examples.size(), 24u * 2 * 20);
  int with_limit = 0;
  for (std::size_t i = 0; i < set.examples.size(); ++i) {
    const auto& one = set.examples[i];
    EXPECT_EQ(one.choices, again.examples[i].choices);
    ASSERT_EQ(one.choices.size(), 6 * one.shares.size());
    EXPECT_EQ(one.shares[0], 1.0f);
    EXPECT_TRUE(std::is_sorted(one.shares.rbegin(), one.shares.rend()));
    check_query(one.query, 2, true);
    if (!one.query.limit) continue;
    ++with_limit;
    const auto latency = values_of(*set.devices[one.device].latency, one.choices, one.shares.size());
    EXPECT_LE(*std::max_element(latency.begin(), latency.end()), *one.query.limit);
  }
  EXPECT_GT(with_limit, 24 * 2 * 15);
}

}  // namespace
}  // namespace oneproxy
