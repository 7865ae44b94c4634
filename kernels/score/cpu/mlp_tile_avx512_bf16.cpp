// AVX-512 with products of pairs of bf16 (vdpbf16ps): as AVX-512, two inputs at a step.
#include <immintrin.h>

#include "oneproxy/kernels/score/cpu/mlp_tile_loops.h"

namespace oneproxy::detail {
namespace {

struct Bf16 {
  using Sum = float;
  using Act = std::uint16_t;
  using Reg = __m512;
  using In = __m512i;
  static constexpr int lanes = 16, group = 16, max_groups = 4, inputs_per_step = 2, row_multiple = 24;
  static constexpr int panel_bytes = 32768;
  static constexpr bool fused = true, ordered = false, bf16 = true;
  static constexpr int rows(int registers) { return registers == 4 ? 6 : 8; }
  static Reg load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Reg a) { _mm512_storeu_ps(to, a); }
  static Reg zero() { return _mm512_setzero_ps(); }
  static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  static Reg relu(Reg a) { return _mm512_max_ps(a, _mm512_setzero_ps()); }
  static Reg multiply_add(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  static In weights(const std::uint16_t* from) { return _mm512_loadu_si512(from); }
  static In broadcast(const std::uint16_t* from) {
    std::int32_t pair;
    __builtin_memcpy(&pair, from, sizeof(pair));
    return _mm512_set1_epi32(pair);
  }
  static void hide(In& in) { asm volatile("" : "+v"(in)); }
  static Reg step(Reg sum, In a, In w) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(w));
  }
  static void store_act(std::uint16_t* to, Reg a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(a)));
  }
};

}  // namespace

constinit const Bf16Tile kBf16Avx512 = tile_kernels<Bf16>("avx512_bf16");

}  // namespace oneproxy::detail
