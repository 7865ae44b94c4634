#include "oneproxy/engine/fleet/fleet_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/fleet/generator.h"
#include "oneproxy/kernels/base/parallel.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"
#include "tests/engine/search/world.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Objective macs(const SearchSpace& space) {
  return make_objective({space, nullptr, "", "", Backend::cpu}, "model:macs", "quality", Direction::maximise);
}

std::vector<double> values_of(const Predictor& predictor, std::span<const std::uint8_t> choices, std::size_t n) {
  std::vector<double> values(n);
  predict(predictor, choices, values);
  return values;
}

// Every architecture, one by one: the best quality, then the lower latency, then the lower index.
FleetAnswer by_brute_force(const SearchSpace& space, std::span<const std::uint8_t> all,
                           const std::vector<double>& latency, const std::vector<double>& quality, double limit) {
  FleetAnswer best;
  for (std::size_t i = 0; i < latency.size(); ++i) {
    if (!(latency[i] <= limit) || std::isnan(quality[i])) continue;
    if (best.found() && !(quality[i] > best.quality || (quality[i] == best.quality && latency[i] < best.latency)))
      continue;
    const auto width = static_cast<std::size_t>(space.n_decisions());
    best = {{all.begin() + i * width, all.begin() + (i + 1) * width}, latency[i], quality[i]};
  }
  return best;
}

void expect_same(const FleetAnswer& got, const FleetAnswer& expected) {
  EXPECT_EQ(got.choices, expected.choices);
  EXPECT_EQ(got.latency, expected.latency);
  EXPECT_EQ(got.quality, expected.quality);
}

// Tables of every value and sums over decisions, in one fleet, against a quality that some architectures lack.
TEST(FleetSearch, OfASmallSpaceIsBruteForce) {
  const Fleet fleet("nasbench201");
  const auto& space = fleet.space();
  const LatencyBasis basis(Sources(fleet.shared_features, fleet.sources(4)));
  auto devices = basis.predictors(DeviceGenerator(basis).draw(3, 1));
  devices.push_back(*macs(space).model);
  Objective quality = random_mlp(space, 16, 5);
  const auto known = quality.evaluate;
  quality.evaluate = [known](std::span<const std::uint8_t> choices, std::span<double> values) {
    known(choices, values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = std::round(20 * values[i]) / 20;  // ties
      if (choices[6 * i] == 3 && choices[6 * i + 1] == 2) values[i] = std::nan("");
    }
  };
  std::vector<std::uint8_t> all;
  for (ArchIndex i = 0; i < space.size(); ++i) {
    const auto one = space.choices(i);
    all.insert(all.end(), one.begin(), one.end());
  }
  const auto qualities = oneproxy::values_of(quality, all, 15625);
  std::vector<double> limits;
  std::vector<FleetAnswer> expected;
  for (const auto& device : devices) {
    const auto latency = values_of(device, all, 15625);
    auto sorted = latency;
    std::sort(sorted.begin(), sorted.end());
    // One that an architecture has to the bit, one that nothing keeps, one that everything keeps.
    for (const double limit : {sorted[40], sorted[4000], sorted[0] - 1, kInfinity}) {
      limits.push_back(limit);
      expected.push_back(by_brute_force(space, all, latency, qualities, limit));
    }
  }
  const FleetSearch search(space, quality);
  const auto got = search.best(devices, limits, Backend::cpu);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    SCOPED_TRACE("device " + std::to_string(i / 4) + ", limit " + std::to_string(i % 4));
    EXPECT_EQ(got[i].found(), i % 4 != 2);
    expect_same(got[i], expected[i]);
  }
}

// A layered space, all but 4 of its 22 layers so dear that they stay at their cheapest: the rest is enumerated.
TEST(FleetSearch, OfSumsIsBruteForceOverWhatCanBeAfforded) {
  const Fleet fleet("fbnet");
  const auto& space = fleet.space();
  const LatencyBasis basis(Sources(fleet.shared_features, fleet.sources(4)));
  auto devices = basis.predictors(DeviceGenerator(basis).draw(3, 2));
  const Objective quality = macs(space);
  constexpr int kFree = 4, kChoices = 9, kLimits = 41;
  std::vector<std::uint8_t> some;
  for (int i = 0; i < 6561; ++i)
    for (int d = 0, rest = i; d < 22; ++d) {
      some.push_back(d < kFree ? rest % kChoices : 0);
      if (d < kFree) rest /= kChoices;
    }
  const auto qualities = oneproxy::values_of(quality, some, 6561);
  std::vector<double> limits;
  std::vector<std::vector<double>> latencies;
  for (auto& device : devices) {
    auto& table = std::get<AdditivePredictor>(device);
    for (int d = kFree; d < 22; ++d)
      for (int c = 1; c < kChoices; ++c) table.weights[d * kChoices + c] = table.weights[d * kChoices] + 1000;
    table.weights[2 * kChoices + 5] = std::nan("");  // the device can not run it
    const auto& latency = latencies.emplace_back(values_of(device, some, 6561));
    auto sorted = latency;
    std::erase_if(sorted, [](double value) { return std::isnan(value); });
    std::sort(sorted.begin(), sorted.end());
    // Limits that an answer keeps to the last bit, and that it breaks by the last bit.
    for (int i = 1; i <= 20; ++i) {
      const auto best = by_brute_force(space, some, latency, qualities, sorted[i * 250]);
      limits.insert(limits.end(), {best.latency, std::nextafter(best.latency, -kInfinity)});
    }
    limits.push_back(sorted[0] - 1e-9);
  }
  const FleetSearch search(space, quality);
  const auto got = search.best(devices, limits, Backend::cpu);
  ASSERT_EQ(got.size(), limits.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    SCOPED_TRACE("device " + std::to_string(i / kLimits) + ", limit " + std::to_string(i % kLimits));
    const auto expected = by_brute_force(space, some, latencies[i / kLimits], qualities, limits[i]);
    EXPECT_EQ(got[i].found(), i % kLimits != kLimits - 1);
    ASSERT_EQ(got[i].found(), expected.found());
    if (!expected.found()) continue;
    EXPECT_EQ(got[i].quality, expected.quality);
    EXPECT_EQ(got[i].latency, expected.latency);
    EXPECT_LE(got[i].latency, limits[i]);
  }
}

// A table a resolution: what no random architecture within the limit beats.
TEST(FleetSearch, OfATableAResolutionIsNotImproved) {
  const Fleet fleet("ofa_mbv3");
  const auto& space = fleet.space();
  const LatencyBasis basis(Sources(fleet.shared_features, fleet.sources(4)));
  const auto devices = basis.predictors(DeviceGenerator(basis).draw(2, 3));
  const Objective quality = macs(space);
  const std::vector<double> limits = {-1.0, 0.5, -1.0, 0.5};
  const auto got = FleetSearch(space, quality).best(devices, limits, Backend::cpu);
  const auto qualities = oneproxy::values_of(quality, basis.reference(), basis.n_reference());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(got[i].found());
    EXPECT_TRUE(space.valid(got[i].choices));
    EXPECT_LE(got[i].latency, limits[i]);
    EXPECT_EQ(got[i].latency, values_of(devices[i / 2], got[i].choices, 1)[0]);
    const auto latency = values_of(devices[i / 2], basis.reference(), basis.n_reference());
    for (std::size_t k = 0; k < latency.size(); ++k) {
      if (latency[k] <= limits[i]) {
        EXPECT_LE(qualities[k], got[i].quality);
      }
    }
  }
}

TEST(FleetSearch, IsTheSameOnAnyNumberOfThreads) {
  for (const char* name : {"nasbench201", "fbnet"}) {
    const Fleet fleet(name);
    const LatencyBasis basis(Sources(fleet.shared_features, fleet.sources(4)));
    const auto devices = basis.predictors(DeviceGenerator(basis).draw(130, 4));
    const std::vector<double> limits(2 * devices.size(), -1.5);
    const FleetSearch search(fleet.space(), macs(fleet.space()));
    set_thread_count(1);
    const auto one = search.best(devices, limits, Backend::cpu);
    set_thread_count(3);
    const auto three = search.best(devices, limits, Backend::cpu);
    set_thread_count(0);
    for (std::size_t i = 0; i < one.size(); ++i) expect_same(three[i], one[i]);
    EXPECT_TRUE(search.best({}, {}, Backend::cpu).empty());
  }
}

TEST(FleetSearch, RefusesWhatHasNoExactAnswer) {
  const Fleet fleet("nasbench201"), layers("fbnet");
  const auto& cells = fleet.space();
  Objective down = macs(cells);
  down.direction = Direction::minimise;
  EXPECT_THAT(error_of([&] { FleetSearch(cells, down); }), HasSubstr("to be minimised"));
  EXPECT_THAT(error_of([&] { FleetSearch(layers.space(), random_mlp(layers.space(), 8, 1)); }),
              HasSubstr("does not add up"));
  const FleetSearch small(cells, macs(cells)), sums(layers.space(), macs(layers.space()));
  const std::vector<Predictor> cell = {*macs(cells).model}, network = {*random_mlp(layers.space(), 8, 1).model};
  const auto ask = [](const FleetSearch& search, const std::vector<Predictor>& devices, std::vector<double> limits) {
    return error_of([&] { search.best(devices, limits, Backend::cpu); });
  };
  EXPECT_THAT(ask(small, cell, {1, std::nan("")}), HasSubstr("place 1 is NaN"));
  EXPECT_THAT(ask(small, {cell[0], cell[0]}, {1, 2, 3}), HasSubstr("2 devices has 3 limits"));
  EXPECT_THAT(ask(sums, cell, {1}), HasSubstr("belongs to space nasbench201, the search to fbnet"));
  EXPECT_THAT(ask(sums, network, {1}), HasSubstr("does not add up"));
}

}  // namespace
}  // namespace oneproxy
