// Scores are made in slices, so that any number of them needs little device memory.
#include <algorithm>
#include <limits>

#include "oneproxy/kernels/additive/linear_score_detail.h"
#include "oneproxy/kernels/base/device_memory.cuh"

namespace oneproxy::detail {
namespace {

constexpr int threads = 256;
constexpr std::int64_t most_blocks = 4096;                    // enough for every device; blocks loop over their work
constexpr std::int64_t slice_scores = std::int64_t{1} << 26;  // 512 MiB

struct DeviceTable {
  explicit DeviceTable(const LinearTable& table) : radices(table.radices), weights(table.weights), bias(table.bias) {}
  DeviceBuffer<std::uint8_t> radices;
  DeviceBuffer<double> weights;
  double bias;
};

// choices [n, n_decisions] row-major u8 -> scores [n] f64. One thread an architecture; first_bad receives the lowest
// one with a choice outside its radix, which is not scored.
__global__ void score_choices_kernel(const std::uint8_t* __restrict__ choices, std::int64_t n, int n_decisions,
                                     const std::uint8_t* __restrict__ radices, const double* __restrict__ weights,
                                     double bias, double* __restrict__ scores, unsigned long long* first_bad) {
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t arch = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; arch < n; arch += step) {
    const std::uint8_t* choice = choices + arch * n_decisions;
    bool bad = false;
    for (int d = 0; d < n_decisions; ++d) bad |= choice[d] >= radices[d];
    if (bad)
      atomicMin(first_bad, static_cast<unsigned long long>(arch));
    else
      scores[arch] = add_choices(bias, weights, radices, choice, n_decisions);
  }
}

// The plan of a range (see linear_score_detail.h) -> scores [count] f64. One block a tile at a time: one thread sums
// the outer decisions, all threads the rows into shared memory, then each score is one addition.
__global__ void score_range_kernel(Tiles tiles, const std::uint8_t* __restrict__ first_choices,
                                   const std::uint8_t* __restrict__ radices, const double* __restrict__ weights,
                                   double bias, double* __restrict__ scores, std::int64_t count) {
  extern __shared__ double rows[];  // [n_rows], then u8 [n_outer] choices of the tile
  auto* choices = reinterpret_cast<std::uint8_t*>(rows + tiles.n_rows);
  __shared__ double outer_sum;
  const int n_inner = tiles.n_decisions - tiles.n_outer - 1;
  const auto tile_size = static_cast<std::int32_t>(tiles.size());
  for (std::int64_t tile = blockIdx.x; tile < tiles.n_tiles; tile += gridDim.x) {
    if (threadIdx.x == 0) {
      offset_choices(first_choices, radices, tiles.n_outer, static_cast<std::uint64_t>(tile), choices);
      outer_sum = add_choices(bias, weights, radices, choices, tiles.n_outer);
    }
    __syncthreads();
    for (std::int32_t row = threadIdx.x; row < tiles.n_rows; row += blockDim.x)
      rows[row] = add_row(outer_sum, weights + tiles.row_weights, radices + tiles.n_outer, n_inner, row, tiles.n_rows);
    __syncthreads();
    const std::int64_t offset = tile * tile_size - tiles.skip;
    for (std::int32_t i = threadIdx.x; i < tile_size; i += blockDim.x) {
      const std::int32_t row = i / tiles.row_size;
      const std::int64_t at = offset + i;
      if (at >= 0 && at < count) scores[at] = rows[row] + weights[tiles.last_weights + i - row * tiles.row_size];
    }
    __syncthreads();  // before the next tile overwrites rows and outer_sum
  }
}

}  // namespace

std::int64_t score_choices_cuda(const LinearTable& table, std::span<const std::uint8_t> choices,
                                std::span<double> scores) {
  const DeviceTable on_device(table);
  const auto n = static_cast<std::int64_t>(scores.size());
  const auto n_decisions = static_cast<std::int64_t>(table.radices.size());
  const std::int64_t slice = std::min(n, std::max<std::int64_t>(slice_scores / n_decisions, 1));
  constexpr auto none = std::numeric_limits<unsigned long long>::max();
  for (std::int64_t begin = 0; begin < n; begin += slice) {
    const std::int64_t count = std::min(slice, n - begin);
    const DeviceBuffer<std::uint8_t> device_choices(choices.subspan(begin * n_decisions, count * n_decisions));
    DeviceBuffer<double> device_scores(count);
    unsigned long long first_bad = none;
    DeviceBuffer<unsigned long long> device_bad(std::span<const unsigned long long>(&first_bad, 1));
    const auto blocks = static_cast<unsigned>(std::min((count + threads - 1) / threads, most_blocks));
    score_choices_kernel<<<blocks, threads>>>(device_choices.data(), count, static_cast<int>(n_decisions),
                                              on_device.radices.data(), on_device.weights.data(), on_device.bias,
                                              device_scores.data(), device_bad.data());
    ONEPROXY_CUDA_CHECK_LAUNCH();
    device_bad.copy_to_host(std::span(&first_bad, 1));
    if (first_bad != none) return begin + static_cast<std::int64_t>(first_bad);
    device_scores.copy_to_host(scores.subspan(begin, count));
  }
  return -1;
}

void score_range_cuda(const LinearTable& table, ArchIndex begin, std::span<double> scores) {
  const DeviceTable on_device(table);
  const auto n = static_cast<std::int64_t>(scores.size());
  for (std::int64_t begin_slice = 0; begin_slice < n; begin_slice += slice_scores) {
    const std::int64_t count = std::min(slice_scores, n - begin_slice);
    const auto [tiles, first_choices] = plan_range(table.radices, begin + static_cast<ArchIndex>(begin_slice), count);
    const DeviceBuffer<std::uint8_t> device_first(first_choices);
    DeviceBuffer<double> device_scores(count);
    const auto blocks = static_cast<unsigned>(std::min(tiles.n_tiles, most_blocks));
    const std::size_t shared = static_cast<std::size_t>(tiles.n_rows) * sizeof(double) + first_choices.size();
    score_range_kernel<<<blocks, threads, shared>>>(tiles, device_first.data(), on_device.radices.data(),
                                                    on_device.weights.data(), on_device.bias, device_scores.data(),
                                                    count);
    ONEPROXY_CUDA_CHECK_LAUNCH();
    device_scores.copy_to_host(scores.subspan(begin_slice, count));
  }
}

}  // namespace oneproxy::detail
