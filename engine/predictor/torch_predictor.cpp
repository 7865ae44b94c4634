#include "oneproxy/engine/predictor/torch_predictor.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

struct Linear {
  std::string name;  // "0" of "0.weight"
  Dense layer;
};

// "fc.0.weight" -> "fc.0"; a name without a dot belongs to the layer "".
std::string layer_of(const std::string& name, std::string& part) {
  const auto dot = name.rfind('.');
  part = name.substr(dot == std::string::npos ? 0 : dot + 1);
  return dot == std::string::npos ? "" : name.substr(0, dot);
}

std::string shape_text(const TorchTensor& tensor) {
  std::string text;
  for (const auto extent : tensor.shape) text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text.empty() ? "a scalar" : text;
}

std::vector<Linear> linear_layers(const std::vector<TorchTensor>& tensors, const std::string& where) {
  std::vector<Linear> layers;
  for (const auto& tensor : tensors) {
    std::string part;
    const std::string name = layer_of(tensor.name, part);
    for (const double value : tensor.values)
      if (!std::isfinite(value))
        throw Error(where + ": '" + tensor.name + "' holds " + (std::isnan(value) ? "NaN" : "infinite") +
                    " weights; train or fetch the predictor again");
    if (part == "weight" && tensor.shape.size() == 2 && tensor.shape[0] > 0 && tensor.shape[1] > 0) {
      layers.push_back({name,
                        {static_cast<int>(tensor.shape[1]), static_cast<int>(tensor.shape[0]), tensor.values,
                         std::vector<double>(tensor.shape[0], 0.0)}});
    } else if (part == "bias" && tensor.shape.size() == 1 && !layers.empty() && layers.back().name == name &&
               tensor.shape[0] == layers.back().layer.outputs) {
      layers.back().layer.bias = tensor.values;
    } else {
      throw Error(where + ": entry '" + tensor.name + "' (" + shape_text(tensor) +
                  ") belongs to no Linear layer; only stacks of Linear and ReLU are imported");
    }
  }
  if (layers.empty()) throw Error(where + ": holds no Linear layer");
  for (std::size_t l = 1; l < layers.size(); ++l)
    if (layers[l].layer.inputs != layers[l - 1].layer.outputs)
      throw Error(where + ": layer '" + layers[l].name + "' has " + std::to_string(layers[l].layer.inputs) +
                  " inputs, '" + layers[l - 1].name + "' before it " + std::to_string(layers[l - 1].layer.outputs) +
                  " outputs");
  if (layers.back().layer.outputs != 1)
    throw Error(where + ": the last layer '" + layers.back().name + "' has " +
                std::to_string(layers.back().layer.outputs) + " outputs, a predictor has one");
  return layers;
}

// For each row of the space's code the inputs that are 1, by the predictor's own layout.
struct Inputs {
  int n = 0;
  std::vector<std::vector<int>> of_row;
};

// " (one a choice: edge0 0-4, edge1 5-9, ..., edge5 25-29)".
std::string order_of(const SearchSpace& space) {
  constexpr int kNamed = 2;
  std::string text = " (one a choice:";
  const int n = space.n_decisions();
  for (int d = 0, first = 0; d < n; first += space.radices()[d++])
    if (d < kNamed || d == n - 1)
      text += std::string(d > 0 ? "," : "") + " " + space.decisions()[d].name + " " + std::to_string(first) + "-" +
              std::to_string(first + space.radices()[d] - 1);
    else if (d == kNamed)
      text += ", ...";
  return text + ")";
}

Inputs onehot_inputs(const SearchSpace& space) {
  Inputs inputs;
  for (const auto radix : space.radices())
    for (int c = 0; c < radix; ++c) inputs.of_row.push_back({inputs.n++});
  return inputs;
}

Inputs ofa_inputs(const SearchSpace& space, const std::string& where) {
  constexpr int kFirstBucket = 112, kBucket = 16, kBuckets = 8;
  if (space.resolutions().empty() || space.stages().empty())
    throw Error(where + ": layout ofa needs a space with resolutions and stages, " + space.name() +
                " has none; the space of that predictor is ofa_mbv3");
  std::set<int> kernels, expansions;
  const auto& operations = space.decisions()[1].choices;
  for (std::size_t c = 1; c < operations.size(); ++c) {
    kernels.insert(operations[c].operation.kernel);
    expansions.insert(operations[c].operation.expansion);
  }
  const int n_blocks = space.n_decisions() - 1;
  const auto n_kernels = static_cast<int>(kernels.size()), n_expansions = static_cast<int>(expansions.size());
  const int buckets = n_blocks * (n_kernels + n_expansions);
  Inputs inputs{buckets + kBuckets, {}};
  for (const int resolution : space.resolutions()) {
    const int bucket = (resolution - kFirstBucket) / kBucket;
    if (resolution < kFirstBucket || bucket >= kBuckets)
      throw Error(where + ": layout ofa has no bucket for resolution " + std::to_string(resolution));
    inputs.of_row.push_back({buckets + bucket});
  }
  for (int block = 0; block < n_blocks; ++block) {
    for (const auto& choice : space.decisions()[1 + block].choices) {
      if (choice.operation.kind != "mbconv") {  // inactive
        inputs.of_row.emplace_back();
        continue;
      }
      const auto kernel = std::distance(kernels.begin(), kernels.find(choice.operation.kernel));
      const auto expansion = std::distance(expansions.begin(), expansions.find(choice.operation.expansion));
      inputs.of_row.push_back({block * n_kernels + static_cast<int>(kernel),
                               n_blocks * n_kernels + block * n_expansions + static_cast<int>(expansion)});
    }
  }
  return inputs;
}

}  // namespace

MlpPredictor predictor_from_torch(const std::vector<TorchTensor>& tensors, const SearchSpace& space,
                                  const std::string& layout, const std::string& where) {
  auto layers = linear_layers(tensors, where);
  ONEPROXY_ASSERT(std::find(kTorchLayouts.begin(), kTorchLayouts.end(), layout) != kTorchLayouts.end());
  const Inputs inputs = layout == "ofa" ? ofa_inputs(space, where) : onehot_inputs(space);
  const Dense& first = layers.front().layer;
  if (first.inputs != inputs.n)
    throw Error(where + ": the first layer '" + layers.front().name + "' has " + std::to_string(first.inputs) +
                " inputs; layout " + layout + " of space " + space.name() + " has " + std::to_string(inputs.n) +
                (layout == "onehot" ? order_of(space) : "") + "; take the layout and the space that it was trained on");
  MlpPredictor predictor;
  predictor.space = space.name();
  predictor.radices.assign(space.radices().begin(), space.radices().end());
  predictor.first_width = first.outputs;
  predictor.first_bias = first.bias;
  predictor.rows.resize(inputs.of_row.size() * first.outputs, 0.0);
  for (std::size_t row = 0; row < inputs.of_row.size(); ++row)
    for (const int input : inputs.of_row[row])
      for (int o = 0; o < first.outputs; ++o)
        predictor.rows[row * first.outputs + o] += first.weights[std::size_t(o) * first.inputs + input];
  if (layers.size() == 1) {
    // z = relu(z) - relu(-z): a linear predictor as a perceptron, without loss.
    for (std::size_t row = 0; row < inputs.of_row.size(); ++row)
      predictor.rows.insert(predictor.rows.begin() + 2 * row + 1, -predictor.rows[2 * row]);
    predictor.first_bias.push_back(-predictor.first_bias[0]);
    predictor.first_width = 2;
    predictor.layers = {{2, 1, {1, -1}, {0}}};
  }
  for (std::size_t l = 1; l < layers.size(); ++l) predictor.layers.push_back(std::move(layers[l].layer));
  predictor.record["layout"] = layout;
  return predictor;
}

}  // namespace oneproxy
