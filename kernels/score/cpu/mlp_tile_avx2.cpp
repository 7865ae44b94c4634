// AVX2 with FMA: 6 architectures x 2 vectors, 12 of the 16 registers.
#include <immintrin.h>

#include "oneproxy/kernels/score/cpu/mlp_tile_loops.h"

namespace oneproxy::detail {
namespace {

struct Shape {
  static constexpr int max_groups = 1, inputs_per_step = 1, row_multiple = 24, panel_bytes = 16384;
  static constexpr int rows(int) { return 6; }
};

template <bool kRound>
struct Fp32 : Shape {
  using Sum = float;
  using Act = float;
  using Reg = __m256;
  using In = __m256;
  static constexpr int lanes = 8, group = 16;
  static constexpr bool fused = true, ordered = false, bf16 = kRound;
  static Reg load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Reg a) { _mm256_storeu_ps(to, a); }
  static Reg zero() { return _mm256_setzero_ps(); }
  static Reg add(Reg a, Reg b) { return _mm256_add_ps(a, b); }
  static Reg relu(Reg a) { return _mm256_max_ps(a, _mm256_setzero_ps()); }
  static Reg multiply_add(Reg a, Reg b, Reg c) { return _mm256_fmadd_ps(a, b, c); }
  static In weights(const float* from) { return _mm256_loadu_ps(from); }
  static In broadcast(const float* from) { return _mm256_broadcast_ss(from); }
  static void hide(In& in) { asm volatile("" : "+x"(in)); }
  static Reg step(Reg sum, In a, In w) { return _mm256_fmadd_ps(a, w, sum); }
  static void store_act(float* to, Reg a) {
    if constexpr (kRound) {
      __m256i bits = _mm256_castps_si256(a);
      const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
      bits = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7FFF)), odd);
      a = _mm256_castsi256_ps(_mm256_and_si256(bits, _mm256_set1_epi32(~0xFFFF)));
    }
    _mm256_storeu_ps(to, a);
  }
};

struct Fp64 : Shape {
  using Sum = double;
  using Act = double;
  using Reg = __m256d;
  using In = __m256d;
  static constexpr int lanes = 4, group = 8;
  static constexpr bool fused = false, ordered = true, bf16 = false;
  static Reg load(const double* from) { return _mm256_loadu_pd(from); }
  static void store(double* to, Reg a) { _mm256_storeu_pd(to, a); }
  static Reg zero() { return _mm256_setzero_pd(); }
  static Reg add(Reg a, Reg b) { return _mm256_add_pd(a, b); }
  static Reg relu(Reg a) { return _mm256_max_pd(a, _mm256_setzero_pd()); }
  static Reg multiply_add(Reg a, Reg b, Reg c) { return _mm256_add_pd(c, _mm256_mul_pd(a, b)); }
  static In weights(const double* from) { return _mm256_loadu_pd(from); }
  static In broadcast(const double* from) { return _mm256_broadcast_sd(from); }
  static void hide(In& in) { asm volatile("" : "+x"(in)); }
  static Reg step(Reg sum, In a, In w) { return _mm256_add_pd(sum, _mm256_mul_pd(a, w)); }
  static void store_act(double* to, Reg a) { _mm256_storeu_pd(to, a); }
};

}  // namespace

constinit const Fp64Tile kFp64Avx2 = tile_kernels<Fp64>("avx2");
constinit const Fp32Tile kFp32Avx2 = tile_kernels<Fp32<false>>("avx2");
constinit const Fp32Tile kBf16EmulatedAvx2 = tile_kernels<Fp32<true>>("avx2");

}  // namespace oneproxy::detail
