#pragma once
// What all trainings of a policy share: settings, devices kept out for validation, steps of AdamW with a learning rate
// that falls to 0 along half a cosine, progress, checkpoints.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/optimizer/steps.h"

namespace oneproxy {

struct PolicyTrainSettings {
  bool autoregressive = true;    // false: independent decisions, an ablation
  std::vector<int> trunk, head;  // hidden widths; an empty trunk: both as fits the kind of space (default_widths)
  std::int64_t steps = 8000, batch = 256;
  double learning_rate = 2e-3, weight_decay = 1e-4;
  double validation_share = 0.02;       // of the devices, whose examples are not trained on; rounded to whole devices
  std::int64_t validation_every = 500;  // steps
  std::uint64_t seed = 1;

  std::string checkpoint;          // file of the state; "" keeps none. It stays when the training is done.
  double checkpoint_seconds = 10;  // between two of them
};

// Cells: trunk 256-256 and six heads of 96. Layers: trunk 128-64 and one head of 128-64 for all; where layers are
// decided on their own, no hidden layers in the heads. Sets both where the trunk is empty.
void default_widths(const PolicySteps& steps, PolicyTrainSettings& settings);

struct PolicyTrainingResult {
  PolicyShape shape;
  std::vector<double> parameters;       // of the last step, as Policy takes them
  std::vector<double> train_loss;       // mean over each `validation_every` steps
  std::vector<double> validation_loss;  // after them, empty without validation
  std::int64_t n_examples = 0, n_validation = 0;
  bool resumed = false;
};

// Errors: settings out of range, a build without LibTorch, no devices or examples.
void check_training(const PolicyTrainSettings& settings, std::span<const OptimizerDevice> devices,
                    std::span<const TrainingExample> examples);

// Whole devices are kept out, so that the validation tells of a device that is new; of their examples at most 2,048.
struct ExampleSplit {
  std::vector<std::int64_t> fitting, validation;  // numbers of examples
};
// Error: no examples left to train on.
ExampleSplit split_examples(const PolicyTrainSettings& settings, std::int64_t n_devices,
                            std::span<const TrainingExample> examples);

// Everything that a result depends on but the space, as text: settings, network, coordinates and examples, and where
// `predictors`, also the predictors of the devices.
std::string training_identity(const PolicySteps& steps, const PolicyTrainSettings& settings,
                              std::span<const OptimizerDevice> devices, std::span<const TrainingExample> examples,
                              bool predictors);

// Inputs of a batch of examples and their loss; `picks` [n] in [0, 1) are draws for whatever the loss needs. The loss
// may refer to what it was made from until the next call.
struct PolicyBatch {
  std::vector<double> context, steps;  // as PolicyNetwork takes them
};
using MakeBatch =
    std::function<LogitLoss(std::span<const std::int64_t> examples, std::span<const double> picks, PolicyBatch& batch)>;

// Batches are drawn with replacement by our own generator, and validation examples always have the same picks. The
// parameters are those of the network as it was trained (ContextScale::folded). Errors: losses that grow beyond all
// numbers, a checkpoint of another identity. After Ctrl-C (Interrupted) the checkpoint holds the last step.
PolicyTrainingResult train_in_steps(const PolicySteps& steps, const PolicyTrainSettings& settings,
                                    const ExampleSplit& split, const std::string& identity,
                                    const MakeBatch& make_batch);

}  // namespace oneproxy
