#include "oneproxy/engine/adapt/design/advice.h"

#include <algorithm>
#include <cmath>

namespace oneproxy {

Advice advise(const BayesModel& model, const AdaptedBayes& adapted, const ExpectedSrcc& expected, double threshold,
              double confidence, std::span<const std::uint8_t> next) {
  Advice advice;
  const std::size_t decisions = model.features().space().radices().size();
  const int max_more = static_cast<int>(next.size() / decisions);
  if (adapted.from_prior) {
    advice.more = -1;
    advice.reachable = std::nan("");
    return advice;
  }
  const int n = static_cast<int>(adapted.posterior.scales.size());
  const int min_more = std::max(0, kMinSamplesToStop - n);
  advice.stop = min_more == 0 && expected.probability(threshold) >= confidence;
  if (advice.stop) {
    advice.reachable = expected.value;
    return advice;
  }
  const auto z = model.design(model.features().rows(next));
  const std::size_t columns = model.layout().n_columns();
  // The quantile of the draws that has to reach the threshold.
  const auto& draws = expected.draws;
  const auto at = static_cast<std::size_t>((1 - confidence) * static_cast<double>(draws.size() - 1));
  const double gap = (expected.value - draws[at]) / std::max(1 - expected.value, 1e-9);
  advice.more = -1;
  for (int m = std::max(1, min_more); m <= max_more; ++m) {
    advice.reachable = model.expected_srcc_with(adapted, std::span(z).first(m * columns));
    if (advice.reachable - gap * (1 - advice.reachable) >= threshold) {
      advice.more = m;
      break;
    }
  }
  return advice;
}

}  // namespace oneproxy
