#include "oneproxy/kernels/base/isa.h"

#include <cstdlib>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr Isa kBestFirst[] = {Isa::avx512_bf16, Isa::avx512, Isa::avx2, Isa::portable};

}  // namespace

const char* to_string(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return "portable";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_bf16:
      return "avx512_bf16";
  }
  return "?";
}

bool isa_available(Isa isa) noexcept {
  if (isa == Isa::portable) return true;
#ifdef ONEPROXY_X86_64_TILES
  __builtin_cpu_init();
  if (isa == Isa::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (isa == Isa::avx512) return avx512;
  return avx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

Isa chosen_isa() {
  const char* asked = std::getenv("ONEPROXY_ISA");
  for (const Isa isa : kBestFirst) {
    if (asked && std::string(asked) != to_string(isa)) continue;
    if (isa_available(isa)) return isa;
    if (asked)
      throw Error("ONEPROXY_ISA = '" + std::string(asked) + "': this CPU or this build has no such instructions; the " +
                  "best here is " + [] {
                    for (const Isa best : kBestFirst)
                      if (isa_available(best)) return to_string(best);
                    return "portable";
                  }());
  }
  throw Error("ONEPROXY_ISA = '" + std::string(asked) +
              "' is no instruction set; set it to portable, avx2, avx512 or avx512_bf16, or unset it");
}

}  // namespace oneproxy
