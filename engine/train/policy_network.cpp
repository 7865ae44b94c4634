#include "oneproxy/engine/train/policy_network.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/streams.h"

namespace oneproxy {
namespace {

// inputs, hidden widths ..., outputs of the layers after H, S and b; empty where there are none.
std::vector<int> head_widths(const PolicyShape& shape) {
  if (shape.head.empty()) return {};
  std::vector<int> widths = shape.head;
  widths.push_back(shape.n_choices);
  return widths;
}

int first_width(const PolicyShape& shape) { return shape.head.empty() ? shape.n_choices : shape.head.front(); }

}  // namespace

std::int64_t n_parameters(const PolicyShape& shape) {
  std::vector<int> trunk = {shape.n_context};
  trunk.insert(trunk.end(), shape.trunk.begin(), shape.trunk.end());
  const std::int64_t of_head = std::int64_t{first_width(shape)} * (trunk.back() + shape.n_step_inputs + 1) +
                               n_parameters(std::span<const int>(head_widths(shape)));
  return n_parameters(std::span<const int>(trunk)) + shape.n_heads() * of_head;
}

std::vector<double> random_parameters(const PolicyShape& shape, int active_step_inputs, std::uint64_t seed) {
  std::vector<double> all;
  std::uint32_t layer = 0;
  const auto weights = [&](std::int64_t n, double variance) {
    const Philox random = random_stream(seed, Draws::policy_weights, layer++);
    const double bound = std::sqrt(3 * variance);
    for (std::int64_t i = 0; i < n; ++i) all.push_back(bound * (2 * random.uniform(static_cast<std::uint64_t>(i)) - 1));
  };
  const auto bias = [&](std::int64_t n) { all.insert(all.end(), static_cast<std::size_t>(n), 0.0); };
  constexpr double kHidden = 2, kLast = 0.02;
  int inputs = shape.n_context;
  for (const int width : shape.trunk) {
    weights(std::int64_t{inputs} * width, kHidden / inputs);
    bias(width);
    inputs = width;
  }
  const std::int64_t heads = shape.n_heads();
  const int first = first_width(shape);
  const double variance = (shape.head.empty() ? kLast : kHidden) / (inputs + active_step_inputs);
  weights(heads * first * inputs, variance);
  if (shape.n_step_inputs > 0) weights(heads * first * shape.n_step_inputs, variance);
  bias(heads * first);
  const auto widths = head_widths(shape);
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    weights(heads * widths[l] * widths[l + 1], (l + 2 == widths.size() ? kLast : kHidden) / widths[l]);
    bias(heads * widths[l + 1]);
  }
  return all;
}

std::unique_ptr<PolicyNetwork> make_policy_network(const PolicyNetworkSettings& settings) {
  static MakePolicyNetwork* const make = torch_module().function<MakePolicyNetwork>("oneproxy_make_policy_network");
  return std::unique_ptr<PolicyNetwork>(make(settings, kTorchModuleInterface));
}

}  // namespace oneproxy
