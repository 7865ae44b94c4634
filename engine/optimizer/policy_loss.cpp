#include "oneproxy/engine/optimizer/policy_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

double open_softmax(std::span<const double> logits, std::span<const Opening> open, std::span<double> probabilities) {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < logits.size(); ++c)
    if (open[c] != Opening::closed) largest = std::max(largest, logits[c]);
  double sum = 0;
  for (std::size_t c = 0; c < logits.size(); ++c) {
    probabilities[c] = open[c] != Opening::closed ? std::exp(logits[c] - largest) : 0;
    sum += probabilities[c];
  }
  for (double& p : probabilities) p /= sum;
  return largest + std::log(sum);
}

double cross_entropy(const LabelledSteps& steps, std::span<const double> logits, std::span<double> by_logits) {
  const std::size_t width = steps.n_choices, n_steps = steps.labels.size();
  ONEPROXY_ASSERT(logits.size() == n_steps * width && by_logits.size() == logits.size() &&
                  steps.open.size() == logits.size());
  const double share = static_cast<double>(steps.n_decisions) / static_cast<double>(n_steps);  // 1 / n
  double loss = 0;
  for (std::size_t i = 0; i < n_steps; ++i) {
    const auto own = logits.subspan(i * width, width);
    const auto by = by_logits.subspan(i * width, width);
    const int label = steps.labels[i];
    const double total = open_softmax(own, steps.open.subspan(i * width, width), by);
    loss -= share * (own[label] - total);
    for (double& b : by) b *= share;
    by[label] -= share;
  }
  return loss;
}

}  // namespace oneproxy
