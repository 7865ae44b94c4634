#pragma once
// A fleet of tables, reduced on the device: places of a piece in the order of quality (fleet_order.h), a thread a
// device. The first place that keeps a limit is its answer, ties aside: 32 bits a device and limit are all that stays.
#include "oneproxy/kernels/base/device_code.cuh"

namespace oneproxy::detail {

inline constexpr int kFleetThreads = 128;         // of a block, each a device
inline constexpr std::uint32_t kFleetChunk = 64;  // places between two looks at what the other blocks have found

struct FleetTables {
  const double* weights = nullptr;  // [rows, stride]
  const double* bias = nullptr;     // [n_tables, stride]
  std::uint32_t n_devices = 0, stride = 0;
  const std::uint32_t* rows = nullptr;  // [n, n_rows]: the row of `bias`, then those of `weights` in their order
  std::uint32_t n = 0;
  int n_rows = 0;
};

struct FleetSearch {
  const double* limits = nullptr;  // [n_limits, n_devices]
  // [n_limits, n_devices] the first place that keeps the limit; before, the end of those that may be better.
  std::uint32_t* found = nullptr;
  int n_limits = 0;
  std::uint32_t slices = 1;  // blocks that share the devices of a block, every so-many-th chunk each
};

// latency of place `at` on a device, in the order of the definition.
ONEPROXY_DEVICE double fleet_latency(const FleetTables& tables, const std::uint32_t* rows, std::uint32_t device) {
  double sum = tables.bias[std::size_t{rows[0]} * tables.stride + device];
  for (int r = 1; r < tables.n_rows; ++r) sum += tables.weights[std::size_t{rows[r]} * tables.stride + device];
  return sum;
}

// The loosest limit that is still open at `place`; NaN: none is. Other blocks lower `found` meanwhile: an old value
// only costs work.
ONEPROXY_DEVICE double fleet_bar(const FleetSearch& search, std::uint32_t n_devices, std::uint32_t device,
                                 std::uint32_t place) {
  double bar = nan("");
  for (int l = 0; l < search.n_limits; ++l) {
    const std::size_t cell = std::size_t(l) * n_devices + device;
    if (place < *static_cast<const volatile std::uint32_t*>(search.found + cell)) bar = fmax(bar, search.limits[cell]);
  }
  return bar;
}

// Shared memory: kFleetChunk * n_rows words. Blocks: slices for each kFleetThreads devices.
[[maybe_unused]] static __global__ void fleet_tables_kernel(const FleetTables tables, const FleetSearch search) {
  auto* rows = reinterpret_cast<std::uint32_t*>(dynamic_shared());
  const std::uint32_t slice = blockIdx.x % search.slices;
  const std::uint32_t device = blockIdx.x / search.slices * blockDim.x + threadIdx.x;
  const bool exists = device < tables.n_devices;
  for (std::uint64_t first = std::uint64_t{slice} * kFleetChunk; first < tables.n;
       first += std::uint64_t{search.slices} * kFleetChunk) {
    const auto begin = static_cast<std::uint32_t>(first);
    const std::uint32_t n = tables.n - begin < kFleetChunk ? tables.n - begin : kFleetChunk;
    double bar = exists ? fleet_bar(search, tables.n_devices, device, begin) : nan("");
    // Later chunks are open no longer than this one. It is also the barrier before `rows` changes.
    if (!__syncthreads_or(bar == bar)) return;
    const std::uint32_t* from = tables.rows + std::size_t{begin} * tables.n_rows;
    for (std::uint32_t i = threadIdx.x; i < n * tables.n_rows; i += blockDim.x) rows[i] = from[i];
    __syncthreads();
    if (!(bar == bar)) continue;
    for (std::uint32_t i = 0; i < n; ++i) {
      const double latency = fleet_latency(tables, rows + i * tables.n_rows, device);
      if (!(latency <= bar)) continue;
      for (int l = 0; l < search.n_limits; ++l) {
        const std::size_t cell = std::size_t(l) * tables.n_devices + device;
        if (latency <= search.limits[cell]) atomicMin(search.found + cell, begin + i);
      }
      bar = fleet_bar(search, tables.n_devices, device, begin + i + 1);
    }
  }
}

struct FleetPlaces {
  const std::uint32_t* ends = nullptr;       // [n_limits, n_devices] `found` as it was before
  const std::uint32_t* group_end = nullptr;  // [n] behind the last place of the same quality
  std::uint32_t* places = nullptr;           // [n_limits, n_devices] the answer; n where there is none
  double* latencies = nullptr;               // [n_limits, n_devices]
};

// Of the places of one quality the fastest, and the first among equals. A thread a device and limit.
[[maybe_unused]] static __global__ void fleet_settle_kernel(const FleetTables tables, const FleetSearch search,
                                                            const FleetPlaces answers) {
  const std::uint64_t cells = std::uint64_t(search.n_limits) * tables.n_devices;
  for (std::uint64_t cell = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; cell < cells;
       cell += std::uint64_t{gridDim.x} * blockDim.x) {
    const auto device = static_cast<std::uint32_t>(cell % tables.n_devices);
    const std::uint32_t found = search.found[cell];
    std::uint32_t best = tables.n;
    double least = 0;
    if (found < answers.ends[cell]) {
      const std::uint32_t end = answers.group_end[found];
      for (std::uint32_t place = found; place < end; ++place) {
        const double latency = fleet_latency(tables, tables.rows + std::size_t{place} * tables.n_rows, device);
        if (best == tables.n || latency < least) best = place, least = latency;
      }
    }
    answers.places[cell] = best;
    answers.latencies[cell] = least;
  }
}

}  // namespace oneproxy::detail
