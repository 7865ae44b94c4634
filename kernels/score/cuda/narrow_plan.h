#pragma once
// Whether a fused kernel (narrow.cuh) holds an MLP, the shape of its launch, and its weights as the kernel reads them.
#include <cstdint>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy::detail {

inline constexpr int kNarrowThreads = 256;
inline constexpr int kNarrowMaxWidth = 128;

struct DeviceLimits {
  int multiprocessors = 132;
  int shared_bytes = 232448;  // of a block, opted in: 101376 (sm_86, sm_89), 166912 (sm_80), 232448 (sm_90)
};

// The shape of a launch of narrow.cuh.
struct NarrowPlan {
  Precision precision = Precision::bf16;
  int width = 0;   // 32, 64 or 128: all hidden layers, padded
  int layers = 0;  // products between hidden layers
  int m_tiles = 2;
  std::uint32_t inner = 1;
  bool table_in_shared = false;
  int table_stride = 0;  // floats, so that the lanes of a load meet different banks
  int shared_bytes = 0;  // packed weights, biases and the last layer, the table; in a fleet its base rows as well
};
std::string to_string(const NarrowPlan& plan);

// 0 where no kernel holds the model: more than 128 wide, no product between hidden layers, more weights than shared
// memory.
int narrow_width(const Mlp& mlp);
bool plan_narrow(const Mlp& mlp, Precision precision, const DeviceLimits& device, NarrowPlan& plan);
// Rows of an inner table that leave room for a second block; for first_layer_tables.
std::uint64_t narrow_max_inner(const NarrowPlan& plan);
void place_table(NarrowPlan& plan, std::uint32_t inner, const DeviceLimits& device);

// Weight of a hidden layer, 0 beyond its size.
float weight_of(const DenseLayer& layer, int output, int input);

struct NarrowWeights {
  std::vector<std::uint32_t> fragments;  // [layers][packed words]; fp32: [layers][width][width]
  std::vector<float> vectors;            // biases [layers][width], last weights [width], last bias
};
NarrowWeights pack_narrow(const Mlp& mlp, const NarrowPlan& plan);

}  // namespace oneproxy::detail
