#pragma once
// Cross entropy of the choices that were made, over those that were open.
#include <cstdint>
#include <span>

namespace oneproxy {

struct LabelledSteps {
  int n_decisions = 0, n_choices = 0;
  std::span<const std::uint8_t> open;    // [n, n_decisions, n_choices], 1 where a choice may be made
  std::span<const std::uint8_t> labels;  // [n, n_decisions], open choices
};

// logits [n, n_decisions, n_choices] -> mean over n of the sum over decisions of -log p(label), in nats, and its
// derivatives by the logits, of the same shape (0 where closed).
double cross_entropy(const LabelledSteps& steps, std::span<const double> logits, std::span<double> by_logits);

// logits [n] of one decision -> probabilities [n] of the open choices, 0 of the others. At least one is open. Returns
// the logarithm of the sum of exponentials, so that log p = logit - that.
double open_softmax(std::span<const double> logits, std::span<const std::uint8_t> open,
                    std::span<double> probabilities);

}  // namespace oneproxy
