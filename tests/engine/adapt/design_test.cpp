#include "oneproxy/engine/adapt/design/design.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <numeric>
#include <set>

#include "oneproxy/engine/adapt/design/cover.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

const BlockLayout kLayout = {{"A", "B"}, {0, 2, 5}};
const std::vector<double> kTh = {0.5, 0.1};
constexpr double kNoise = 0.05;

std::vector<double> random_rows(int n, std::uint64_t seed) {
  const Philox random{seed, 0};
  std::vector<double> z;
  for (int i = 0; i < n * 5; ++i) z.push_back(2 * random.uniform(i) - 1);
  return z;
}

Eigen::MatrixXd kernel(const std::vector<double>& a, const std::vector<double>& b) {
  Eigen::MatrixXd k(a.size() / 5, b.size() / 5);
  for (Eigen::Index i = 0; i < k.rows(); ++i)
    for (Eigen::Index j = 0; j < k.cols(); ++j) {
      k(i, j) = 1;
      for (int c = 0; c < 5; ++c) k(i, j) += kTh[c >= 2] * a[i * 5 + c] * b[j * 5 + c];
    }
  return k;
}

// Posterior variances after measuring `set`, by inverting the whole kernel.
double criterion(const std::vector<double>& p, const std::vector<double>& at, const std::vector<std::int64_t>& set) {
  std::vector<double> x;
  for (const auto i : set) x.insert(x.end(), p.begin() + i * 5, p.begin() + i * 5 + 5);
  Eigen::MatrixXd k = kernel(x, x);
  k.diagonal().array() += kNoise;
  const Eigen::MatrixXd cross = kernel(at, x);
  return kernel(at, at).trace() - (cross * k.inverse() * cross.transpose()).trace();
}

TEST(Design, AOptimalLowersTheMeanVarianceMostAtEachStep) {
  const auto p = random_rows(12, 1), r = random_rows(9, 2);
  const auto chosen = choose_samples(kLayout, {p, r, kTh, kNoise}, Selection::a_optimal, 6, 0);
  std::vector<std::int64_t> set;
  for (const auto picked : chosen) {
    double best = 1e300;
    std::int64_t at = -1;
    for (std::int64_t i = 0; i < 12; ++i) {
      if (std::find(set.begin(), set.end(), i) != set.end()) continue;
      auto with = set;
      with.push_back(i);
      if (const double value = criterion(p, r, with); value < best - 1e-12) best = value, at = i;
    }
    EXPECT_EQ(picked, at);
    set.push_back(picked);
  }
}

TEST(Design, DOptimalTakesTheLargestVarianceAtEachStep) {
  const auto p = random_rows(12, 3);
  const auto chosen = choose_samples(kLayout, {p, {}, kTh, kNoise}, Selection::d_optimal, 6, 0);
  std::vector<std::int64_t> set;
  for (const auto picked : chosen) {
    double most = -1;
    std::int64_t at = -1;
    for (std::int64_t i = 0; i < 12; ++i) {
      if (std::find(set.begin(), set.end(), i) != set.end()) continue;
      const std::vector<double> one(p.begin() + i * 5, p.begin() + i * 5 + 5);
      const double variance = set.empty() ? kernel(one, one)(0, 0) : criterion(p, one, set);
      if (variance > most + 1e-12) most = variance, at = i;
    }
    EXPECT_EQ(picked, at);
    set.push_back(picked);
  }
}

TEST(Design, IsNestedAndContinuesWhereItStopped) {
  const auto p = random_rows(30, 4), r = random_rows(20, 5);
  for (const auto selection : {Selection::random, Selection::d_optimal, Selection::a_optimal}) {
    const DesignProblem problem{p, r, kTh, kNoise};
    const auto all = choose_samples(kLayout, problem, selection, 10, 1);
    const auto first = choose_samples(kLayout, problem, selection, 4, 1);
    EXPECT_TRUE(std::equal(first.begin(), first.end(), all.begin()));
    const auto rest = choose_samples(kLayout, problem, selection, 6, 1, first);
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), all.begin() + 4));
  }
}

TEST(Design, ChoosesDifferentCandidatesEachOnce) {
  const auto p = random_rows(15, 6), r = random_rows(10, 7);
  for (const auto selection : {Selection::random, Selection::kmeans, Selection::d_optimal, Selection::a_optimal}) {
    const auto chosen = choose_samples(kLayout, {p, r, kTh, kNoise}, selection, 15, 3);
    EXPECT_EQ(std::set<std::int64_t>(chosen.begin(), chosen.end()).size(), 15u) << to_string(selection);
  }
}

TEST(Design, KMeansTakesOneOfEachCluster) {
  std::vector<double> p;
  for (int i = 0; i < 12; ++i)
    for (int c = 0; c < 5; ++c) p.push_back((c == i % 3 ? 10 : 0) + 0.01 * i);
  const auto chosen = choose_samples(kLayout, {p, {}, {1, 1}, kNoise}, Selection::kmeans, 3, 5);
  std::set<std::int64_t> clusters;
  for (const auto i : chosen) clusters.insert(i % 3);
  EXPECT_EQ(clusters.size(), 3u);
}

TEST(Design, RefusesMoreThanThereIs) {
  const auto p = random_rows(5, 8);
  const std::vector<std::int64_t> measured = {0, 1};
  EXPECT_THAT(error_of([&] {
                choose_samples(kLayout, {p, p, kTh, kNoise}, Selection::a_optimal, 4, 0, measured);
              }),
              HasSubstr("3 candidates to choose 4"));
  EXPECT_THAT(error_of([] { parse_selection("a_optimum"); }), HasSubstr("a_optimal"));
}

TEST(Cover, IsTheSmallestByBruteForce) {
  const Philox random{11, 0};
  std::uint64_t draw = 0;
  for (int n : {1, 2, 5, 8}) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::vector<char> serves(n * n);
      for (auto& s : serves) s = random.uniform(draw++) < 0.3;
      int fewest = n;
      for (int set = 1; set < 1 << n; ++set) {
        int served = set;
        for (int p = 0; p < n; ++p)
          for (int t = 0; t < n; ++t)
            if ((set >> p & 1) && serves[p * n + t]) served |= 1 << t;
        if (served == (1 << n) - 1) fewest = std::min(fewest, __builtin_popcount(set));
      }
      const auto cover = smallest_cover(serves, n, 1 << 20);
      EXPECT_TRUE(cover.exact);
      EXPECT_EQ(static_cast<int>(cover.proxies.size()), fewest);
      EXPECT_GE(greedy_cover(serves, n).proxies.size(), cover.proxies.size());
    }
  }
}

}  // namespace
}  // namespace oneproxy
