#pragma once
// What the networks of the training module share: errors of LibTorch as ours, tensors as plain numbers, the state of
// AdamW. For files that include torch/torch.h themselves, first: a header that did would slow all that include it.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "oneproxy/engine/train/network.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

// Errors of LibTorch (out of memory, a lost device) as ours: their first line, without the trace of calls.
template <class F>
auto translated(F f) {
  try {
    return f();
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    throw Error("LibTorch: " + message.substr(0, message.find('\n')));
  }
}

// A view of the values, in the options' type and on their device: a copy where these are others.
inline torch::Tensor tensor_of(std::span<const double> values, const torch::TensorOptions& options) {
  const auto n = static_cast<std::int64_t>(values.size());
  return torch::from_blob(const_cast<double*>(values.data()), {n}, torch::kFloat64).to(options);
}

// The part of `all` that begins at `offset`, as a copy like another tensor.
inline torch::Tensor part_like(std::span<const double> all, std::int64_t offset, const torch::Tensor& like) {
  return tensor_of(all.subspan(offset, like.numel()), like.options()).view(like.sizes()).clone();
}

inline void append(std::vector<double>& all, const torch::Tensor& tensor) {
  const auto host = tensor.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  all.insert(all.end(), host.const_data_ptr<double>(), host.const_data_ptr<double>() + host.numel());
}

inline std::vector<double> gradients_of(const std::vector<torch::Tensor>& parameters) {
  std::vector<double> all;
  for (const auto& parameter : parameters)
    append(all, parameter.grad().defined() ? parameter.grad() : torch::zeros_like(parameter));
  return all;
}

// AdamW that decays weights and not biases.
inline std::unique_ptr<torch::optim::AdamW> make_adamw(const std::vector<torch::Tensor>& weights,
                                                       const std::vector<torch::Tensor>& biases, double weight_decay) {
  auto group = [](const std::vector<torch::Tensor>& tensors, double decay) {
    auto options = std::make_unique<torch::optim::AdamWOptions>();
    options->weight_decay(decay);
    return torch::optim::OptimizerParamGroup(tensors, std::move(options));
  };
  return std::make_unique<torch::optim::AdamW>(
      std::vector<torch::optim::OptimizerParamGroup>{group(weights, weight_decay), group(biases, 0)});
}

inline void adamw_step(torch::optim::AdamW& optimizer, double learning_rate) {
  for (auto& group : optimizer.param_groups())
    static_cast<torch::optim::AdamWOptions&>(group.options()).lr(learning_rate);
  optimizer.step();
}

// Parameters in the order of the vector, and the moments of those that are trained.
inline void set_state(std::vector<torch::Tensor>& parameters, torch::optim::AdamW& optimizer,
                      const NetworkState& state) {
  torch::NoGradGuard no_gradients;
  optimizer.state().clear();
  std::int64_t offset = 0;
  for (auto& parameter : parameters) {
    parameter.copy_(part_like(state.parameters, offset, parameter));
    if (parameter.requires_grad() && state.steps > 0) {
      auto moments = std::make_unique<torch::optim::AdamWParamState>();
      moments->step(state.steps);
      moments->exp_avg(part_like(state.first_moment, offset, parameter));
      moments->exp_avg_sq(part_like(state.second_moment, offset, parameter));
      optimizer.state()[parameter.unsafeGetTensorImpl()] = std::move(moments);
    }
    offset += parameter.numel();
  }
}

inline NetworkState state_of(const std::vector<torch::Tensor>& parameters, torch::optim::AdamW& optimizer,
                             std::int64_t steps) {
  NetworkState state;
  state.steps = steps;
  for (const auto& parameter : parameters) {
    append(state.parameters, parameter);
    const auto found = optimizer.state().find(parameter.unsafeGetTensorImpl());
    if (found == optimizer.state().end()) {
      state.first_moment.resize(state.parameters.size());
      state.second_moment.resize(state.parameters.size());
    } else {
      const auto& moments = static_cast<const torch::optim::AdamWParamState&>(*found->second);
      append(state.first_moment, moments.exp_avg());
      append(state.second_moment, moments.exp_avg_sq());
    }
  }
  return state;
}

}  // namespace oneproxy
