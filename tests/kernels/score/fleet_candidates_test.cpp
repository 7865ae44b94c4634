#include "oneproxy/kernels/score/fleet_candidates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace oneproxy::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Places = std::vector<std::int64_t>;

// Architectures of these qualities, descending, with their number as index.
QualityOrder order_of(const std::vector<double>& quality) {
  QualityOrder order;
  order.quality = quality;
  for (std::size_t i = 0; i < quality.size(); ++i) order.index.push_back(i);
  return order;
}

Places kept(const std::vector<double>& quality, const std::vector<double>& limits, double margin,
            const std::vector<double>& scores) {
  const QualityOrder order = order_of(quality);
  const FleetAnswers answers(1, limits);
  FleetCandidates candidates(order, answers, 0, margin);
  candidates.look_at(0, scores);
  return candidates.kept();
}

TEST(FleetCandidates, EndWithTheFirstThatSurelyKeepsTheLimit) {
  EXPECT_EQ(kept({5, 4, 3, 2, 1}, {10}, 1, {12, 10.5, 9.5, 8.5, 1}), (Places{1, 2, 3}));
  EXPECT_EQ(kept({5, 4, 3, 2, 1}, {10}, 0, {10.5, 10, 9.5, 8.5, 1}), (Places{1}));
  EXPECT_EQ(kept({5, 4, 3, 2, 1}, {10, 5}, 1, {8, 9, 5.5, 3, 2}), (Places{0, 2, 3}));
}

// Twice the margin: one score may be too low, the other too high.
TEST(FleetCandidates, OfOneQualityAreThoseThatMayBeTheFastest) {
  EXPECT_EQ(kept({5, 5, 5, 5, 1}, {kInfinity}, 1, {5, 6.9, 7.1, 3, 1}), (Places{0, 1, 3}));
}

TEST(FleetCandidates, AnErrorWithoutABoundRulesNothingOut) {
  EXPECT_EQ(kept({3, 2, 1}, {10}, kInfinity, {1e30, std::nan(""), 0}), (Places{0, 1, 2}));
}

TEST(FleetCandidates, SettledAnswersEndTheSearch) {
  const QualityOrder order = order_of({5, 4, 4, 3, 2});
  FleetAnswers answers(1, std::vector<double>{10});
  FleetCandidates candidates(order, answers, 0, kInfinity);
  candidates.look_at(0, std::vector<double>{0, 0});
  candidates.settle(std::vector<double>{10.5, 9.5}, answers);
  EXPECT_EQ(candidates.end(), 3);  // the other one of the same quality may be faster
  candidates.look_at(2, std::vector<double>{0, 0, 0});
  EXPECT_EQ(candidates.kept(), (Places{2}));
  candidates.settle(std::vector<double>{9.25}, answers);
  const FleetBest best = answers.take()[0];
  EXPECT_EQ(best.index, 2u);
  EXPECT_EQ(best.latency, 9.25);
  EXPECT_EQ(best.quality, 4);
}

}  // namespace
}  // namespace oneproxy::detail
