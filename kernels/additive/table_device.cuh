#pragma once
// The kernel of score_table's CUDA twin.
#include "oneproxy/kernels/additive/table.h"
#include "oneproxy/kernels/base/device_code.cuh"

namespace oneproxy::detail {

struct DeviceTableView {
  const double* weights = nullptr;        // [n_tables, width]
  const double* bias = nullptr;           // [n_tables]
  const std::uint8_t* radices = nullptr;  // [n_digits]
  int n_digits = 0;
  std::size_t width = 0;
  bool several_tables = false;
};

// choices [n, n_digits] row-major u8 -> scores [n] f64. One thread an architecture; first_bad receives the lowest one
// with a choice outside its radix, which is not scored.
[[maybe_unused]] static __global__ void score_table_kernel(const DeviceTableView table, const std::uint8_t* choices,
                                                           std::int64_t n, double* scores,
                                                           unsigned long long* first_bad) {
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t arch = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; arch < n; arch += step) {
    const std::uint8_t* own = choices + arch * table.n_digits;
    bool bad = false;
    for (int d = 0; d < table.n_digits; ++d) bad |= own[d] >= table.radices[d];
    if (bad) {
      atomicMin(first_bad, static_cast<unsigned long long>(arch));
      continue;
    }
    const std::size_t t = table.several_tables ? own[0] : 0;
    scores[arch] = add_entries(table.bias[t], table.weights + t * table.width, table.radices, own, table.n_digits);
  }
}

}  // namespace oneproxy::detail
