#pragma once
// A trained stack of linear layers and ReLU from an ONNX graph as a predictor over a space's one-hot code.
#include <string>
#include <vector>

#include "oneproxy/engine/data/onnx_file.h"
#include "oneproxy/engine/data/torch_file.h"
#include "oneproxy/engine/predictor/mlp_predictor.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// The layers as tensors of a state_dict ("NAME.weight" [outputs, inputs], "NAME.bias" [outputs]), in order. A layer is
// Gemm, or MatMul and the Adds behind it, with constant weights as they lie or transposed; Relu stands between two.
// Identity, Dropout, Cast to a float, Flatten to two axes and, behind the last layer, Reshape and Squeeze change
// nothing. `where` names the file. Errors: opset below 7, another operation (by name), a graph that is no chain from
// one input to one output, two layers without a Relu between them, a Relu elsewhere, weights or a bias of another
// shape.
std::vector<TorchTensor> linear_tensors(const OnnxGraph& graph, const std::string& where);

// A network's file: ONNX (*.onnx), else a state_dict of PyTorch. layout: kTorchLayouts. Errors: those of the readers
// and of predictor_from_torch.
MlpPredictor predictor_from_file(const std::string& path, const SearchSpace& space, const std::string& layout);

}  // namespace oneproxy
