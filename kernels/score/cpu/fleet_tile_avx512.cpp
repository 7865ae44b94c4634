// AVX-512: vectors of 64 bytes.
#include "oneproxy/kernels/score/cpu/fleet_tile_loops.h"

namespace oneproxy::detail {

constinit const NextWithin kNextWithinAvx512 = next_within<8>;

}  // namespace oneproxy::detail
