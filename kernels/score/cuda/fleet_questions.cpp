#include "oneproxy/kernels/score/cuda/fleet_questions.h"

#include <algorithm>

namespace oneproxy::detail {

FleetQuestions::FleetQuestions(const QualityOrder& order, const FleetAnswers& answers, std::int64_t first,
                               std::int64_t n) {
  for (std::int64_t l = 0; l < answers.n_limits(); ++l)
    for (std::int64_t device = first; device < first + n; ++device) {
      limits.push_back(answers.limits_of(device)[l]);
      ends.push_back(static_cast<std::uint32_t>(order.end_of(answers.least_quality(device, l))));
    }
}

bool FleetQuestions::any() const {
  return std::any_of(ends.begin(), ends.end(), [](std::uint32_t end) { return end > 0; });
}

void offer_places(const QualityOrder& order, std::int64_t first, std::int64_t n, std::span<const std::uint32_t> places,
                  std::span<const double> latencies, FleetAnswers& answers) {
  for (std::size_t cell = 0; cell < places.size(); ++cell) {
    const std::uint32_t place = places[cell];
    if (place >= order.size()) continue;
    const auto at = static_cast<std::int64_t>(cell);
    answers.offer(first + at % n, at / n, {order.index[place], latencies[cell], order.quality[place]});
  }
}

}  // namespace oneproxy::detail
