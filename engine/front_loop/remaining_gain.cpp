#include "oneproxy/engine/front_loop/remaining_gain.h"

#include <algorithm>
#include <limits>

#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/streams.h"

namespace oneproxy {
namespace {

constexpr std::int64_t kDraws = 32;
// Measurements scatter with heavier tails than a normal distribution of their variance, and of many the least counts.
constexpr double kNoiseScale = 1.5;  // docs/front_loop.md says what it was compared with
constexpr double kMostNoise = 5;     // deviations: what lies further off is not drawn

std::vector<double> normal_draws(std::int64_t n, std::uint64_t seed, std::uint32_t number) {
  RandomDraws random(random_stream(seed, Draws::remaining_gain, number));
  std::vector<double> draws(n);
  for (auto& one : draws) one = random.normal();
  return draws;
}

}  // namespace

double remaining_gain(const CandidatePool& pool, std::span<const Belief> beliefs, std::span<const char> open,
                      const LoopGoal& goal, std::span<const double> points, std::uint64_t seed) {
  const std::size_t measured = beliefs.size();
  std::vector<std::vector<double>> drawn;
  for (std::size_t j = 0; j < measured; ++j) {
    const auto normal = normal_draws(beliefs[j].n_weights() * kDraws, seed, static_cast<std::uint32_t>(j));
    drawn.push_back(beliefs[j].draw(normal, kDraws));
  }
  RandomDraws noise(random_stream(seed, Draws::remaining_gain, static_cast<std::uint32_t>(measured)));
  std::vector<std::vector<double>> all(kDraws, std::vector<double>(points.begin(), points.end()));
  const bool in_order = measured == 1 && std::all_of(pool.quality_deviation.begin(), pool.quality_deviation.end(),
                                                     [](double deviation) { return !(deviation > 0); });
  std::vector<double> least(kDraws, std::numeric_limits<double>::infinity());
  std::vector<double> values(measured), scatter(measured);
  for (std::int64_t i = 0; i < std::ssize(open); ++i) {
    const double uncertain = pool.quality_deviation[i];
    if (!open[i] || (!(uncertain > 0) && pool.quality[i] >= goal.least_quality())) continue;
    for (std::size_t j = 0; j < measured; ++j) scatter[j] = kNoiseScale * beliefs[j].noise_deviation(i);
    for (std::int64_t k = 0; k < kDraws; ++k) {
      // Best quality first: with one measured quantity only what is below all before it counts.
      if (in_order && drawn[0][i * kDraws + k] - kMostNoise * scatter[0] >= least[k]) continue;
      for (std::size_t j = 0; j < measured; ++j) values[j] = drawn[j][i * kDraws + k] + scatter[j] * noise.normal();
      if (in_order) {
        if (!(values[0] < least[k])) continue;
        least[k] = values[0];
      }
      all[k].insert(all[k].end(), values.begin(), values.end());
      all[k].push_back(uncertain > 0 ? pool.quality[i] + uncertain * noise.normal() : pool.quality[i]);
    }
  }
  const double now = goal.attained(points);
  double sum = 0;
  for (const auto& one : all) sum += goal.attained(one);
  const double share = goal.share(now, sum / static_cast<double>(kDraws));
  return share < 0 ? 0 : share;  // by rounding; NaN stays
}

}  // namespace oneproxy
