#pragma once
// The one source of randomness: Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Draw i of stream s under a seed is a pure
// function of (seed, s, i): the same on host and device, in any order, on any number of threads.
#include <cstdint>
#include <vector>

#include "oneproxy/kernels/base/index.h"

namespace oneproxy {

struct Philox {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;

  // 64 random bits: draw number `draw` of this stream.
  ONEPROXY_HD std::uint64_t bits(std::uint64_t draw) const {
    // Counter: (draw / 2, stream); each block of 128 bits serves two draws.
    std::uint32_t c[4] = {static_cast<std::uint32_t>(draw >> 1), static_cast<std::uint32_t>(draw >> 33),
                          static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
    std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = 0xD2511F53ull * c[0], p1 = 0xCD9E8D57ull * c[2];
      const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0;
      const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1;
      c[1] = static_cast<std::uint32_t>(p1);
      c[3] = static_cast<std::uint32_t>(p0);
      c[0] = n0;
      c[2] = n2;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    const int half = static_cast<int>(draw & 1) * 2;
    return (static_cast<std::uint64_t>(c[half + 1]) << 32) | c[half];
  }

  // Uniform in [0, 1), 53 bits.
  ONEPROXY_HD double uniform(std::uint64_t draw) const { return static_cast<double>(bits(draw) >> 11) * 0x1.0p-53; }

  // Uniform in [0, bound), bound >= 1. Bias below bound / 2^64 (multiply-shift, no rejection), so that
  // draw numbers stay aligned on all back ends.
  ONEPROXY_HD std::uint64_t below(std::uint64_t draw, std::uint64_t bound) const {
    return static_cast<std::uint64_t>((static_cast<ArchIndex>(bits(draw)) * bound) >> 64);
  }
};

// A uniformly random permutation of 0 .. n-1 (Fisher-Yates; uses draws 0 .. n-2 of `random`).
std::vector<std::int64_t> random_permutation(std::int64_t n, const Philox& random);

}  // namespace oneproxy
