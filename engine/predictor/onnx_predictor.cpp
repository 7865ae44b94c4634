#include "oneproxy/engine/predictor/onnx_predictor.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "oneproxy/engine/predictor/torch_predictor.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// Since it a bias is spread over the batch without being asked to; what is read has not changed after it.
constexpr std::int64_t kFirstOpset = 7;
constexpr std::size_t kMaxWeights = std::size_t{1} << 26;

// Of a graph attribute that is a number.
double number_or(const OnnxOperation& operation, const std::string& attribute, double otherwise) {
  const auto found = operation.numbers.find(attribute);
  return found == operation.numbers.end() ? otherwise : found->second;
}

std::string shape_text(const OnnxTensor& tensor) {
  std::string text;
  for (const auto extent : tensor.shape) text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text.empty() ? "a scalar" : text;
}

// A constant of the graph, as it lies or with its two axes changed.
struct Constant {
  const OnnxTensor* tensor;
  bool turned;
};

// [outputs, inputs]
OnnxTensor matrix(const OnnxTensor& tensor, bool turned) {
  if (!turned) return tensor;
  const std::int64_t rows = tensor.shape[0], columns = tensor.shape[1];
  OnnxTensor result{{columns, rows}, std::vector<double>(tensor.values.size())};
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) result.values[c * rows + r] = tensor.values[r * columns + c];
  return result;
}

// Follows the value that comes from the graph's input, operation after operation.
class Chain {
 public:
  Chain(const OnnxGraph& graph, const std::string& where) : where_(where), current_(graph.inputs.front()) {
    for (const auto& [name, tensor] : graph.constants) constants_[name] = {&tensor, false};
    for (const auto& operation : graph.operations) follow(operation);
    if (layers_.empty()) throw Error(where_ + ": has no linear layer");
    if (rectified_)
      throw Error(where_ + ": ends in a Relu; the last layer of a predictor is linear: export it without that Relu");
    if (current_ != graph.outputs.front())
      throw Error(where_ + ": its output '" + graph.outputs.front() + "' is not the end of the chain, '" + current_ +
                  "'; export the network alone");
  }

  std::vector<TorchTensor> tensors() && {
    std::vector<TorchTensor> all;
    for (auto& [name, weights, bias] : layers_) {
      const std::int64_t outputs = weights.shape[0];
      all.push_back({name + ".weight", std::move(weights.shape), std::move(weights.values)});
      all.push_back({name + ".bias", {outputs}, std::move(bias)});
    }
    return all;
  }

 private:
  struct Layer {
    std::string name;
    OnnxTensor weights;  // [outputs, inputs]
    std::vector<double> bias;
  };

  Error fault(const OnnxOperation& operation, const std::string& what) const {
    return Error(where_ + ": " + operation.type + (operation.name.empty() ? "" : " '" + operation.name + "'") + " " +
                 what);
  }

  void follow(const OnnxOperation& operation) {
    const auto& inputs = operation.inputs;
    if (operation.outputs.empty() || inputs.empty()) throw fault(operation, "has no input or no output");
    if (constants_.contains(inputs[0]) && (operation.type == "Identity" || operation.type == "Transpose")) {
      fold(operation);
      return;
    }
    const auto taken = std::count(inputs.begin(), inputs.end(), current_);
    const bool passes = passes_unchanged(operation);
    if (!passes && operation.type != "Gemm" && operation.type != "MatMul" && operation.type != "Add" &&
        operation.type != "Relu")
      throw fault(operation, "is not imported; only stacks of linear layers (Gemm, or MatMul and Add) and Relu are");
    if (taken != 1)
      throw fault(operation, "does not take the value '" + current_ + "' once; only a chain of layers is imported");
    if (operation.type == "Gemm") gemm(operation);
    if (operation.type == "MatMul") add_layer(operation, inputs[0] == current_ ? second(operation) : "", 1, false);
    if (operation.type == "Add") add_bias(operation, inputs[0] == current_ ? second(operation) : inputs[0], 1);
    if (operation.type == "Relu") {
      if (layers_.empty() || rectified_) throw fault(operation, "stands behind no layer; it belongs between two");
      rectified_ = true;
    }
    current_ = operation.outputs[0];
  }

  void fold(const OnnxOperation& operation) {
    Constant own = constants_.at(operation.inputs[0]);
    if (operation.type == "Transpose") {
      const auto axes = operation.lists.find("perm");
      if (own.tensor->shape.size() != 2 ||
          (axes != operation.lists.end() && axes->second != std::vector<std::int64_t>{1, 0}))
        throw fault(operation, "turns a tensor of " + shape_text(*own.tensor) + "; weights have two axes");
      own.turned = !own.turned;
    }
    constants_[operation.outputs[0]] = own;
  }

  bool passes_unchanged(const OnnxOperation& operation) const {
    const auto& type = operation.type;
    if (type == "Identity" || type == "Dropout") return true;
    if (type == "Flatten") return number_or(operation, "axis", 1) == 1;
    if (type == "Cast") {
      const double to = number_or(operation, "to", 0);
      return to == 1 || to == 11;  // float, double
    }
    return (type == "Reshape" || type == "Squeeze") && !layers_.empty() && layers_.back().weights.shape[0] == 1;
  }

  static std::string second(const OnnxOperation& operation) {
    return operation.inputs.size() > 1 ? operation.inputs[1] : "";
  }

  void gemm(const OnnxOperation& operation) {
    if (operation.inputs[0] != current_ || number_or(operation, "transA", 0) != 0)
      throw fault(operation, "has the value '" + current_ + "' turned or as its weights; a layer is value x weights");
    add_layer(operation, second(operation), number_or(operation, "alpha", 1), number_or(operation, "transB", 0) != 0);
    if (operation.inputs.size() > 2 && !operation.inputs[2].empty())
      add_bias(operation, operation.inputs[2], number_or(operation, "beta", 1));
  }

  // turned: they lie as [outputs, inputs].
  void add_layer(const OnnxOperation& operation, const std::string& weights, double factor, bool turned) {
    if (!layers_.empty() && !rectified_)
      throw fault(operation, "follows another layer without a Relu between them; multiply the two into one layer");
    const auto found = constants_.find(weights);
    if (found == constants_.end() || found->second.tensor->shape.size() != 2 || found->second.tensor->values.empty())
      throw fault(operation, "has the weights '" + weights + "', which are no constant matrix");
    const auto& [tensor, already_turned] = found->second;
    n_weights_ += tensor->values.size();  // several layers may share a matrix
    if (n_weights_ > kMaxWeights)
      throw Error(where_ + ": has layers of more than " + std::to_string(kMaxWeights) + " weights in all");
    OnnxTensor own = matrix(*tensor, turned == already_turned);
    for (double& weight : own.values) weight *= factor;
    std::string name = weights.ends_with(".weight") ? weights.substr(0, weights.size() - 7) : weights;
    std::vector<double> bias(own.shape[0], 0.0);
    layers_.push_back({std::move(name), std::move(own), std::move(bias)});
    rectified_ = false;
  }

  // A number for each output, or one for all; it may have further axes of 1.
  void add_bias(const OnnxOperation& operation, const std::string& name, double factor) {
    if (layers_.empty() || rectified_)
      throw fault(operation, "adds to what is no layer's output; only biases are imported");
    const auto found = constants_.find(name);
    if (found == constants_.end()) throw fault(operation, "adds '" + name + "', which is no constant bias");
    auto& bias = layers_.back().bias;
    const OnnxTensor& own = *found->second.tensor;
    const bool in_one_row = own.shape.empty() || own.values.size() == static_cast<std::size_t>(own.shape.back());
    if (!in_one_row || (own.values.size() != bias.size() && own.values.size() != 1))
      throw fault(operation, "adds '" + name + "' of " + shape_text(own) + " to " + std::to_string(bias.size()) +
                                 " outputs; a bias has one number each");
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += factor * own.values[own.values.size() == 1 ? 0 : i];
  }

  std::string where_;
  std::map<std::string, Constant> constants_;  // of the graph, which outlives this
  std::size_t n_weights_ = 0;
  std::string current_;
  std::vector<Layer> layers_;
  bool rectified_ = false;  // a Relu stands behind the last layer
};

}  // namespace

std::vector<TorchTensor> linear_tensors(const OnnxGraph& graph, const std::string& where) {
  if (graph.opset < kFirstOpset)
    throw Error(where + ": has opset " + std::to_string(graph.opset) + "; export it with opset " +
                std::to_string(kFirstOpset) + " or newer");
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1)
    throw Error(where + ": has " + std::to_string(graph.inputs.size()) + " inputs and " +
                std::to_string(graph.outputs.size()) + " outputs; a predictor has one of each");
  return Chain(graph, where).tensors();
}

MlpPredictor predictor_from_file(const std::string& path, const SearchSpace& space, const std::string& layout) {
  const auto tensors = path.ends_with(".onnx") ? linear_tensors(read_onnx_file(path), path) : read_torch_file(path);
  return predictor_from_torch(tensors, space, layout, path);
}

}  // namespace oneproxy
