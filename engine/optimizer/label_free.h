#pragma once
// The training of Lu, Yang, Ren, "Scaling Up Deep Neural Network Optimization for Edge Inference", 2020, as the
// baseline that it is: no labels; the loss goes through differentiable predictors of the performance,
//   with a limit        -E[quality] / spread + penalty E[excess],   excess = max(0, latency - limit)
//   with a preference   -(l_0 E[quality] / spread - l_1 E[latency] - l_2 E[energy])
// over architectures whose decisions the network draws each on its own. Here expectations are exact, without Gumbel
// noise: of a small space over all its architectures, of sums over decisions by their probabilities, where the excess
// is that of the expected latency.
#include <span>

#include "oneproxy/engine/optimizer/training_loop.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

struct LabelFreeSettings {
  PolicyTrainSettings training;  // autoregressive is not looked at
  double penalty = 5;            // spreads of the quality for a deviation of latency beyond the limit
};

// The examples' choices are not looked at. qualities with their spreads (optimizer/optima.h), as the queries number
// them, each to be maximised. All devices have their predictors, of one kind: tables of a small space, or sums over
// decisions, which the qualities then are too. A quality that is not known of some architectures of a small space
// counts as its least there. Errors: otherwise, and those of check_training and train_in_steps.
PolicyTrainingResult train_label_free(const SearchSpace& space, std::span<const OptimizerDevice> devices,
                                      std::span<const TrainingExample> examples, std::span<const Objective> qualities,
                                      std::span<const double> spreads, bool energy, const LabelFreeSettings& settings);

// The loss of one query and its derivatives: what the training minimises the mean of. quality, latency and, where the
// preference weighs it, energy are predictors of one kind; probabilities and `by` as in expected_value.h.
double label_free_loss(const StageRules& rules, int n_choices, const OptimizerQuery& query, const Predictor& quality,
                       double spread, const Predictor& latency, const Predictor* energy, double penalty,
                       std::span<const double> probabilities, std::span<double> by);

}  // namespace oneproxy
