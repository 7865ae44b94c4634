#pragma once
// The neural optimizer from source devices: plausible devices, exact answers about them, and a policy trained on these.
// Source of the idea: Lu, Yang, Ren, "Scaling Up Deep Neural Network Optimization for Edge Inference", 2020: a network
// that "takes both device features and optimization parameters as input and directly outputs the optimal DNN design".
// They train it without labels, through differentiable predictors (label_free.h is that); exact answers cost
// milliseconds here, and teach far better (docs/scaling_up.md).
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/sources.h"
#include "oneproxy/engine/optimizer/policy_file.h"
#include "oneproxy/engine/optimizer/train_policy.h"
#include "oneproxy/engine/optimizer/training_set.h"

namespace oneproxy {

struct OptimizerSettings {
  TrainingSetSettings data;
  PolicyTrainSettings training;
};

// A policy with all that is needed to ask it. `set` is made from `sources` and answers of `optima`; `qualities` are
// their names, as make_objective takes them.
SavedOptimizer train_optimizer(const Sources& sources, const Optima& optima, std::span<const std::string> qualities,
                               const TrainingSet& set, const OptimizerSettings& settings);

// Over the sources' names and measurements, as hex.
std::string checksum(std::span<const SourceDevice> sources);

}  // namespace oneproxy
