#pragma once
// What LibTorch does in training: values, gradients and AdamW steps of a multilayer perceptron on batches. Plain
// numbers at the interface, so that one translation unit knows LibTorch (train/train_torch.cpp), in a module of its own
// (train/torch_module.h).
//   h_1 = W_0 x + b_0,  h_{l+1} = W_l relu(h_l) + b_l,  one output: the score s
// Losses, means over the batch; t the (standardised) targets:
//   mse       (s - t)^2
//   huber     d^2/2 for |d| = |s - t| <= huber_delta, else huber_delta (|d| - huber_delta/2)
//   hinge     over the pairs with t_i > t_j: max(0, margin - (s_i - s_j))
//   logistic  over the same pairs: log(1 + exp(-(s_i - s_j)))
// Pairwise losses: Herbrich, Graepel, Obermayer, "Large margin rank boundaries for ordinal regression", 2000; Burges
// et al., "Learning to rank using gradient descent", ICML 2005. AdamW: Loshchilov and Hutter, ICLR 2019.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/train/torch_module.h"
#include "oneproxy/kernels/base/backend.h"

namespace oneproxy {

enum class Loss { mse, huber, hinge, logistic };

const char* to_string(Loss loss);
Loss parse_loss(const std::string& text);  // Error offers the losses there are
inline bool is_pairwise(Loss loss) { return loss == Loss::hinge || loss == Loss::logistic; }

struct NetworkSettings {
  std::vector<int> widths;  // [n_layers + 1]: inputs, hidden widths, 1
  Loss loss = Loss::mse;
  double huber_delta = 1, margin = 1;
  double weight_decay = 0;  // AdamW's, on weights and not on biases
  double l2_sp = 0;         // adds l2_sp/2 |w - anchor|^2 over the trained weights and biases to what is minimised (Li,
                            // Grandvalet, Davoine, "Explicit inductive bias for transfer learning", ICML 2018)
  std::vector<char> frozen;  // [n_layers], or empty: none
  bool fp64 = false;         // trains in double precision
  Backend backend = Backend::cpu;
};

// All parameters in one vector: layer after layer, weights [outputs, inputs] row-major, then bias [outputs].
std::int64_t n_parameters(std::span<const int> widths);

// Where a training starts, [n_parameters]: uniform with the variance of He et al. ("Delving deep into rectifiers", ICCV
// 2015), 2 / inputs that are not 0; half of that in the last layer, which no rectifier follows. Biases 0.
std::vector<double> random_parameters(std::span<const int> widths, int active_inputs, std::uint64_t seed);

// Everything that the next step depends on. The moments are AdamW's, zero before the first step.
struct NetworkState {
  std::vector<double> parameters, first_moment, second_moment;  // [n_parameters] each
  std::int64_t steps = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  virtual void set_state(const NetworkState& state) = 0;
  virtual NetworkState state() const = 0;
  virtual void set_anchor(std::span<const double> parameters) = 0;  // of l2_sp
  // inputs [n, widths[0]] row-major, targets [n], outputs [n]. Losses are without the penalty l2_sp, and 0 where no
  // pair of a pairwise loss is ordered.
  virtual void forward(std::span<const double> inputs, std::span<double> outputs) = 0;
  virtual double loss(std::span<const double> inputs, std::span<const double> targets) = 0;
  // Of the loss with the penalty, [n_parameters]; 0 where frozen.
  virtual std::vector<double> gradient(std::span<const double> inputs, std::span<const double> targets) = 0;
  // One step of AdamW (beta .9, .999, epsilon 1e-8); returns the loss before it.
  virtual double step(std::span<const double> inputs, std::span<const double> targets, double learning_rate) = 0;
};

// On one thread: results do not depend on the number of threads, only on the kind of CPU. Errors: a build without
// LibTorch, Backend::cuda where LibTorch has no CUDA or finds no device (with the remedy).
std::unique_ptr<Network> make_network(const NetworkSettings& settings);

// The module's side of make_network.
using MakeNetwork = Network*(const NetworkSettings&, int interface);

}  // namespace oneproxy
