#include "oneproxy/kernels/score/cuda/fleet_questions.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace oneproxy::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool any_open(const std::vector<std::uint32_t>& ends) {
  return std::any_of(ends.begin(), ends.end(), [](std::uint32_t end) { return end > 0; });
}

}  // namespace

FleetQuestions::FleetQuestions(const QualityOrder& order, const FleetAnswers& answers, std::int64_t first,
                               std::int64_t n) {
  for (std::int64_t l = 0; l < answers.n_limits(); ++l)
    for (std::int64_t device = first; device < first + n; ++device) {
      limits.push_back(answers.limits_of(device)[l]);
      ends.push_back(static_cast<std::uint32_t>(order.end_of(answers.least_quality(device, l))));
    }
}

bool FleetQuestions::any() const { return any_open(ends); }

void offer_places(const QualityOrder& order, std::int64_t first, std::int64_t n, std::span<const std::uint32_t> places,
                  std::span<const double> latencies, FleetAnswers& answers) {
  for (std::size_t cell = 0; cell < places.size(); ++cell) {
    const std::uint32_t place = places[cell];
    if (place >= order.size()) continue;
    const auto at = static_cast<std::int64_t>(cell);
    answers.offer(first + at % n, at / n, {order.index[place], latencies[cell], order.quality[place]});
  }
}

std::vector<std::uint32_t> places_in(const QualityOrder& order, const IndexRange& range) {
  std::vector<std::uint32_t> places;
  for (const ArchIndex index : order.index) places.push_back(static_cast<std::uint32_t>(index - range.begin));
  return places;
}

// Bars are rounded upwards, sures downwards: a score up to limit - margin is a latency within the limit.
MlpQuestions::MlpQuestions(const QualityOrder& order, const FleetAnswers& answers, std::span<const double> margins,
                           std::int64_t first, std::int64_t n) {
  for (std::int64_t device = first; device < first + n; ++device) {
    const double margin = margins[static_cast<std::size_t>(device)];
    for (std::int64_t l = 0; l < answers.n_limits(); ++l) {
      const double limit = answers.limits_of(device)[l];
      bars.push_back(std::nextafter(limit + margin, kInfinity));
      sures.push_back(margin < kInfinity ? std::nextafter(limit - margin, -kInfinity)
                                         : std::numeric_limits<double>::quiet_NaN());
      ends.push_back(static_cast<std::uint32_t>(order.end_of(answers.least_quality(device, l))));
    }
  }
}

bool MlpQuestions::any() const { return any_open(ends); }

void offer_survivors(const QualityOrder& order, std::span<FleetSurvivor> survivors, FleetCandidates& candidates,
                     FleetExact& exact, FleetAnswers& answers) {
  std::sort(survivors.begin(), survivors.end(),
            [](const FleetSurvivor& a, const FleetSurvivor& b) { return a.place < b.place; });
  for (const auto& survivor : survivors) {
    const double score = survivor.score;
    candidates.look_at(survivor.place, std::span(&score, 1));
  }
  exact.settle(candidates, order, answers);
}

}  // namespace oneproxy::detail
