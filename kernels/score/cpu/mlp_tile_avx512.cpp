// AVX-512: 6 architectures x 4 vectors (or 8 x 3, 8 x 2, 8 x 1), at most 24 of the 32 registers.
#include <immintrin.h>

#include "oneproxy/kernels/score/cpu/mlp_tile_loops.h"

namespace oneproxy::detail {
namespace {

struct Shape {
  static constexpr int max_groups = 4, inputs_per_step = 1, row_multiple = 24, panel_bytes = 32768;
  static constexpr int rows(int registers) { return registers == 4 ? 6 : 8; }
};

template <bool kRound>
struct Fp32 : Shape {
  using Sum = float;
  using Act = float;
  using Reg = __m512;
  using In = __m512;
  static constexpr int lanes = 16, group = 16;
  static constexpr bool fused = true, ordered = false, bf16 = kRound;
  static Reg load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Reg a) { _mm512_storeu_ps(to, a); }
  static Reg zero() { return _mm512_setzero_ps(); }
  static Reg add(Reg a, Reg b) { return _mm512_add_ps(a, b); }
  static Reg relu(Reg a) { return _mm512_max_ps(a, _mm512_setzero_ps()); }
  static Reg multiply_add(Reg a, Reg b, Reg c) { return _mm512_fmadd_ps(a, b, c); }
  static In weights(const float* from) { return _mm512_loadu_ps(from); }
  static In broadcast(const float* from) { return _mm512_set1_ps(*from); }
  static void hide(In& in) { asm volatile("" : "+v"(in)); }
  static Reg step(Reg sum, In a, In w) { return _mm512_fmadd_ps(a, w, sum); }
  static void store_act(float* to, Reg a) {
    if constexpr (kRound) {
      __m512i bits = _mm512_castps_si512(a);
      const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
      bits = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
      a = _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(~0xFFFF)));
    }
    _mm512_storeu_ps(to, a);
  }
};

struct Fp64 : Shape {
  using Sum = double;
  using Act = double;
  using Reg = __m512d;
  using In = __m512d;
  static constexpr int lanes = 8, group = 8;
  static constexpr bool fused = false, ordered = true, bf16 = false;
  static Reg load(const double* from) { return _mm512_loadu_pd(from); }
  static void store(double* to, Reg a) { _mm512_storeu_pd(to, a); }
  static Reg zero() { return _mm512_setzero_pd(); }
  static Reg add(Reg a, Reg b) { return _mm512_add_pd(a, b); }
  static Reg relu(Reg a) { return _mm512_max_pd(a, _mm512_setzero_pd()); }
  static Reg multiply_add(Reg a, Reg b, Reg c) { return _mm512_add_pd(c, _mm512_mul_pd(a, b)); }
  static In weights(const double* from) { return _mm512_loadu_pd(from); }
  static In broadcast(const double* from) { return _mm512_set1_pd(*from); }
  static void hide(In& in) { asm volatile("" : "+v"(in)); }
  static Reg step(Reg sum, In a, In w) { return _mm512_add_pd(sum, _mm512_mul_pd(a, w)); }
  static void store_act(double* to, Reg a) { _mm512_storeu_pd(to, a); }
};

}  // namespace

constinit const Fp64Tile kFp64Avx512 = tile_kernels<Fp64>("avx512");
constinit const Fp32Tile kFp32Avx512 = tile_kernels<Fp32<false>>("avx512");
constinit const Fp32Tile kBf16EmulatedAvx512 = tile_kernels<Fp32<true>>("avx512");

}  // namespace oneproxy::detail
