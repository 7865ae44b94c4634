#include "oneproxy/engine/optimizer/context_scale.h"

#include <cmath>
#include <string>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

ContextScale::ContextScale(const PolicySteps& steps, std::span<const OptimizerDevice> devices,
                           std::span<const TrainingExample> examples)
    : steps_(steps), devices_(devices) {
  for (std::size_t d = 0; d < devices.size(); ++d)
    for (const double x : devices[d].coordinates)
      if (!std::isfinite(x))
        throw Error("a coordinate of training device " + std::to_string(d) + " is " + plain(x) +
                    "; take finite predictors only");
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (examples[i].device < 0 || examples[i].device >= std::ssize(devices))
      throw Error("training example " + std::to_string(i) + " is of device " + std::to_string(examples[i].device) +
                  ", there are " + std::to_string(devices.size()));
    check_query(examples[i].query, steps.inputs().n_qualities, steps.inputs().energy);
  }
  const std::size_t width = steps.n_context();
  const auto n = static_cast<double>(examples.size());
  std::vector<double> context(width), first(width);
  std::vector<char> varies(width, 0);
  mean_.assign(width, 0.0);
  deviation_.assign(width, 0.0);
  const auto visit = [&](const auto& each) {
    for (const auto& example : examples) {
      steps.context(devices[example.device].coordinates, example.query, context);
      if (&example == examples.data()) first = context;
      for (std::size_t i = 0; i < width; ++i) each(i);
    }
  };
  visit([&](std::size_t i) {
    mean_[i] += context[i] / n;
    varies[i] |= context[i] != first[i];
  });
  visit([&](std::size_t i) { deviation_[i] += (context[i] - mean_[i]) * (context[i] - mean_[i]) / n; });
  // What never varies would have a deviation of rounding errors.
  for (std::size_t i = 0; i < width; ++i) deviation_[i] = varies[i] ? std::sqrt(deviation_[i]) : 1;
}

void ContextScale::write(const TrainingExample& example, std::span<double> context) const {
  steps_.context(devices_[example.device].coordinates, example.query, context);
  for (std::size_t i = 0; i < context.size(); ++i) context[i] = (context[i] - mean_[i]) / deviation_[i];
}

std::vector<double> ContextScale::folded(const PolicyShape& shape, std::vector<double> parameters) const {
  const std::size_t inputs = shape.n_context, outputs = shape.trunk.front();
  double* bias = &parameters[inputs * outputs];
  for (std::size_t j = 0; j < outputs; ++j)
    for (std::size_t i = 0; i < inputs; ++i) {
      double& weight = parameters[j * inputs + i];
      weight /= deviation_[i];
      bias[j] -= weight * mean_[i];
    }
  return parameters;
}

}  // namespace oneproxy
