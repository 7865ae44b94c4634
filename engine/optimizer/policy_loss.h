#pragma once
// Cross entropy of the choices that were made, over those that the network chooses from.
#include <cstdint>
#include <span>

namespace oneproxy {

// Of a choice at a decision. `beyond`: the network counts it, but no architecture within the limit is left after it.
enum class Opening : std::uint8_t { closed, open, beyond };

struct LabelledSteps {
  int n_decisions = 0, n_choices = 0;
  std::span<const Opening> open;         // [n, n_decisions, n_choices]
  std::span<const std::uint8_t> labels;  // [n, n_decisions], choices that are not closed
};

// logits [n, n_decisions, n_choices] -> mean over n of the sum over decisions of -log p(label), in nats, and its
// derivatives by the logits, of the same shape (0 where closed).
double cross_entropy(const LabelledSteps& steps, std::span<const double> logits, std::span<double> by_logits);

// logits [n] of one decision -> probabilities [n] of the choices that are not closed, 0 of the others. Returns
// the logarithm of the sum of exponentials, so that log p = logit - that.
double open_softmax(std::span<const double> logits, std::span<const Opening> open, std::span<double> probabilities);

}  // namespace oneproxy
