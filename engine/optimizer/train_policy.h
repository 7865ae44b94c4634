#pragma once
// Training of a policy on exact optima: cross entropy of their choices (teacher forcing: each decision sees the right
// ones before it). Every draw is ours, and sums run on one thread: the same settings and examples give the same numbers
// to the last bit on the same kind of CPU, interrupted or not.
#include <span>

#include "oneproxy/engine/optimizer/training_loop.h"

namespace oneproxy {

// n_qualities: that the examples ask for. Losses are in nats an architecture. Errors: those of check_training and
// train_in_steps; an example of a device that there is not, choices that are no architecture of the space or break
// their own limit by the device's predictor, shares that are not above 0, coordinates of different numbers or not
// finite.
PolicyTrainingResult train_policy(const SearchSpace& space, std::span<const OptimizerDevice> devices,
                                  std::span<const TrainingExample> examples, int n_qualities, bool energy,
                                  const PolicyTrainSettings& settings);

}  // namespace oneproxy
