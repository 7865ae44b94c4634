#pragma once
// Sums of tables. Private to kernels/.
#include "oneproxy/kernels/base/device_code.cuh"
#include "oneproxy/kernels/score/cuda/leaf.h"
#include "oneproxy/kernels/score/cuda/places.h"

namespace oneproxy::detail {

struct TableArgs {
  const double* weights = nullptr;  // [n_tables, length]
  const double* bias = nullptr;     // [n_tables]
  std::uint64_t length = 0;
  bool digit_0_selects = false;
  const DigitGroup* digits = nullptr;  // [n_digits], one digit each
  int n_digits = 0;
  Leaf leaf;
};

struct Prefix {
  double sum;
  const double* weights;  // of the table that digit 0 selects
};

// Bias and the weights of the digits before the leaf; `offset` in architectures.
ONEPROXY_DEVICE Prefix sum_prefix(const TableArgs& table, const Places& places, std::uint64_t offset, int n_digits) {
  Prefix prefix{table.bias[0], table.weights};
  each_group(places, table.digits, n_digits, offset, [&](int d, std::uint32_t value) {
    if (d == 0 && table.digit_0_selects) prefix = {table.bias[value], table.weights + value * table.length};
    prefix.sum += prefix.weights[table.digits[d].offset + value];
  });
  return prefix;
}

// sum + weights of the leaf's digits first .. end-1, `rest` being their place in the leaf.
ONEPROXY_DEVICE double sum_leaf(const TableArgs& table, Prefix prefix, std::uint32_t rest, int end) {
  for (int d = table.leaf.first; d < end; ++d) {
    const auto stride = static_cast<std::uint32_t>(table.digits[d].stride);
    const std::uint32_t value = rest / stride;
    rest -= value * stride;
    prefix.sum += prefix.weights[table.digits[d].offset + value];
  }
  return prefix.sum;
}

// One thread a prefix, all digits for a list or a shuffled run (leaf.first = n_digits).
[[maybe_unused]] static __global__ void prefix_kernel(const TableArgs table, const Places places, std::uint32_t n,
                                                      Prefix* prefixes) {
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    prefixes[i] = sum_prefix(table, places, std::uint64_t{i} * table.leaf.size, table.leaf.first);
}

// One thread an architecture: its prefix and its leaf.
[[maybe_unused]] static __global__ void leaf_kernel(const TableArgs table, const Prefix* prefixes, std::uint32_t skip,
                                                    std::uint32_t count, double* scores) {
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x) {
    const std::uint32_t place = skip + i, prefix = place / table.leaf.size;
    scores[i] = sum_leaf(table, prefixes[prefix], place - prefix * table.leaf.size, table.n_digits);
  }
}

[[maybe_unused]] static __global__ void whole_kernel(const TableArgs table, const Places places, std::uint32_t count,
                                                     double* scores) {
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
    scores[i] = sum_prefix(table, places, i, table.n_digits).sum;
}

}  // namespace oneproxy::detail
