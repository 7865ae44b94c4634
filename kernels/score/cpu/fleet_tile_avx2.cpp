// AVX2: vectors of 32 bytes.
#include "oneproxy/kernels/score/cpu/fleet_tile_loops.h"

namespace oneproxy::detail {

constinit const NextWithin kNextWithinAvx2 = next_within<4>;

}  // namespace oneproxy::detail
