#pragma once
// The inner loop of a fleet of tables: an architecture's latencies on a tile of devices at once, and whether any keeps
// its bar. fleet_tile_loops.h has the loop, one fleet_tile_<isa>.cpp compiles it for one instruction set.
//
// Plain data only, as in kernels/score/cpu/mlp_tile.h.
#include <cstdint>

namespace oneproxy::detail {

inline constexpr int kFleetLanes =
    32;  // devices of a tile: 4 to 16 vectors, whose additions do not wait for each other

struct FleetTile {
  const double* weights = nullptr;  // row r, of the tile's devices, at weights + r * stride
  const double* bias = nullptr;     // row t at bias + t * stride
  std::int64_t stride = 0;
  const std::uint32_t* rows = nullptr;  // [n, n_rows]: the row of `bias`, then those of `weights` in their order
  int n_rows = 0;
};

// The first architecture of begin .. end-1 with a latency <= its device's bar (a bar of NaN: none is), and the
// latencies [kFleetLanes]; `end` where there is none.
using NextWithin = std::int64_t (*)(const FleetTile& tile, std::int64_t begin, std::int64_t end, const double* bars,
                                    double* latencies);

extern const NextWithin kNextWithinPortable;
#ifdef ONEPROXY_X86_64_TILES
extern const NextWithin kNextWithinAvx2, kNextWithinAvx512;
#endif

}  // namespace oneproxy::detail
