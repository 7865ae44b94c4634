#pragma once
// Which instruction set the CPU kernels use, chosen at run time. No library, no silent fallback.
namespace oneproxy {

enum class Isa {
  portable,     // what every CPU of the architecture has
  avx2,         // with FMA
  avx512,       // F, BW, DQ, VL
  avx512_bf16,  // with products of bf16 pairs
};

const char* to_string(Isa isa);

// Whether this build has kernels for `isa` and this CPU runs them.
bool isa_available(Isa isa) noexcept;

// The best available one, or what ONEPROXY_ISA names (portable|avx2|avx512|avx512_bf16). Error where that is no such
// name or can not run here.
Isa chosen_isa();

}  // namespace oneproxy
