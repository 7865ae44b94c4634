#pragma once
// In which numbers a predictor is evaluated. fp64 is the reference and has one fixed order of operations on every
// machine; the others are fast, and differ from it by at most Scorer::error_bound.
namespace oneproxy {

enum class Precision {
  fp64,  // CPU and CUDA
  fp32,  // CPU and CUDA
  tf32,  // CUDA only: fp32 storage, products of 10-bit mantissas on the tensor cores
  bf16,  // CPU (emulated in fp32 where it has no bf16 instructions, and said) and CUDA
};

const char* to_string(Precision precision);

}  // namespace oneproxy
