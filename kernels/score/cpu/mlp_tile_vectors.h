// Vector types for kernels/score/cpu/mlp_tile_loops.h that any compiler with GNU vector extensions has, of any length:
// the portable kernels, and in tests the shape of kernels whose instructions the CPU lacks.
#pragma once
#include <cstring>

#include "oneproxy/kernels/score/cpu/mlp_tile_loops.h"

namespace oneproxy::detail {
namespace {

template <typename T>
struct BitsOf;
template <>
struct BitsOf<float> {
  using Type = std::int32_t;
};
template <>
struct BitsOf<double> {
  using Type = std::int64_t;
};

// kRound: activations are rounded to bf16 when they are stored.
template <typename T, int kLanes, int kGroup, bool kRound>
struct VectorBase {
  using Sum = T;
  using Act = T;
  typedef T Reg __attribute__((vector_size(kLanes * sizeof(T))));
  typedef typename BitsOf<T>::Type Bits __attribute__((vector_size(kLanes * sizeof(T))));
  using In = Reg;
  static constexpr int lanes = kLanes, group = kGroup, inputs_per_step = 1;
  static constexpr bool ordered = sizeof(T) == 8, bf16 = kRound;

  static Reg load(const T* from) {
    Reg reg;
    std::memcpy(&reg, from, sizeof(reg));
    return reg;
  }
  static void store(T* to, Reg reg) { std::memcpy(to, &reg, sizeof(reg)); }
  static Reg zero() { return Reg{}; }
  static Reg add(Reg a, Reg b) { return a + b; }
  static Reg relu(Reg a) { return reinterpret_cast<Reg>(reinterpret_cast<Bits>(a) & (a > 0)); }
  static void hide(In& in) {
#if defined(__x86_64__)
    if constexpr (sizeof(In) == 16) {
      asm volatile("" : "+x"(in));
      return;
    }
#endif
    asm volatile("" : "+m"(in));
  }
  static In weights(const T* from) { return load(from); }
  static In broadcast(const T* from) { return Reg{} + *from; }
  static void store_act(T* to, Reg reg) {
    if constexpr (kRound) {
      Bits bits = reinterpret_cast<Bits>(reg);  // relu's results, so never negative
      bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & ~0xFFFF;
      reg = reinterpret_cast<Reg>(bits);
    }
    store(to, reg);
  }
};

}  // namespace
}  // namespace oneproxy::detail
