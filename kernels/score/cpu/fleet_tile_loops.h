// The loop of kernels/score/cpu/fleet_tile.h over vectors of any length, for files that are compiled for one
// instruction set. All of it is private to the file that includes it.
#pragma once
#include <cstring>

#include "oneproxy/kernels/score/cpu/fleet_tile.h"

namespace oneproxy::detail {
namespace {

template <int kLanes>
struct Doubles {
  typedef double Vector __attribute__((vector_size(kLanes * sizeof(double))));
  static Vector load(const double* from) {
    Vector vector;
    std::memcpy(&vector, from, sizeof(vector));
    return vector;
  }
};

template <int kLanes>
std::int64_t next_within(const FleetTile& tile, std::int64_t begin, std::int64_t end, const double* bars,
                         double* latencies) {
  using Vector = typename Doubles<kLanes>::Vector;
  using Mask = decltype(Vector{} <= Vector{});
  constexpr int kVectors = kFleetLanes / kLanes;
  constexpr int kAtOnce = kVectors < 4 ? kVectors : 4;  // in registers
  constexpr int kAhead = 12;                            // architectures: rows may come from memory
  for (std::int64_t i = begin; i < end; ++i) {
    const std::uint32_t* rows = tile.rows + i * tile.n_rows;
    if (i + kAhead < end) {
      const double* soon = tile.weights + rows[kAhead * tile.n_rows + 1] * tile.stride;
      for (int line = 0; line < kFleetLanes; line += 8) __builtin_prefetch(soon + line);
    }
    Mask within{};
    for (int v = 0; v < kFleetLanes; v += kAtOnce * kLanes) {
      Vector sums[kAtOnce];
      const double* bias = tile.bias + rows[0] * tile.stride + v;
      for (int k = 0; k < kAtOnce; ++k) sums[k] = Doubles<kLanes>::load(bias + k * kLanes);
      for (int r = 1; r < tile.n_rows; ++r) {
        const double* row = tile.weights + rows[r] * tile.stride + v;
        for (int k = 0; k < kAtOnce; ++k) sums[k] += Doubles<kLanes>::load(row + k * kLanes);
      }
      for (int k = 0; k < kAtOnce; ++k) {
        within |= sums[k] <= Doubles<kLanes>::load(bars + v + k * kLanes);
        std::memcpy(latencies + v + k * kLanes, &sums[k], sizeof(Vector));
      }
    }
    std::int64_t any = 0;
    for (int lane = 0; lane < kLanes; ++lane) any |= within[lane];
    if (any != 0) return i;
  }
  return end;
}

}  // namespace
}  // namespace oneproxy::detail
