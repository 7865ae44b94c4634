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
  for (std::size_t i = 0; i < width; ++i) deviation_[i] = varies[i] ? std::sqrt(deviation_[i]) : 1;
}

void ExampleSteps::check(const SearchSpace& space) const {
  const std::size_t n_decisions = steps_.n_decisions();
  for (std::size_t d = 0; d < devices_.size(); ++d)
    for (const double x : devices_[d].coordinates)
      if (!std::isfinite(x)) throw Error("a coordinate of training device " + std::to_string(d) + " is " + plain(x));
  for (std::size_t i = 0; i < examples_.size(); ++i) {
    const auto& example = examples_[i];
    const auto fail = [&](const std::string& what) { throw Error("training example " + std::to_string(i) + what); };
    if (example.device < 0 || example.device >= std::ssize(devices_))
      fail(" is of device " + std::to_string(example.device) + ", there are " + std::to_string(devices_.size()));
    check_query(example.query, steps_.inputs().n_qualities, steps_.inputs().energy);
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

void ExampleSteps::batch(std::span<const std::int64_t> examples, std::span<const double> picks,
                         ExampleBatch& batch) const {
  const std::size_t n = examples.size(), n_steps = n * steps_.n_decisions();
  batch.context.resize(n * steps_.n_context());
  batch.steps.resize(n_steps * steps_.n_step_inputs());
  batch.open.resize(n_steps * steps_.n_choices());
  batch.labels.resize(n_steps);
  const auto write_row = [&](std::int64_t row) { write(examples_[examples[row]], picks[row], row, batch); };
  if (steps_.needs_costs())
    parallel_for(std::ssize(examples), write_row);
  else
    for (std::size_t row = 0; row < n; ++row) write_row(static_cast<std::int64_t>(row));
}

void ExampleSteps::write(const TrainingExample& example, double pick, std::size_t row, ExampleBatch& batch) const {
  const std::size_t width = steps_.n_context(), n_decisions = steps_.n_decisions();
  const std::size_t n_inputs = steps_.n_step_inputs(), n_choices = steps_.n_choices();
  const auto context = std::span(batch.context).subspan(row * width, width);
  steps_.context(devices_[example.device].coordinates, example.query, context);
  for (std::size_t i = 0; i < width; ++i) context[i] = (context[i] - mean_[i]) / deviation_[i];

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
    const auto open = std::span(batch.open).subspan(step * n_choices, n_choices);
    walk.look(std::span(batch.steps).subspan(step * n_inputs, n_inputs), open);
    ONEPROXY_ASSERT(open[choices[d]] == Opening::open);
    batch.labels[step] = choices[d];
    walk.choose(choices[d]);
  }
}

}  // namespace oneproxy
