// For every CPU: vectors of 16 bytes, products rounded before they are added (no FMA can be assumed).
#include "oneproxy/kernels/score/cpu/mlp_tile_vectors.h"

namespace oneproxy::detail {
namespace {

template <typename T, bool kRound>
struct Portable : VectorBase<T, 16 / sizeof(T), 64 / sizeof(T), kRound> {
  using Reg = typename VectorBase<T, 16 / sizeof(T), 64 / sizeof(T), kRound>::Reg;
  static constexpr int max_groups = 1, row_multiple = 24, panel_bytes = 16384;
  static constexpr bool fused = false;
  static constexpr int rows(int) { return 2; }  // x 4 registers
  static Reg multiply_add(Reg a, Reg b, Reg c) { return c + a * b; }
  static Reg step(Reg sum, Reg a, Reg w) { return sum + a * w; }
};

}  // namespace

constinit const Fp64Tile kFp64Portable = tile_kernels<Portable<double, false>>("portable");
constinit const Fp32Tile kFp32Portable = tile_kernels<Portable<float, false>>("portable");
constinit const Fp32Tile kBf16EmulatedPortable = tile_kernels<Portable<float, true>>("portable");

}  // namespace oneproxy::detail
