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

// Where the inner table lies: for each model of its own in a fleet, whose scores are stored or reduced.
enum class TablePlace { shared_memory, l2_cache, fleet, fleet_best };
ONEPROXY_HD constexpr bool is_fleet(TablePlace place) {
  return place == TablePlace::fleet || place == TablePlace::fleet_best;
}

// Floats of a row of the table in shared memory: the lanes of a load, eight rows apart or one row each for fp32, meet
// different banks.
ONEPROXY_HD constexpr int narrow_table_stride(Precision precision, int width) {
  return width + (precision == Precision::fp32 ? 4 : precision == Precision::bf16 ? 16 : 8);
}
ONEPROXY_HD constexpr int narrow_m_tiles(Precision precision, int width) {
  return precision == Precision::tf32 && width == 128 ? 1 : 2;
}
// Blocks of a multiprocessor that the compiler leaves registers for: as many as spill nothing, or no more than the
// number of the tile. Deep models of 128, and of 64 in tf32, need more than 128 registers.
ONEPROXY_HD constexpr int narrow_resident_blocks(Precision precision, int width, bool deep) {
  if (width == 32) return deep && precision == Precision::tf32 ? 2 : 3;
  return deep && (width == 128 || precision == Precision::tf32) ? 1 : 2;
}

// The shape of a launch of narrow.cuh.
struct NarrowPlan {
  Precision precision = Precision::bf16;
  int width = 0;   // 32, 64 or 128: all hidden layers, padded
  int layers = 0;  // products between hidden layers
  int m_tiles = 2;
  std::uint32_t inner = 1;
  TablePlace place = TablePlace::l2_cache;
  int table_stride = 0;  // floats, in shared memory
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
