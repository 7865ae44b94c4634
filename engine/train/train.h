#pragma once
// Training of a multilayer perceptron for latency or accuracy on the one-hot code of a space, optionally with physical
// features, and fine-tuning of one that is trained. The result is an MlpPredictor that needs no LibTorch.
//   t = (f(value) - mean) / deviation of the fitting rows, f the logarithm with log_target
//   x = one-hot code, then features (z - mean) / deviation; features are folded into the code's rows afterwards
// A pairwise loss ranks only: its scores are brought to the values' scale by least squares on the fitting rows.
// Every draw is ours (kernels/base/random.h), and sums run on one thread: the same settings and data give the same
// weights to the last bit on the same kind of CPU, interrupted or not.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oneproxy/engine/device/samples.h"
#include "oneproxy/engine/predictor/mlp_predictor.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/engine/train/network.h"

namespace oneproxy {

// Layers are numbered from 0 (the code's rows and their bias) to the last.
struct FineTuning {
  MlpPredictor start;
  std::vector<int> frozen_layers;
  bool last_layer_only = false;  // freezes all but the last
  double l2_sp = 0;              // penalty towards the start (train/network.h)
  bool keep_scale = false;       // targets on the scale of the start; otherwise standardised anew
};

struct TrainSettings {
  std::string target, unit;  // for people, as MlpPredictor has them
  std::vector<int> hidden = {128, 128};
  Loss loss = Loss::mse;
  double huber_delta = 1, margin = 1;  // in standardised units
  bool log_target = false;
  std::vector<std::string> features;  // "macs", "parameters", "activation_bytes"
  double learning_rate = 1e-3;        // falls to 0 along a half cosine over `epochs`, unless constant_rate
  bool constant_rate = false;
  double weight_decay = 1e-4;
  std::int64_t batch = 256;    // at most; the rows of an epoch are dealt evenly
  std::int64_t epochs = 200;   // at most
  std::int64_t patience = 30;  // epochs without a smaller validation loss; without stopping rows all epochs run
  std::uint64_t seed = 1;
  Backend backend = Backend::cpu;
  bool fp64 = false;
  std::optional<FineTuning> fine_tuning;  // `hidden` is the start's then, and there are no features

  std::string checkpoint;          // file of the state; "" keeps none. It stays when the training is done.
  double checkpoint_seconds = 10;  // between two of them
};

struct TrainingResult {
  MlpPredictor predictor;                           // of the epoch with the least validation loss
  std::vector<double> train_loss, validation_loss;  // [epochs]; the latter empty without stopping rows
  std::int64_t best_epoch = 0;                      // from 0
  bool stopped_early = false, resumed = false;
  std::int64_t n_fitting = 0, n_stopping = 0, n_dropped = 0;  // rows; dropped for a NaN
};

// Values are in the target's unit; rows with NaN are left out. Errors: settings out of range, rows that are no
// architectures of the space, fewer than two fitting rows, values without spread, values <= 0 with log_target, a start
// of another space, losses that grow beyond all numbers, a checkpoint of other settings or data, a build without
// LibTorch, CUDA where there is none. After Ctrl-C (Interrupted) the checkpoint holds the last batch's end.
TrainingResult train_mlp(const SearchSpace& space, const TrainingSamples& fitting, const StoppingSamples& stopping,
                         const TrainSettings& settings);

}  // namespace oneproxy
