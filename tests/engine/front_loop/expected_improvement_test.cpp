// Against numerical quadrature, and against differences of hypervolumes.
#include "oneproxy/engine/front_loop/expected_improvement.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/front/pareto.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Gauss and Legendre's rule with 8 points on [-1, 1].
constexpr double kNodes[] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363};
constexpr double kWeights[] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763};

// Points and weights with which a function that is smooth between `breaks` is integrated against the Gaussian; one
// point where it is known.
std::vector<std::pair<double, double>> rule(const Gaussian& y, std::vector<double> breaks) {
  if (!(y.deviation > 0)) return {{y.mean, 1.0}};
  const double low = y.mean - 9 * y.deviation, high = y.mean + 9 * y.deviation;
  for (int i = 0; i <= 36; ++i) breaks.push_back(low + i * (high - low) / 36);
  std::erase_if(breaks, [&](double at) { return !(at >= low && at <= high); });
  std::sort(breaks.begin(), breaks.end());
  std::vector<std::pair<double, double>> points;
  for (std::size_t k = 0; k + 1 < breaks.size(); ++k)
    for (int i = 0; i < 8; ++i) {
      const double half = (breaks[k + 1] - breaks[k]) / 2, node = i < 4 ? kNodes[i] : -kNodes[i - 4];
      const double at = breaks[k] + half * (1 + node), z = (at - y.mean) / y.deviation;
      points.emplace_back(at, half * kWeights[i % 4] * std::exp(-z * z / 2) / (y.deviation * std::sqrt(2 * M_PI)));
    }
  return points;
}

struct Case {
  std::vector<double> points, reference;
  std::vector<Gaussian> y;
};

// Random fronts of 0 to 5 points, some beyond the reference.
Case random_case(std::size_t m, std::uint64_t seed, bool last_known) {
  const Philox random{seed, 7};
  std::uint64_t draw = 0;
  Case made;
  const auto n = random.below(draw++, 6);
  for (std::uint64_t i = 0; i < n * m; ++i) made.points.push_back(1.1 * random.uniform(draw++));
  made.reference.assign(m, 1.0);
  for (std::size_t j = 0; j < m; ++j)
    made.y.push_back(
        {1.2 * random.uniform(draw++), j + 1 == m && last_known ? 0 : 0.02 + 0.3 * random.uniform(draw++)});
  return made;
}

double volume(const Case& of, std::vector<double> also = {}) {
  const std::size_t m = of.reference.size();
  also.insert(also.end(), of.points.begin(), of.points.end());
  std::vector<double> columns[3];
  for (std::size_t i = 0; i < also.size(); ++i) columns[i % m].push_back(also[i]);
  for (double& value : columns[1]) value = -value;  // which the kernel maximises
  return m == 2 ? hypervolume(columns[0], columns[1], of.reference[0], -of.reference[1])
                : hypervolume(columns[0], columns[1], columns[2], of.reference[0], -of.reference[1], of.reference[2]);
}

TEST(ExpectedImprovement, OfAKnownPointIsTheHypervolumeThatItAdds) {
  for (const std::size_t m : {2, 3})
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const auto made = random_case(m, seed, false);
      std::vector<double> point;
      for (const auto& y : made.y) point.push_back(y.mean);
      const UndominatedBoxes boxes(made.points, made.reference);
      EXPECT_NEAR(boxes.improvement(point), volume(made, point) - volume(made), 1e-12) << m << " " << seed;
    }
}

TEST(ExpectedImprovement, IsThatOfQuadratureWithAKnownQuality) {
  double largest = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const auto made = random_case(2, seed, true);
    std::vector<double> breaks = made.reference;
    for (const double value : made.points) breaks.push_back(value);
    double sum = 0;
    for (const auto& [at, weight] : rule(made.y[0], breaks))
      sum += weight * (volume(made, {at, made.y[1].mean}) - volume(made));
    largest =
        std::max(largest, std::abs(sum - UndominatedBoxes(made.points, made.reference).expected_improvement(made.y)));
  }
  EXPECT_LT(largest, 1e-8);
}

TEST(ExpectedImprovement, IsThatOfQuadratureWithSeveralUncertain) {
  double largest = 0;
  for (const std::size_t m : {2, 3})
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto made = random_case(m, seed, m == 3);
      std::vector<double> breaks = made.reference;
      for (const double value : made.points) breaks.push_back(value);
      double sum = 0;
      std::vector<double> point(m);
      const auto inner = rule(made.y[1], breaks);
      for (const auto& [first, first_weight] : rule(made.y[0], breaks))
        for (const auto& [second, second_weight] : inner) {
          point = {first, second};
          if (m == 3) point.push_back(made.y[2].mean);
          sum += first_weight * second_weight * (volume(made, point) - volume(made));
        }
      const UndominatedBoxes boxes(made.points, made.reference);
      largest = std::max(largest, std::abs(sum - boxes.expected_improvement(made.y)));
    }
  EXPECT_LT(largest, 1e-8);
}

TEST(ExpectedImprovement, WithinLimitsIsThatOfQuadrature) {
  const std::vector<double> limits = {0.3, kInfinity, 0.8, 0.5}, best = {0.9, 0.4};  // [2 limits, 2 quantities]
  const std::vector<Gaussian> y = {{0.4, 0.2}, {0.45, 0.1}, {0.5, 0.15}};
  double sum = 0;
  for (std::size_t l = 0; l < 2; ++l) {
    std::vector<double> p;
    for (std::size_t j = 0; j < 2; ++j) {
      p.push_back(0);
      for (const auto& [at, weight] : rule(y[j], {limits[2 * l + j]})) p[j] += at <= limits[2 * l + j] ? weight : 0;
    }
    double gain = 0;
    for (const auto& [at, weight] : rule(y[2], {best[l]})) gain += weight * std::max(best[l] - at, 0.0);
    sum += p[0] * p[1] * gain;
  }
  EXPECT_NEAR(expected_improvement_within(limits, best, y), sum, 1e-10);
  const std::vector<Gaussian> known = {{0.3, 0}, {0.2, 0}, {0.1, 0}};
  EXPECT_NEAR(expected_improvement_within(limits, best, known), 0.8 + 0.3, 1e-15);
}

TEST(ExpectedImprovement, RefusesWhatIsNotFinite) {
  EXPECT_THAT(error_of([] {
                UndominatedBoxes(std::vector<double>{0.5, NAN}, std::vector<double>{1, 1});
              }),
              HasSubstr("not finite"));
  EXPECT_THAT(error_of([] {
                UndominatedBoxes(std::vector<double>{}, std::vector<double>{1, kInfinity});
              }),
              HasSubstr("not finite"));
}

}  // namespace
}  // namespace oneproxy
