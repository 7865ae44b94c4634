#pragma once
// Training examples as step inputs, masks and labels of a network.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/optimizer/steps.h"

namespace oneproxy {

struct ExampleLabels {
  std::vector<Opening> open;          // [n, n_decisions, n_choices]
  std::vector<std::uint8_t> choices;  // [n, n_decisions]
};

class ExampleSteps {
 public:
  // Keeps the addresses of all. The examples are of devices that there are (ContextScale). Errors: those of
  // train_policy that are about labels.
  ExampleSteps(const SearchSpace& space, const PolicySteps& steps, std::span<const OptimizerDevice> devices,
               std::span<const TrainingExample> examples);

  // Examples [n], and for each a number in [0, 1) that picks one of its labels by their shares. steps [n, n_decisions,
  // n_step_inputs].
  void write(std::span<const std::int64_t> examples, std::span<const double> picks, std::vector<double>& steps,
             ExampleLabels& labels) const;

 private:
  void check(const SearchSpace& space) const;
  void write_row(const TrainingExample& example, double pick, std::size_t row, std::span<double> steps,
                 ExampleLabels& labels) const;

  const PolicySteps& steps_;
  std::span<const OptimizerDevice> devices_;
  std::span<const TrainingExample> examples_;
  std::vector<DeviceCosts> costs_;  // [n devices]
};

}  // namespace oneproxy
