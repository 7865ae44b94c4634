#pragma once
// One network for all devices: f(architecture, reference latencies) is the standardised latency of the architecture on
// the device whose latencies of the reference architectures these are (the input of HELP; Lee et al., "HELP:
// Hardware-adaptive efficient latency prediction", NeurIPS 2021). Trained on the sources, it is told of a target by its
// measurements alone and is not trained on them. Needs LibTorch to train (train/network.h).
//   t(x) = (latency(x) - mean) / deviation, both over the references;  input: one-hot code of x, t of the references
// The references' share of the first layer is the same for all x, so a device's own network is an MlpPredictor: its
// first bias holds that share.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/sources.h"
#include "oneproxy/engine/predictor/mlp_predictor.h"

namespace oneproxy {

struct ReferenceNetworkSettings {
  std::vector<int> hidden = {128, 128};
  std::int64_t epochs = 30;
  double learning_rate = 2e-3;  // of AdamW, falls to 0 along a half cosine
  std::uint64_t seed = 1;
};

class ReferenceNetwork {
 public:
  // references [k, n_decisions], k >= 3. A source's latency of a reference is what was measured of it, else what its
  // predictor says. Errors: a build without LibTorch, a source whose references have no spread.
  ReferenceNetwork(const Sources& sources, std::vector<std::uint8_t> references,
                   const ReferenceNetworkSettings& settings);

  // latency_ms [k] of the references on a device. Error: no spread.
  MlpPredictor of_device(std::span<const double> latency_ms) const;
  // The score of architectures [n, n_decisions] by the whole network, for references of these t [k]: what of_device
  // folds, without folding.
  std::vector<double> scores(std::span<const std::uint8_t> choices, std::span<const double> standardised) const;

 private:
  std::string space_;
  std::vector<std::uint8_t> radices_;
  int n_code_ = 0, n_references_ = 0;
  std::vector<int> widths_;
  std::vector<double> parameters_;  // train/network.h
};

}  // namespace oneproxy
