#include "oneproxy/engine/device/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace oneproxy {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

// Lines (architecture, latency) in the order of time; choices do not matter here.
MeasuredArchitectures measured(const std::vector<std::pair<std::size_t, double>>& lines) {
  MeasuredArchitectures m;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto [arch, latency] = lines[i];
    if (m.repeats.size() <= arch) {
      m.repeats.resize(arch + 1);
      m.lines.resize(arch + 1);
    }
    if (std::isnan(latency)) continue;
    m.repeats[arch].push_back(latency);
    m.lines[arch].push_back(static_cast<std::int64_t>(i));
  }
  for (auto own : m.repeats) {
    std::sort(own.begin(), own.end());
    m.latency_ms.push_back(own.empty() ? std::numeric_limits<double>::quiet_NaN() : own[own.size() / 2]);
  }
  return m;
}

TEST(Drift, IsOneWithoutAReference) {
  // Twice is too few, and three in a row see nothing in between.
  const auto drift = find_drift(measured({{0, 10}, {1, 20}, {0, 20}, {2, 5}, {2, 6}, {2, 7}}));
  EXPECT_THAT(drift.references, IsEmpty());
  for (const auto& factors : drift.factor) EXPECT_THAT(factors, Each(1.0));
  EXPECT_EQ(drift.min_factor, 1);
  EXPECT_EQ(drift.max_factor, 1);
}

TEST(Drift, TakesOutASlowGrowth) {
  // Each line 2 % slower than the one before; reference every third line.
  std::vector<std::pair<std::size_t, double>> lines;
  std::vector<double> truth = {10};
  for (int i = 0; i < 19; ++i) {
    std::size_t arch = 0;
    if (i % 3 != 0) {
      arch = truth.size();
      truth.push_back(5.0 + arch);
    }
    lines.push_back({arch, truth[arch] * std::pow(1.02, i)});
  }
  const auto given = measured(lines);
  const auto drift = find_drift(given);
  EXPECT_THAT(drift.references, ElementsAre(0));
  EXPECT_NEAR(drift.max_factor / drift.min_factor, std::pow(1.02, 18), 0.08);  // the ends are smoothed
  const auto steady = without_drift(given, drift);
  // Up to a factor for all: that of the middle of the measuring.
  for (std::size_t i = 1; i < truth.size(); ++i)
    if (given.lines[i][0] > 3 && given.lines[i][0] < 15) {
      EXPECT_NEAR(steady.latency_ms[i] / truth[i], std::pow(1.02, 9), 0.01) << i;
    }
  EXPECT_EQ(steady.choices, given.choices);
}

TEST(Drift, OneSlipOfTheReferenceIsNoDrift) {
  const auto drift =
      find_drift(measured({{0, 10}, {1, 7}, {0, 10}, {2, 8}, {0, 100}, {3, 9}, {0, 10}, {4, 5}, {0, 10}}));
  EXPECT_EQ(drift.references.size(), 1);
  for (const auto& factors : drift.factor) EXPECT_THAT(factors, Each(1.0));
}

TEST(Drift, FailuresLeaveNoPlace) {
  const double failed = std::numeric_limits<double>::quiet_NaN();
  const auto given = measured({{0, 10}, {1, failed}, {0, 10}, {2, 8}, {0, 20}, {3, failed}, {0, 20}, {4, 7}, {0, 20}});
  const auto steady = without_drift(given, find_drift(given));
  EXPECT_TRUE(std::isnan(steady.latency_ms[1]));
  EXPECT_EQ(steady.repeats[0].size(), 5);
  EXPECT_LT(steady.latency_ms[4], 7.01);
  EXPECT_GT(steady.latency_ms[2], 8.0);  // measured while the device was faster
}

}  // namespace
}  // namespace oneproxy
