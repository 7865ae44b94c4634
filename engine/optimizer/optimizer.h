#pragma once
// A trained optimizer that is ready to be asked about devices, in their own units.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "oneproxy/engine/optimizer/answer.h"
#include "oneproxy/engine/optimizer/policy_file.h"

namespace oneproxy {

class Optimizer {
 public:
  // `qualities`: those that it was trained for, in its order (SavedOptimizer::qualities names them); `where` names the
  // file in errors. Refers to the space. Errors: those of policy_of, another number of qualities.
  Optimizer(SavedOptimizer saved, const SearchSpace& space, std::vector<Objective> qualities, const std::string& where);

  const SavedOptimizer& saved() const { return saved_; }

  struct Device {
    AskedDevice asked;
    DeviceCoordinates::Device latency, energy;  // with their scales
    std::string remark;  // "" or why its answers are a guess: farther out than the devices of the training
  };
  // Any predictor is a device: adapted, imported, trained. A network becomes a table on a small space. Errors: a
  // predictor of another space, a network on a large one, an energy that is missing or that the optimizer never saw.
  Device device(const Predictor& latency, const Predictor* energy = nullptr) const;

  struct Answer {
    std::vector<std::uint8_t> choices;            // empty: no proposal keeps the limit
    double quality = 0, latency = 0, energy = 0;  // by the predictors, in their units
    int n_proposals = 0;
  };
  // A limit in the latency's unit, or a preference (weights of quality, latency, energy of any positive sum).
  struct Question {
    int quality = 0;
    std::optional<double> limit = std::nullopt;
    std::array<double, 3> preference{};
    int proposals = 10;  // 1: one pass, unchecked
    std::uint64_t seed = 1;
  };
  // Error: a limit below the device's cheapest network, which it names.
  Answer answer(const Device& device, const Question& question) const;
  // All proposals, unchecked, most probable first: choices [n][n_decisions].
  std::vector<std::vector<std::uint8_t>> propose(const Device& device, const Question& question) const;

 private:
  OptimizerQuery query_of(const Device& device, const Question& question) const;

  const SearchSpace& space_;
  SavedOptimizer saved_;
  std::vector<Objective> qualities_;
  Policy policy_;
};

}  // namespace oneproxy
