// Any bytes as a file of torch.save, and what comes out of it as a predictor of a space.
#include "oneproxy/engine/data/torch_file.h"
#include "oneproxy/engine/predictor/torch_predictor.h"
#include "tests/fuzz/fuzz.h"

using namespace oneproxy;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SearchSpace cells = SearchSpace::load("nasbench201"), stages = SearchSpace::load("ofa_mbv3");
  std::vector<TorchTensor> tensors;
  if (!fuzz::accepted([&] { tensors = parse_torch_file(fuzz::text_of(data, size)); })) return 0;
  for (const auto& tensor : tensors) {
    std::size_t n = 1;
    for (const auto extent : tensor.shape) n *= static_cast<std::size_t>(extent);
    fuzz::require(n == tensor.values.size(), "a tensor has the values of its shape");
  }
  fuzz::accepted([&] { predictor_from_torch(tensors, cells, "onehot", "input"); });
  fuzz::accepted([&] { predictor_from_torch(tensors, stages, "ofa", "input"); });
  return 0;
}
