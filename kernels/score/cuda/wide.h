#pragma once
// Hidden layers of MLPs that are too wide for one fused kernel: cuBLASLt's matrix products with bias and ReLU in their
// epilogue, in chunks of architectures whose activations stay in the L2 cache. Private to kernels/.
#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <string>

#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy::detail {

class WideMlp {
 public:
  // fp32, tf32 or bf16. The layers after the first one.
  WideMlp(const Mlp& mlp, Precision precision, std::int64_t l2_bytes, int multiprocessors);
  ~WideMlp();

  static int padded(int width) { return (width + 7) / 8 * 8; }  // 16 bytes of bf16, which the products want
  // scores [n] of the architectures whose first layer is base row (skip + i) / inner plus table row (skip + i) % inner;
  // rows of padded(first width) floats; table null: base rows alone. Enqueues on the stream. OutOfDeviceMemory where
  // there is none for the activations; release_scratch() gives them back.
  void score(cudaStream_t stream, const float* base, const float* table, std::uint32_t inner, std::uint32_t skip,
             std::uint32_t n, double* scores);
  void release_scratch();
  std::string path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace oneproxy::detail
