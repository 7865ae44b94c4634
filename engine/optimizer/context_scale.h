#pragma once
// The network is trained on contexts of mean 0 and deviation 1; afterwards that is folded into its first layer.
#include <span>
#include <vector>

#include "oneproxy/engine/optimizer/steps.h"

namespace oneproxy {

class ContextScale {
 public:
  // Over the contexts of all examples. Keeps the addresses of both spans' elements. Errors: a coordinate that is not
  // finite, another number of them than the steps have, a device that there is not, those of check_query.
  ContextScale(const PolicySteps& steps, std::span<const OptimizerDevice> devices,
               std::span<const TrainingExample> examples);

  const std::vector<double>& mean() const { return mean_; }            // [n_context]
  const std::vector<double>& deviation() const { return deviation_; }  // [n_context]; 1 where nothing varies

  // The context of an example, standardised. context [n_context].
  void write(const TrainingExample& example, std::span<double> context) const;
  // Parameters [n_parameters] that do on contexts as they are what these do on standardised ones.
  std::vector<double> folded(const PolicyShape& shape, std::vector<double> parameters) const;

 private:
  const PolicySteps& steps_;
  std::span<const OptimizerDevice> devices_;
  std::vector<double> mean_, deviation_;
};

}  // namespace oneproxy
