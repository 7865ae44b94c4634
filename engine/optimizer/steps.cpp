#include "oneproxy/engine/optimizer/steps.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kFarLimit = 8;  // deviations: beyond, a limit is no limit, or nothing is within it

std::optional<CostBound> bound_of(const PolicySteps& steps, const std::shared_ptr<const Predictor>& predictor,
                                  const std::string& what) {
  if (!predictor) {
    if (steps.needs_costs()) throw Error("the optimizer of layers needs " + what + " of the device's decisions");
    return std::nullopt;
  }
  if (std::holds_alternative<MlpPredictor>(*predictor) && !steps.needs_costs()) return std::nullopt;
  return CostBound(steps.rules(), predictor, what);
}

}  // namespace

PolicySteps::PolicySteps(const SearchSpace& space, const PolicyInputs& inputs)
    : inputs_(inputs), rules_(space), is_cell_(space.decisions().front().from >= 0) {
  const auto radices = rules_.radices();
  n_choices_ = *std::max_element(radices.begin(), radices.end());
  if (!inputs.autoregressive) return;
  n_step_inputs_ = is_cell_ ? std::accumulate(radices.begin(), radices.end() - 1, 0)
                            : n_decisions() + (inputs.energy ? 3 : 2) * n_choices_ + 2;
}

int PolicySteps::active_step_inputs() const {
  if (n_step_inputs_ == 0) return 0;
  return is_cell_ ? n_decisions() / 2 + 1 : n_step_inputs_ - n_decisions();
}

PolicyShape PolicySteps::shape(std::vector<int> trunk, std::vector<int> head) const {
  PolicyShape shape;
  shape.n_context = n_context();
  shape.n_decisions = n_decisions();
  shape.n_step_inputs = n_step_inputs_;
  shape.n_choices = n_choices_;
  shape.trunk = std::move(trunk);
  shape.head = std::move(head);
  shape.shared_head = needs_costs();
  return shape;
}

void PolicySteps::context(std::span<const double> coordinates, const OptimizerQuery& query,
                          std::span<double> context) const {
  ONEPROXY_ASSERT(std::ssize(context) == n_context());
  if (std::ssize(coordinates) != inputs_.n_coordinates)
    throw Error("the device has " + count_of(std::ssize(coordinates), "coordinate") + ", the optimizer takes " +
                std::to_string(inputs_.n_coordinates) + "; project it on the optimizer's own components");
  auto out = std::copy(coordinates.begin(), coordinates.end(), context.begin());
  std::fill(out, context.end(), 0.0);
  if (query.limit) {
    const double t = std::clamp(*query.limit, -kFarLimit, kFarLimit);
    out[0] = t;
    out[1] = t * t;
    out[2] = std::exp(-t);
    out[3] = 1;
  } else {
    const double sum = query.preference[0] + query.preference[1] + query.preference[2];
    for (int i = 0; i < 3; ++i) out[4 + i] = query.preference[i] / sum;
  }
  out[7 + query.quality] = 1;
}

DeviceCosts::DeviceCosts(const PolicySteps& steps, const OptimizerDevice& device)
    : latency(bound_of(steps, device.latency, "the latency")) {
  if (steps.inputs().energy) energy = bound_of(steps, device.energy, "the energy");
}

Walk::Walk(const PolicySteps& steps, const DeviceCosts& costs, const OptimizerQuery& query, Rounding rounding)
    : steps_(&steps), costs_(&costs), limit_(query.limit) {
  if (costs.latency) latency_ = costs.latency->begin();
  if (costs.energy) energy_ = costs.energy->begin();
  // Decisions that are made on their own can not know what the others leave.
  keeps_limit_ = limit_ && costs.latency && steps.inputs().autoregressive;
  if (!keeps_limit_) return;
  rounding_ = (rounding == Rounding::loose ? 1 : -1) * costs.latency->rounding();
  const auto cheapest = costs.latency->cheapest();
  if (cheapest.value > *limit_) {
    std::string choices;
    for (const auto choice : cheapest.choices) choices += (choices.empty() ? "" : ",") + std::to_string(choice);
    throw Error("the limit " + brief(*limit_) + " is below the device's cheapest architecture, " + choices + " with " +
                brief(cheapest.value) + " (in deviations from its mean); raise the limit");
  }
}

void Walk::look(std::span<double> inputs, std::span<Opening> open) const {
  ONEPROXY_ASSERT(!done() && std::ssize(inputs) == steps_->n_step_inputs() && std::ssize(open) == steps_->n_choices());
  const auto& rules = steps_->rules();
  const int d = decision();
  std::fill(inputs.begin(), inputs.end(), 0.0);
  for (int c = 0; c < steps_->n_choices(); ++c)
    open[c] = c < rules.radices()[d] && rules.open(d, closed_, c) ? Opening::open : Opening::closed;
  if (costs_->latency && steps_->inputs().autoregressive) look_at_costs(inputs, open);
  if (inputs.empty() || !steps_->is_cell()) return;
  std::size_t at = 0;
  for (int i = 0; i < d; at += rules.radices()[i++]) inputs[at + choices_[i]] = 1;
}

void Walk::look_at_costs(std::span<double> inputs, std::span<Opening> open) const {
  const int d = decision(), n = steps_->n_choices();
  const double unit = std::sqrt(static_cast<double>(steps_->n_decisions()));
  // Cheapest and dearest that is still possible, whatever the limit.
  const auto ranges_of = [&](const CostBound& bound, const CostBound::Prefix& prefix, CostBound::Range* ranges) {
    CostBound::Range all;
    for (int c = 0; c < n; ++c) {
      if (open[c] == Opening::closed) continue;
      ranges[c] = bound.range(prefix, d, c);
      all.least = std::min(all.least, ranges[c].least);
      all.most = std::max(all.most, ranges[c].most);
    }
    return all;
  };
  CostBound::Range ranges[256];
  const auto all = ranges_of(*costs_->latency, latency_, ranges);
  const double limit = limit_ ? *limit_ : std::numeric_limits<double>::infinity();
  if (steps_->needs_costs()) {
    inputs[d] = 1;
    double* raised = &inputs[steps_->n_decisions()];
    double* left = raised + n;
    double* budget = left + n;
    for (int c = 0; c < n; ++c) {
      if (open[c] == Opening::closed || std::isinf(ranges[c].least)) continue;
      raised[c] = unit * (ranges[c].least - all.least);
      if (limit_) left[c] = unit * std::max(-1.0, limit - ranges[c].least);
    }
    if (limit_) {
      const double spare = std::max(0.0, limit - all.least);
      budget[0] = spare;
      budget[1] = all.most > all.least ? std::min(1.0, spare / (all.most - all.least)) : 1;
    }
    if (costs_->energy) {
      CostBound::Range energies[256];
      const auto least = ranges_of(*costs_->energy, energy_, energies).least;
      for (int c = 0; c < n; ++c)
        if (open[c] == Opening::open && std::isfinite(energies[c].least))
          budget[2 + c] = unit * (energies[c].least - least);
    }
  }
  const bool last = d + 1 == steps_->n_decisions();
  const double bound = limit + (last && rounding_ > 0 ? 0 : rounding_);
  for (int c = 0; c < n; ++c) {
    if (open[c] == Opening::closed) continue;
    const double least = ranges[c].least;
    const bool cheapest = rounding_ < 0 && least == all.least;  // strict: the way that is never closed
    if (!std::isfinite(least))
      open[c] = Opening::closed;
    else if (keeps_limit_ && !(least <= bound || cheapest))
      open[c] = steps_->needs_costs() ? Opening::closed : Opening::beyond;
  }
}

void Walk::choose(int choice) {
  const int d = decision();
  if (costs_->latency) latency_ = costs_->latency->extended(latency_, d, choice);
  if (costs_->energy) energy_ = costs_->energy->extended(energy_, d, choice);
  closed_ = steps_->rules().closed_after(d, choice);
  choices_.push_back(static_cast<std::uint8_t>(choice));
}

}  // namespace oneproxy
