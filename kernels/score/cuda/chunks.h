#pragma once
// How work is cut: chunks whose data stay in the cache, pieces for several devices.
#include <cstdint>
#include <vector>

namespace oneproxy::detail {

// Architectures of a wide MLP whose activations, two layers of them, stay in the L2 cache with `beside` bytes of what
// every chunk reads again: a multiple of 1,024.
std::int64_t wide_rows(int widest, int element_bytes, std::int64_t beside, std::int64_t l2_bytes);

// Pieces of 0 .. count-1 for n workers, in order; none empty unless count < n.
std::vector<std::uint64_t> piece_borders(std::uint64_t count, int n);

}  // namespace oneproxy::detail
