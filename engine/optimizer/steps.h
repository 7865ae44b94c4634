#pragma once
// How a query, a device and the decisions made so far become the inputs of a policy network (train/policy_network.h).
//   context   coordinates of the device; limit t, t^2, exp(-t) (t kept within -8 .. 8; 0 without a limit), whether
//   there
//             is a limit; the three preference weights, of sum 1 (0 with a limit); one-hot of the quality
//   steps     of a cell: one-hot of each earlier decision. Of layers: one-hot of the decision; for each choice, in
//   units
//             of a decision's share of the deviation (1 / sqrt(decisions)), by how much it raises the cheapest
//             architecture that is still possible, and what of the budget is then left; the budget left and its share
//             of what the decisions left can spend; the first also of the energy where trained with it. Nothing where
//             every decision is made on its own.
// The same walk over the decisions makes the inputs of training and of inference.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/optimizer/cost_bound.h"
#include "oneproxy/engine/optimizer/policy_loss.h"
#include "oneproxy/engine/optimizer/query.h"
#include "oneproxy/engine/train/policy_network.h"

namespace oneproxy {

struct PolicyInputs {
  bool autoregressive = true;  // false: every decision on its own (an ablation), which can not keep a limit
  int n_coordinates = 0;       // of a device
  int n_qualities = 1;
  bool energy = false;  // whether the preference counts energies

  bool operator==(const PolicyInputs&) const = default;
};

class PolicySteps {
 public:
  PolicySteps(const SearchSpace& space, const PolicyInputs& inputs);

  const PolicyInputs& inputs() const { return inputs_; }
  const StageRules& rules() const { return rules_; }
  bool is_cell() const { return is_cell_; }
  int n_decisions() const { return rules_.n_decisions(); }
  int n_choices() const { return n_choices_; }  // the largest radix
  int n_context() const { return inputs_.n_coordinates + 7 + inputs_.n_qualities; }
  int n_step_inputs() const { return n_step_inputs_; }
  int active_step_inputs() const;  // that are not 0 at a time, about
  // Whether the steps' inputs are made of costs, so that a device without additive predictors can not be asked for.
  bool needs_costs() const { return inputs_.autoregressive && !is_cell_; }
  // A shared head for layers that see what is left, else one for each decision.
  PolicyShape shape(std::vector<int> trunk, std::vector<int> head) const;

  // The query has been checked. context [n_context].
  void context(std::span<const double> coordinates, const OptimizerQuery& query, std::span<double> context) const;

 private:
  PolicyInputs inputs_;
  StageRules rules_;
  bool is_cell_ = false;
  int n_choices_ = 0, n_step_inputs_ = 0;
};

// What a device's predictors bound. Errors: predictors that are missing, or tell nothing about a part of an
// architecture, where the steps need them.
struct DeviceCosts {
  DeviceCosts(const PolicySteps& steps, const OptimizerDevice& device);
  std::optional<CostBound> latency, energy;
};

// One architecture while it is being decided. With a limit and a bound on the latency, choices after which no
// architecture within the limit is left are closed.
class Walk {
 public:
  enum class Rounding {
    loose,  // a path may come to its end and find that the limit was missed by rounding: no choice is open then
    strict  // there is always an open choice; what meets the limit to the last digits may be left out
  };

  // Keeps the addresses of both. Error: a limit below the device's cheapest architecture, which it names.
  Walk(const PolicySteps& steps, const DeviceCosts& costs, const OptimizerQuery& query,
       Rounding rounding = Rounding::loose);

  int decision() const { return static_cast<int>(choices_.size()); }
  bool done() const { return decision() == steps_->n_decisions(); }
  const std::vector<std::uint8_t>& choices() const { return choices_; }
  // inputs [n_step_inputs], open [n_choices]. Where the network sees costs, what is beyond the limit is closed, as it
  // was in training; elsewhere it is `beyond`, so that the others keep the probability that the network gives them.
  void look(std::span<double> inputs, std::span<Opening> open) const;
  void choose(int choice);

 private:
  void look_at_costs(std::span<double> inputs, std::span<Opening> open) const;

  const PolicySteps* steps_;
  const DeviceCosts* costs_;
  std::optional<double> limit_;
  bool keeps_limit_ = false;
  double rounding_ = 0;  // added to the limit before the last decision
  std::vector<std::uint8_t> choices_;
  bool closed_ = false;
  CostBound::Prefix latency_, energy_;
};

}  // namespace oneproxy
