#pragma once
// What a launch of the fused kernels takes; pointers are the device's.
#include <cstddef>
#include <cstdint>

#include "oneproxy/kernels/score/cuda/divider.h"

namespace oneproxy::detail {

// Fleets: all models of a block's slice share rows of values.
struct NarrowFleet {
  const float* parameters = nullptr;  // [n_models][stride]: rows [n_values][width], first bias, layers, last layer
  std::size_t stride = 0;
  std::uint32_t n_values = 0, n_base = 0, slices = 1;
  const std::uint32_t *base_rows = nullptr, *inner_rows = nullptr;  // [n_base][n_outer], [inner][n_inner]
  int n_outer = 0, n_inner = 0;
};

// What may be an answer of a fleet that is reduced.
struct FleetSurvivor {
  std::uint32_t model, place;
  float score;
};

// A fleet that is reduced (fleet_candidates.h): architectures come in the order of quality, and no score is stored.
struct NarrowBest {
  const std::uint32_t* order = nullptr;      // [count] where in the range the architecture of each place lies
  const std::uint32_t* group_end = nullptr;  // [count] behind the last place of the same quality
  const double* bars = nullptr;              // [n_models, n_limits] a score above it says that the limit is not kept
  const double* sures = nullptr;             // [n_models, n_limits] a score up to it says that the limit is kept
  const std::uint32_t* ends = nullptr;       // [n_models, n_limits] behind the last place that may be better
  int n_limits = 0;
  std::uint32_t shared_offset = 0;  // of a block's own bars, sures and ends: a multiple of 16
  FleetSurvivor* survivors = nullptr;
  unsigned long long* survived = nullptr;  // how many, also of those that found no place
  std::uint64_t capacity = 0;
};

struct NarrowArgs {
  const float* base = nullptr;   // [rows][width]
  const float* table = nullptr;  // [inner][width]; a row of zeros where the base rows are whole, with an inner of 1
  const std::uint32_t* fragments = nullptr;
  const float* vectors = nullptr;
  int layers = 1;
  Divider inner;  // architecture `at` is base row (skip + at) / inner and table row (skip + at) % inner
  std::uint32_t skip = 0;
  std::uint64_t count = 0;  // skip + count < 2^31
  double* scores = nullptr;
  float* scores_f32 = nullptr;  // fleets: [n_models, count]
  NarrowFleet fleet;
  NarrowBest best;
};

}  // namespace oneproxy::detail
