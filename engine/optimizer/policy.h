#pragma once
// A trained policy as plain numbers: asked for an architecture in a fraction of a millisecond, without LibTorch, in
// fp32 on the calling thread. The trunk runs once a query; what it adds to the heads once a head; so that proposal
// after proposal costs the steps only.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "oneproxy/engine/optimizer/steps.h"

namespace oneproxy {

struct Proposal {
  std::vector<std::uint8_t> choices;  // [n_decisions]
  double log_probability = 0;
};

class Policy {
 public:
  // parameters: in the order of train/policy_network.h. Error: another number of them than the shape has, or numbers
  // that are not finite.
  Policy(const SearchSpace& space, const PolicyInputs& inputs, const PolicyShape& shape,
         std::span<const double> parameters);

  const PolicySteps& steps() const { return *steps_; }
  const PolicyShape& shape() const { return shape_; }

  // The most probable choice, decision after decision. With a limit and a device whose predictor is a sum or a table
  // (DeviceCosts), its predicted value is within the limit. Errors: those of check_query, a limit below the cheapest
  // architecture, another number of coordinates, a device without what the steps need.
  std::vector<std::uint8_t> answer(const OptimizerDevice& device, const OptimizerQuery& query) const;
  // n distinct architectures, or as many as the policy reaches, most probable first; answer() is one of them, the
  // others are drawn without replacement in proportion to their probability (Kool, van Hoof, Welling, "Stochastic beams
  // and where to find them", ICML 2019). The same seed gives the same.
  std::vector<Proposal> propose(const OptimizerDevice& device, const OptimizerQuery& query, int n,
                                std::uint64_t seed) const;
  // Both for a device whose bounds are known already, for many queries of it.
  std::vector<std::uint8_t> answer(const OptimizerDevice& device, const DeviceCosts& costs,
                                   const OptimizerQuery& query) const;
  std::vector<Proposal> propose(const OptimizerDevice& device, const DeviceCosts& costs, const OptimizerQuery& query,
                                int n, std::uint64_t seed) const;

  // One row of PolicyNetwork::forward: context [n_context], steps [n_decisions, n_step_inputs] -> logits
  // [n_decisions, n_choices].
  void logits(std::span<const double> context, std::span<const double> steps, std::span<double> logits) const;

 private:
  struct Layer {
    int inputs = 0, outputs = 0;
    std::vector<float> weights, bias;  // [inputs, outputs], [outputs]
  };
  struct Head {
    Layer first;                 // H and b
    std::vector<float> by_step;  // S as [n_step_inputs, width]
    std::vector<Layer> layers;
  };
  class Asked;

  std::shared_ptr<const PolicySteps> steps_;
  PolicyShape shape_;
  std::vector<Layer> trunk_;
  std::vector<Head> heads_;
};

}  // namespace oneproxy
