// Multilayer perceptrons in LibTorch. Like every file that knows it, this takes half a minute to compile, and is part
// of the module of train/torch_module.h.
#include <torch/torch.h>

#include <algorithm>

#include "oneproxy/engine/train/torch_state.h"

namespace oneproxy {
namespace {

class TorchNetwork : public Network {
 public:
  explicit TorchNetwork(const NetworkSettings& settings)
      : settings_(settings),
        device_(settings.backend == Backend::cuda ? torch::kCUDA : torch::kCPU),
        type_(settings.fp64 ? torch::kFloat64 : torch::kFloat32) {
    const auto& widths = settings_.widths;
    const auto n_layers = widths.size() - 1;
    std::vector<torch::Tensor> trained_weights, trained_biases;
    for (std::size_t l = 0; l < n_layers; ++l) {
      const bool trained = settings_.frozen.empty() || !settings_.frozen[l];
      const auto options = torch::dtype(type_).device(device_).requires_grad(trained);
      parameters_.push_back(torch::zeros({widths[l + 1], widths[l]}, options));
      parameters_.push_back(torch::zeros({widths[l + 1]}, options));
      if (!trained) continue;
      trained_weights.push_back(parameters_[2 * l]);
      trained_biases.push_back(parameters_[2 * l + 1]);
    }
    optimizer_ = make_adamw(trained_weights, trained_biases, settings_.weight_decay);
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

  void set_anchor(std::span<const double> parameters) override {
    translated([&] {
      anchor_.clear();
      std::int64_t offset = 0;
      for (const auto& parameter : parameters_) {
        anchor_.push_back(part_like(parameters, offset, parameter).detach());
        offset += parameter.numel();
      }
    });
  }

  void forward(std::span<const double> inputs, std::span<double> outputs) override {
    translated([&] {
      torch::NoGradGuard no_gradients;
      const auto scores = score(input_tensor(inputs)).to(torch::kCPU, torch::kFloat64).contiguous();
      std::copy_n(scores.const_data_ptr<double>(), outputs.size(), outputs.begin());
    });
  }

  double loss(std::span<const double> inputs, std::span<const double> targets) override {
    return translated([&] {
      torch::NoGradGuard no_gradients;
      return loss_of(score(input_tensor(inputs)), vector_tensor(targets)).item<double>();
    });
  }

  std::vector<double> gradient(std::span<const double> inputs, std::span<const double> targets) override {
    return translated([&] {
      backward(inputs, targets);
      return gradients_of(parameters_);
    });
  }

  double step(std::span<const double> inputs, std::span<const double> targets, double learning_rate) override {
    return translated([&] {
      const double before = backward(inputs, targets);
      adamw_step(*optimizer_, learning_rate);
      ++steps_;
      return before;
    });
  }

 private:
  torch::Tensor vector_tensor(std::span<const double> values) const {
    return tensor_of(values, torch::dtype(type_).device(device_));
  }
  torch::Tensor input_tensor(std::span<const double> inputs) const {
    return vector_tensor(inputs).view({-1, settings_.widths.front()});
  }

  torch::Tensor score(torch::Tensor h) const {
    for (std::size_t l = 0; l < parameters_.size() / 2; ++l)
      h = torch::addmm(parameters_[2 * l + 1], l ? torch::relu(h) : h, parameters_[2 * l].t());
    return h.view({-1});
  }

  torch::Tensor loss_of(const torch::Tensor& scores, const torch::Tensor& targets) const {
    namespace nn = torch::nn::functional;
    switch (settings_.loss) {
      case Loss::mse:
        return nn::mse_loss(scores, targets);
      case Loss::huber:
        return nn::huber_loss(scores, targets, nn::HuberLossFuncOptions().delta(settings_.huber_delta));
      case Loss::hinge:
      case Loss::logistic:
        break;
    }
    const auto ahead = scores.unsqueeze(1) - scores.unsqueeze(0);                           // [i, j]: s_i - s_j
    const auto ordered = (targets.unsqueeze(1) > targets.unsqueeze(0)).to(scores.dtype());  // t_i > t_j
    const auto penalty = settings_.loss == Loss::hinge ? torch::relu(settings_.margin - ahead) : nn::softplus(-ahead);
    return (penalty * ordered).sum() / ordered.sum().clamp_min(1);
  }

  // Leaves the gradients in the parameters; returns the loss without the penalty.
  double backward(std::span<const double> inputs, std::span<const double> targets) {
    optimizer_->zero_grad();
    const auto data = loss_of(score(input_tensor(inputs)), vector_tensor(targets));
    auto total = data;
    if (settings_.l2_sp > 0) {
      ONEPROXY_ASSERT(anchor_.size() == parameters_.size());
      for (std::size_t i = 0; i < parameters_.size(); ++i)
        if (parameters_[i].requires_grad())
          total = total + settings_.l2_sp / 2 * (parameters_[i] - anchor_[i]).square().sum();
    }
    total.backward();
    return data.item<double>();
  }

  NetworkSettings settings_;
  torch::Device device_;
  torch::ScalarType type_;
  std::vector<torch::Tensor> parameters_, anchor_;  // weights and bias of layer after layer
  std::unique_ptr<torch::optim::AdamW> optimizer_;
  std::int64_t steps_ = 0;
};

void require_cuda() {
  if (!ONEPROXY_TORCH_CUDA)
    throw Error(
        "training on CUDA needs LibTorch's CUDA part, which this build is without; install the wheel with its "
        "dependencies (pip install --target DIR torch==2.11.0) and configure with -DONEPROXY_TORCH_ROOT=DIR, or train "
        "on the CPU");
  if (!torch::cuda::is_available()) throw Error("training on CUDA: LibTorch finds no CUDA device; train on the CPU");
}

}  // namespace
}  // namespace oneproxy

// Throws oneproxy::Error.
extern "C" oneproxy::Network* oneproxy_make_network(const oneproxy::NetworkSettings& settings, int interface) {
  using namespace oneproxy;
  if (interface != kTorchModuleInterface)
    throw Error("the training module is of another build than the program; build again (tools/build_project)");
  if (settings.backend == Backend::cuda) require_cuda();
  // Sums in one order whatever the machine's number of cores; these networks are too small for more threads anyway.
  at::set_num_threads(1);
  return translated([&]() -> Network* { return new TorchNetwork(settings); });
}
