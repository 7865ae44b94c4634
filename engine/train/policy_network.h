#pragma once
// A network that decides an architecture: a trunk on what is asked (the context), and a head for every decision that
// also sees what has been decided before (its step inputs). Plain numbers at the interface; LibTorch is behind it
// (train/torch_module.h). All hidden layers end in silu(x) = x / (1 + exp(-x)).
//   t = trunk(context)
//   a = H t + S step + b,  for each decision with its own H, S, b, or the same for all (shared_head)
//   logits = layers of the head on silu(a); where the head has no hidden layer, a itself
// Autoregressive heads: Lu, Yang, Ren, "Scaling Up Deep Neural Network Optimization for Edge Inference", 2020, leave
// the form of the optimizer open; this one factors p(architecture) = product of p(choice | choices before).
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "oneproxy/engine/train/network.h"

namespace oneproxy {

// Of each of the two parts, and of a layer; more is a mistake, or a damaged file.
inline constexpr int kMostPolicyLayers = 16, kMostPolicyWidth = 1 << 13;

struct PolicyShape {
  int n_context = 0, n_decisions = 0;
  int n_step_inputs = 0;         // 0: every decision on its own, a product of independent softmaxes
  int n_choices = 0;             // logits of a decision, the largest radix
  std::vector<int> trunk, head;  // hidden widths; a trunk has one layer at least, a head none or more
  bool shared_head = false;      // one head that serves all decisions

  int n_heads() const { return shared_head ? 1 : n_decisions; }
  bool operator==(const PolicyShape&) const = default;
};

// All parameters in one vector: the trunk's layers, weights [outputs, inputs] then bias [outputs]; then of all heads
// together, H [heads, width, trunk], S [heads, width, step inputs] (absent without), b [heads, width]; then the heads'
// further layers, weights [heads, outputs, inputs], bias [heads, outputs].
std::int64_t n_parameters(const PolicyShape& shape);

struct PolicyNetworkSettings {
  PolicyShape shape;
  double weight_decay = 0;  // AdamW's, on weights and not on biases
  bool fp64 = false;
};

// A loss of logits [n, n_decisions, n_choices] and its derivatives by them.
using LogitLoss = std::function<double(std::span<const double> logits, std::span<double> by_logits)>;

class PolicyNetwork {
 public:
  virtual ~PolicyNetwork() = default;
  virtual void set_state(const NetworkState& state) = 0;
  virtual NetworkState state() const = 0;
  // context [n, n_context], steps [n, n_decisions, n_step_inputs] -> logits [n, n_decisions, n_choices].
  virtual void forward(std::span<const double> context, std::span<const double> steps, std::span<double> logits) = 0;
  // Of the loss, [n_parameters].
  virtual std::vector<double> gradient(std::span<const double> context, std::span<const double> steps,
                                       const LogitLoss& loss) = 0;
  // One step of AdamW (beta .9, .999, epsilon 1e-8); returns the loss before it.
  virtual double step(std::span<const double> context, std::span<const double> steps, const LogitLoss& loss,
                      double learning_rate) = 0;
};

// On one thread: results do not depend on the number of threads, only on the kind of CPU. Error: a build without
// LibTorch.
std::unique_ptr<PolicyNetwork> make_policy_network(const PolicyNetworkSettings& settings);

// Uniform with the variance 2 / inputs (He et al., "Delving deep into rectifiers", ICCV 2015), a hundredth of that in
// the last layer, so that training begins at even odds. Biases 0. active_step_inputs: that are not 0 at a time.
std::vector<double> random_parameters(const PolicyShape& shape, int active_step_inputs, std::uint64_t seed);

// The module's side of make_policy_network.
using MakePolicyNetwork = PolicyNetwork*(const PolicyNetworkSettings&, int interface);

}  // namespace oneproxy
