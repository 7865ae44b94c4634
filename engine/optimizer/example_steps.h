#pragma once
// Training examples as batches of the network's inputs, masks and labels.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/optimizer/steps.h"

namespace oneproxy {

struct ExampleBatch {
  std::vector<double> context;       // [n, n_context]
  std::vector<double> steps;         // [n, n_decisions, n_step_inputs]
  std::vector<Opening> open;         // [n, n_decisions, n_choices]
  std::vector<std::uint8_t> labels;  // [n, n_decisions]
};

class ExampleSteps {
 public:
  // Keeps the addresses of all. Errors: those of train_policy that are about devices and examples.
  ExampleSteps(const SearchSpace& space, const PolicySteps& steps, std::span<const OptimizerDevice> devices,
               std::span<const TrainingExample> examples);

  // Of the context over all examples, [n_context]; 1 where nothing varies.
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& deviation() const { return deviation_; }

  // Examples [n], and for each a number in [0, 1) that picks one of its labels by their shares. The context is
  // standardised.
  void batch(std::span<const std::int64_t> examples, std::span<const double> picks, ExampleBatch& batch) const;

 private:
  void check(const SearchSpace& space) const;
  void write(const TrainingExample& example, double pick, std::size_t row, ExampleBatch& batch) const;

  const PolicySteps& steps_;
  std::span<const OptimizerDevice> devices_;
  std::span<const TrainingExample> examples_;
  std::vector<DeviceCosts> costs_;  // [n devices]
  std::vector<double> mean_, deviation_;
};

}  // namespace oneproxy
