// For every CPU: vectors of 16 bytes.
#include "oneproxy/kernels/score/cpu/fleet_tile_loops.h"

namespace oneproxy::detail {

constinit const NextWithin kNextWithinPortable = next_within<2>;

}  // namespace oneproxy::detail
