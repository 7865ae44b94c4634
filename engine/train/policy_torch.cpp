// The network of train/policy_network.h in LibTorch, part of the module of train/torch_module.h.
#include <torch/torch.h>

#include <algorithm>

#include "oneproxy/engine/train/policy_network.h"
#include "oneproxy/engine/train/torch_state.h"

namespace oneproxy {
namespace {

class TorchPolicyNetwork : public PolicyNetwork {
 public:
  explicit TorchPolicyNetwork(const PolicyNetworkSettings& settings)
      : shape_(settings.shape), options_(torch::dtype(settings.fp64 ? torch::kFloat64 : torch::kFloat32)) {
    int inputs = shape_.n_context;
    for (const int width : shape_.trunk) {
      add(weights_, {width, inputs});
      add(biases_, {width});
      inputs = width;
    }
    const int heads = shape_.n_heads();
    auto widths = shape_.head;
    widths.push_back(shape_.n_choices);
    add(weights_, {heads, widths[0], inputs});
    if (shape_.n_step_inputs > 0) add(weights_, {heads, widths[0], shape_.n_step_inputs});
    add(biases_, {heads, widths[0]});
    for (std::size_t l = 1; l < widths.size(); ++l) {
      add(weights_, {heads, widths[l], widths[l - 1]});
      add(biases_, {heads, widths[l]});
    }
    optimizer_ = make_adamw(weights_, biases_, settings.weight_decay);
  }

  void set_state(const NetworkState& state) override {
    translated([&] {
      oneproxy::set_state(parameters_, *optimizer_, state);
      steps_ = state.steps;
    });
  }

  NetworkState state() const override {
    return translated([&] { return state_of(parameters_, *optimizer_, steps_); });
  }

  void forward(std::span<const double> context, std::span<const double> steps, std::span<double> logits) override {
    translated([&] {
      torch::NoGradGuard no_gradients;
      const auto found = pass(context, steps).to(torch::kFloat64).contiguous();
      std::copy_n(found.const_data_ptr<double>(), logits.size(), logits.begin());
    });
  }

  std::vector<double> gradient(std::span<const double> context, std::span<const double> steps,
                               const LogitLoss& loss) override {
    return translated([&] {
      backward(context, steps, loss);
      return gradients_of(parameters_);
    });
  }

  double step(std::span<const double> context, std::span<const double> steps, const LogitLoss& loss,
              double learning_rate) override {
    return translated([&] {
      const double before = backward(context, steps, loss);
      adamw_step(*optimizer_, learning_rate);
      ++steps_;
      return before;
    });
  }

 private:
  void add(std::vector<torch::Tensor>& kind, std::vector<std::int64_t> sizes) {
    parameters_.push_back(torch::zeros(sizes, options_.requires_grad(true)));
    kind.push_back(parameters_.back());
  }

  // [n, n_decisions, n_choices]. With a head a decision, its numbers are kept as [n_decisions, n, ...] in between.
  torch::Tensor pass(std::span<const double> context, std::span<const double> steps) const {
    std::size_t next = 0;
    const auto parameter = [&] { return parameters_[next++]; };
    auto h = tensor_of(context, options_).view({-1, shape_.n_context});
    const auto n = h.size(0);
    const std::int64_t decisions = shape_.n_decisions;
    for (std::size_t l = 0; l < shape_.trunk.size(); ++l) {
      const auto weights = parameter(), bias = parameter();
      h = torch::silu(torch::addmm(bias, h, weights.t()));
    }
    const auto by_trunk = parameter();
    const auto heads = by_trunk.size(0), width = by_trunk.size(1);
    const auto by_step = shape_.n_step_inputs > 0 ? parameter() : torch::Tensor();
    const auto bias = parameter();
    auto a = torch::addmm(bias.view({-1}), h, by_trunk.view({heads * width, -1}).t()).view({n, heads, width});
    if (!shape_.shared_head) a = a.transpose(0, 1);
    if (by_step.defined()) {
      const auto inputs = tensor_of(steps, options_).view({n, decisions, shape_.n_step_inputs});
      a = shape_.shared_head ? a + torch::matmul(inputs, by_step[0].t())
                             : torch::baddbmm(a, inputs.transpose(0, 1), by_step.transpose(1, 2));
    }
    for (std::size_t l = 0; l < shape_.head.size(); ++l) {
      const auto weights = parameter(), bias_of_layer = parameter();
      const auto active = torch::silu(a);
      a = shape_.shared_head ? torch::addmm(bias_of_layer[0], active.reshape({-1, active.size(2)}), weights[0].t())
                                   .view({n, active.size(1), -1})
                             : torch::baddbmm(bias_of_layer.unsqueeze(1), active, weights.transpose(1, 2));
    }
    return shape_.shared_head ? a.expand({n, decisions, shape_.n_choices}) : a.transpose(0, 1);
  }

  // Leaves the gradients in the parameters; returns the loss.
  double backward(std::span<const double> context, std::span<const double> steps, const LogitLoss& loss) {
    optimizer_->zero_grad();
    const auto logits = pass(context, steps);
    const auto host = logits.detach().to(torch::kFloat64).contiguous();
    std::vector<double> by_logits(static_cast<std::size_t>(host.numel()));
    const double value = loss({host.const_data_ptr<double>(), by_logits.size()}, by_logits);
    logits.backward(tensor_of(by_logits, options_).view(logits.sizes()));
    return value;
  }

  PolicyShape shape_;
  torch::TensorOptions options_;
  std::vector<torch::Tensor> parameters_, weights_, biases_;  // all in the order of the header; the same by kind
  std::unique_ptr<torch::optim::AdamW> optimizer_;
  std::int64_t steps_ = 0;
};

}  // namespace
}  // namespace oneproxy

// Throws oneproxy::Error.
extern "C" oneproxy::PolicyNetwork* oneproxy_make_policy_network(const oneproxy::PolicyNetworkSettings& settings,
                                                                 int interface) {
  using namespace oneproxy;
  if (interface != kTorchModuleInterface)
    throw Error("the training module is of another build than the program; build again (tools/build_project)");
  at::set_num_threads(1);  // sums in one order whatever the machine's number of cores
  return translated([&]() -> PolicyNetwork* { return new TorchPolicyNetwork(settings); });
}
