#pragma once
// A multilayer perceptron trained on a source device's measurements and fine-tuned on the target's few: the transfer
// that published few-shot predictors start from. Needs LibTorch to train; what comes out does not.
//   pretraining   mse on standardised log latency, AdamW, a tenth of the measurements stops it
//   fine-tuning   the source's output is first brought to the target's scale by least squares on the samples (log
//                 latency, slope at least 0.3 of the ratio of the deviations: a proxy that ranks the samples badly
//                 still leaves a scale to train on); then all samples in one batch, no sample held out
// Of several sources, the one whose network ranks the target's samples best is fine-tuned: the result stays one network
// that the scoring kernels can run.
#include <cstdint>
#include <memory>
#include <vector>

#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/predictor/mlp_predictor.h"

namespace oneproxy {

struct FineTuneSettings {
  std::vector<int> hidden = {64, 64};
  std::int64_t pretraining_epochs = 200;  // at most
  std::int64_t epochs = 100;              // of fine-tuning, one step each
  double learning_rate = 1e-3;            // of fine-tuning
  std::vector<int> frozen_layers;         // from 0 (the code's rows) to hidden.size(), the last
  bool last_layer_only = false;
  double l2_sp = 0.01;
  std::uint64_t seed = 1;
};

// Errors: a build without LibTorch, fewer than two measurements, no spread, a latency outside
// device/value_range.h (each names the device).
MlpPredictor pretrain(const SearchSpace& space, const SourceDevice& device, const FineTuneSettings& settings);

// From the networks of the source devices, at least one. Adapting: errors as above, of the target's samples.
std::unique_ptr<AdaptationMethod> make_finetune(std::shared_ptr<const ArchitectureFeatures> features,
                                                std::vector<MlpPredictor> networks, const FineTuneSettings& settings);

}  // namespace oneproxy
