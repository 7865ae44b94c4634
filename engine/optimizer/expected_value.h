#pragma once
// The exact expectation of a predictor where every decision is drawn on its own, with its derivatives: what lets a
// network of independent decisions be trained through a predictor, without labels and without the noise of samples.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/optimizer/cost_bound.h"

namespace oneproxy {

// probabilities [n_decisions, n_choices], n_choices the largest radix; each row sums to 1 over the choices that are
// open while no stage is closed, and is 0 elsewhere. by [n_decisions, n_choices]: the derivatives by them, each as if
// it could change alone.

// Of values [product of radices], one an architecture, of a space without stages.
//   E = sum over architectures of p_0(x_0) p_1(x_1) ... value(x)
double expected_table(const StageRules& rules, int n_choices, std::span<const double> values,
                      std::span<const double> probabilities, std::span<double> by);

// Of a sum over decisions, whose table decision 0 may select. Where a block of a stage is missing, so are those after
// it, whatever they were drawn as: a block counts with the probability that all before it in its stage are active.
double expected_sum(const StageRules& rules, int n_choices, const AdditivePredictor& predictor,
                    std::span<const double> probabilities, std::span<double> by);

}  // namespace oneproxy
