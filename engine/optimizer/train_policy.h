#pragma once
// Training of a policy on exact optima: cross entropy of their choices (teacher forcing: each decision sees the right
// ones before it), AdamW, a learning rate that falls to 0 along half a cosine. Every batch is drawn, with replacement,
// by our own generator, and sums run on one thread: the same settings and examples give the same numbers to the last
// bit on the same kind of CPU, interrupted or not.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/optimizer/policy.h"

namespace oneproxy {

struct PolicyTrainSettings {
  bool autoregressive = true;    // false: independent decisions, an ablation
  std::vector<int> trunk, head;  // hidden widths; empty trunk: those that fit the kind of space (default_widths)
  std::int64_t steps = 8000, batch = 256;
  double learning_rate = 2e-3, weight_decay = 1e-4;
  double validation_share = 0.02;       // of the devices, whose examples are not trained on; rounded to whole devices
  std::int64_t validation_every = 500;  // steps
  std::uint64_t seed = 1;

  std::string checkpoint;          // file of the state; "" keeps none. It stays when the training is done.
  double checkpoint_seconds = 10;  // between two of them
};

// Cells: trunk 256-256 and six heads of 96. Layers: trunk 128-64 and one head of 128-64 for all. Sets what is empty.
void default_widths(const PolicySteps& steps, PolicyTrainSettings& settings);

struct PolicyTrainingResult {
  PolicyShape shape;
  std::vector<double> parameters;       // of the last step, as Policy takes them
  std::vector<double> train_loss;       // mean over each `validation_every` steps, in nats an architecture
  std::vector<double> validation_loss;  // after them, empty without validation
  std::int64_t n_examples = 0, n_validation = 0;
  bool resumed = false;
};

// n_qualities: that the examples ask for. Errors: settings out of range, no examples, an example of a device that there
// is not, choices that are no architecture of the space or break their own limit by the device's predictor, shares that
// are not above 0, coordinates of different numbers or not finite, losses that grow beyond all numbers, a checkpoint of
// other settings or examples, a build without LibTorch. After Ctrl-C (Interrupted) the checkpoint holds the last step.
PolicyTrainingResult train_policy(const SearchSpace& space, std::span<const OptimizerDevice> devices,
                                  std::span<const TrainingExample> examples, int n_qualities, bool energy,
                                  const PolicyTrainSettings& settings);

}  // namespace oneproxy
