#pragma once
// Which element of a matrix sits in which register of which lane of a warp, for the two tensor-core products that score
// narrow MLPs, and how weights are packed for them. Plain arithmetic, so that a CPU can check it.
//
//   bf16: mma.m16n8k16   A [16, 16], B [16, 8], C [16, 8]      tf32: mma.m16n8k8   A [16, 8], B [8, 8], C [16, 8]
//
// With g = lane / 4 and t = lane % 4 (PTX ISA, "Matrix Fragments for mma.m16n8k16 / mma.m16n8k8"). The order in which
// columns are summed is free as long as A and B agree, and so is the order of outputs: a lane gets kPerLane
// neighbouring columns of each k-tile, and the outputs that it holds after one layer are just what it needs for the
// next one.
#include <bit>
#include <cstdint>

#include "oneproxy/kernels/base/index.h"

namespace oneproxy::detail {

struct Element {
  int row, column;
};

// Two bf16 values a register: `half` 0 is the lower one.
struct Bf16Layout {
  static constexpr int kColumns = 16;  // of a k-tile
  static constexpr int kPerLane = 4;   // neighbouring columns of a k-tile that one lane holds
  static constexpr int kHalves = 2;    // values in a register
  ONEPROXY_HD static Element a(int lane, int word, int half) {
    return {lane / 4 + 8 * (word & 1), lane % 4 * 2 + half + 8 * (word >> 1)};
  }
  ONEPROXY_HD static Element b(int lane, int word, int half) { return {lane % 4 * 2 + half + 8 * word, lane / 4}; }
};

struct Tf32Layout {
  static constexpr int kColumns = 8;
  static constexpr int kPerLane = 2;
  static constexpr int kHalves = 1;
  ONEPROXY_HD static Element a(int lane, int word, int) {
    return {lane / 4 + 8 * (word & 1), lane % 4 + 4 * (word >> 1)};
  }
  ONEPROXY_HD static Element b(int lane, int word, int) { return {lane % 4 + 4 * word, lane / 4}; }
};

// C, the same for both.
ONEPROXY_HD inline Element mma_c(int lane, int word) { return {lane / 4 + 8 * (word >> 1), lane % 4 * 2 + (word & 1)}; }

// Our order: position in a k-tile <-> column of the activations; position in an n-tile <-> output of the layer.
template <class Layout>
ONEPROXY_HD inline int column_of_k(int position) {
  if constexpr (Layout::kColumns == 16) return position % 8 / 2 * 4 + position / 8 * 2 + position % 2;
  return position % 4 * 2 + position / 4;
}
template <class Layout>  // n-tile number `tile` of the layer
ONEPROXY_HD inline int output_of_n(int tile, int position) {
  constexpr int tiles = Layout::kColumns / 8;
  return tile / tiles * Layout::kColumns + position / 2 * Layout::kPerLane + tile % tiles * 2 + position % 2;
}

// To nearest, ties to even.
ONEPROXY_HD inline std::uint32_t bf16_bits(float value) {
#if defined(__CUDA_ARCH__)
  const std::uint32_t bits = __float_as_uint(value);
#else
  const auto bits = std::bit_cast<std::uint32_t>(value);
#endif
  return (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
}
// To nearest, ties away from zero, as cvt.rna.tf32.
ONEPROXY_HD inline std::uint32_t tf32_bits(float value) {
#if defined(__CUDA_ARCH__)
  const std::uint32_t bits = __float_as_uint(value);
#else
  const auto bits = std::bit_cast<std::uint32_t>(value);
#endif
  return (bits + 0x1000u) & ~0x1FFFu;
}

// A layer's weights [width outputs, width inputs] as the registers of B, in the order in which a warp reads them:
// words [n-tile][pair of k-tiles][lane][4], two words of each k-tile of the pair. width is a multiple of 32.
template <class Layout>
ONEPROXY_HD inline int packed_words(int width) {
  return width * width / Layout::kHalves;
}
template <class Layout, class Weight>  // weight(output, input) -> float
ONEPROXY_HD inline std::uint32_t packed_word(int width, int index, const Weight& weight) {
  const int pairs = width / Layout::kColumns / 2;
  const int word = index & 3, lane = index >> 2 & 31, pair = (index >> 7) % pairs, tile = (index >> 7) / pairs;
  const int k_tile = 2 * pair + (word >> 1);
  std::uint32_t packed = 0;
  for (int half = 0; half < Layout::kHalves; ++half) {
    const Element at = Layout::b(lane, word & 1, half);
    const float value =
        weight(output_of_n<Layout>(tile, at.column), k_tile * Layout::kColumns + column_of_k<Layout>(at.row));
    if constexpr (Layout::kHalves == 2)
      packed |= bf16_bits(value) << (16 * half);
    else
      packed = tf32_bits(value);
  }
  return packed;
}

}  // namespace oneproxy::detail
