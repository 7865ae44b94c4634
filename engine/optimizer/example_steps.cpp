#include "oneproxy/engine/optimizer/example_steps.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

constexpr double kRounding = 1e-9;  // by which an exact optimum may pass its limit, in deviations

}  // namespace

ExampleSteps::ExampleSteps(const SearchSpace& space, const PolicySteps& steps, std::span<const OptimizerDevice> devices,
                           std::span<const TrainingExample> examples)
    : steps_(steps), devices_(devices), examples_(examples) {
  // Where costs are no inputs, no table of a device is looked at: there may be thousands.
  for (const auto& device : devices) {
    OptimizerDevice seen;
    if (steps.needs_costs()) seen = {{}, device.latency, device.energy};
    costs_.emplace_back(steps, seen);
  }
  check(space);
}

void ExampleSteps::check(const SearchSpace& space) const {
  const std::size_t n_decisions = steps_.n_decisions();
  for (std::size_t i = 0; i < examples_.size(); ++i) {
    const auto& example = examples_[i];
    const auto fail = [&](const std::string& what) {
      throw Error("training example " + std::to_string(i) + what + "; make the examples again");
    };
    const std::size_t n_labels = example.choices.size() / n_decisions;
    if (n_labels == 0 || example.choices.size() != n_labels * n_decisions)
      fail(" has " + std::to_string(example.choices.size()) + " choices, an architecture has " +
           std::to_string(n_decisions));
    if (!example.shares.empty() && example.shares.size() != n_labels)
      fail(" has " + std::to_string(example.shares.size()) + " shares of " + std::to_string(n_labels) + " labels");
    for (const float share : example.shares)
      if (!(share > 0) || !std::isfinite(share)) fail(" has the share " + plain(share) + "; shares are above 0");
    for (std::size_t l = 0; l < n_labels; ++l) {
      const auto label = std::span(example.choices).subspan(l * n_decisions, n_decisions);
      if (const auto fault = space.fault(label); !fault.empty())
        fail(" is no architecture of " + space.name() + ": " + fault);
      if (!steps_.needs_costs()) continue;
      double value = 0;
      predict(*devices_[example.device].latency, label, std::span(&value, 1));
      if (std::isnan(value)) fail(" has a choice that its device can not be predicted with");
      if (example.query.limit && value > *example.query.limit + kRounding * (1 + std::abs(value)))
        fail(" has the latency " + brief(value) + ", beyond its limit " + brief(*example.query.limit));
    }
  }
}

void ExampleSteps::write(std::span<const std::int64_t> examples, std::span<const double> picks,
                         std::vector<double>& steps, ExampleLabels& labels) const {
  const std::size_t n = examples.size(), n_steps = n * steps_.n_decisions();
  steps.resize(n_steps * steps_.n_step_inputs());
  labels.open.resize(n_steps * steps_.n_choices());
  labels.choices.resize(n_steps);
  const auto write_one = [&](std::int64_t row) { write_row(examples_[examples[row]], picks[row], row, steps, labels); };
  if (steps_.needs_costs())
    parallel_for(std::ssize(examples), write_one);
  else
    for (std::size_t row = 0; row < n; ++row) write_one(static_cast<std::int64_t>(row));
}

void ExampleSteps::write_row(const TrainingExample& example, double pick, std::size_t row, std::span<double> steps,
                             ExampleLabels& labels) const {
  const std::size_t n_decisions = steps_.n_decisions(), n_inputs = steps_.n_step_inputs();
  const std::size_t n_choices = steps_.n_choices();
  const std::size_t n_labels = example.choices.size() / n_decisions;
  std::size_t label = 0;
  if (example.shares.empty()) {
    label = std::min(static_cast<std::size_t>(pick * static_cast<double>(n_labels)), n_labels - 1);
  } else {
    double total = 0;
    for (const float share : example.shares) total += share;
    double before = example.shares[0];
    while (label + 1 < n_labels && before <= pick * total) before += example.shares[++label];
  }
  const auto choices = std::span(example.choices).subspan(label * n_decisions, n_decisions);
  OptimizerQuery query = example.query;
  const auto& costs = costs_[example.device];
  if (query.limit && costs.latency) {  // room for what rounding adds to a label that meets its limit exactly
    double value = 0;
    predict(*devices_[example.device].latency, choices, std::span(&value, 1));
    query.limit = std::max(*query.limit, value) + costs.latency->rounding();
  }
  Walk walk(steps_, costs, query);
  for (std::size_t d = 0; d < n_decisions; ++d) {
    const std::size_t step = row * n_decisions + d;
    const auto open = std::span(labels.open).subspan(step * n_choices, n_choices);
    walk.look(steps.subspan(step * n_inputs, n_inputs), open);
    ONEPROXY_ASSERT(open[choices[d]] == Opening::open);
    labels.choices[step] = choices[d];
    walk.choose(choices[d]);
  }
}

}  // namespace oneproxy
