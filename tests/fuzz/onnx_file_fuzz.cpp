// Any bytes as an ONNX file, and what comes out of it as a predictor of a space.
#include "oneproxy/engine/data/onnx_file.h"
#include "oneproxy/engine/predictor/onnx_predictor.h"
#include "oneproxy/engine/predictor/torch_predictor.h"
#include "tests/fuzz/fuzz.h"

using namespace oneproxy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SearchSpace cells = SearchSpace::load("nasbench201");
  OnnxGraph graph;
  if (!fuzz::accepted([&] { graph = parse_onnx_file(fuzz::text_of(data, size)); })) return 0;
  for (const auto& [name, tensor] : graph.constants) {
    std::size_t n = 1;
    for (const auto extent : tensor.shape) n *= static_cast<std::size_t>(extent);
    fuzz::require(n == tensor.values.size(), "a tensor has the values of its shape");
  }
  fuzz::accepted([&] { predictor_from_torch(linear_tensors(graph, "input"), cells, "onehot", "input"); });
  return 0;
}
