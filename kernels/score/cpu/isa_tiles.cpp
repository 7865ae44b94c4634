// Which tiles there are for an instruction set and a precision.
#include <algorithm>
#include <iterator>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"

namespace oneproxy::detail {
namespace {

struct IsaTiles {
  Isa isa;
  const Fp64Tile* fp64;
  const Fp32Tile *fp32, *bf16_emulated;
  const Bf16Tile* bf16;
};

constexpr IsaTiles kIsaTiles[] = {
    {Isa::portable, &kFp64Portable, &kFp32Portable, &kBf16EmulatedPortable, nullptr},
#ifdef ONEPROXY_X86_64_TILES
    {Isa::avx2, &kFp64Avx2, &kFp32Avx2, &kBf16EmulatedAvx2, nullptr},
    {Isa::avx512, &kFp64Avx512, &kFp32Avx512, &kBf16EmulatedAvx512, nullptr},
    {Isa::avx512_bf16, &kFp64Avx512, &kFp32Avx512, &kBf16EmulatedAvx512, &kBf16Avx512},
#endif
};

// Calls use(kernels) with those of `isa` for `precision`.
template <typename Use>
auto with_tiles(Precision precision, Isa isa, const Use& use) {
  const auto* tiles = std::find_if(std::begin(kIsaTiles), std::end(kIsaTiles), [&](auto& t) { return t.isa == isa; });
  ONEPROXY_ASSERT(tiles != std::end(kIsaTiles));
  switch (precision) {
    case Precision::fp64:
      return use(*tiles->fp64);
    case Precision::fp32:
      return use(*tiles->fp32);
    case Precision::bf16:
      return tiles->bf16 ? use(*tiles->bf16) : use(*tiles->bf16_emulated);
    case Precision::tf32:
      break;
  }
  throw Error("precision tf32 is the GPU's; on the CPU use fp32, bf16 or fp64");
}

}  // namespace

std::unique_ptr<MlpOnTiles> make_mlp_on_tiles(const Mlp& model, std::shared_ptr<const RowLists> code,
                                              Precision precision, Isa isa) {
  // Without a hidden matrix there is nothing that bf16 would make faster.
  if (precision == Precision::bf16 && model.layers.size() == 1) precision = Precision::fp32;
  return with_tiles(precision, isa,
                    [&](const auto& kernels) { return make_mlp_on_tiles(model, std::move(code), kernels); });
}

double spin_multiply_adds(Precision precision, Isa isa, std::int64_t rounds) {
  return with_tiles(precision, isa, [&](const auto& kernels) { return kernels.peak(rounds); });
}

}  // namespace oneproxy::detail
