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
  const PlaceGroup* digits = nullptr;  // [n_digits], one digit each
  int n_digits = 0;
  Leaf leaf;
};

struct Prefix {
  double sum;
  const double* weights;  // of the table that digit 0 selects
};

// Bias and the weights of the digits before the leaf; `offset` in architectures. Of one table, or of two over the same
// digits, which are decoded once for both.
template <int n_tables>
ONEPROXY_DEVICE void sum_prefixes(const TableArgs* const (&tables)[n_tables], const Places& places,
                                  std::uint64_t offset, int n_digits, Prefix (&prefixes)[n_tables]) {
  ONEPROXY_UNROLL
  for (int t = 0; t < n_tables; ++t) prefixes[t] = {tables[t]->bias[0], tables[t]->weights};
  const PlaceGroup* digits = tables[0]->digits;
  each_group(places, digits, n_digits, offset, [&](int d, std::uint32_t value) {
    ONEPROXY_UNROLL
    for (int t = 0; t < n_tables; ++t) {
      const TableArgs& table = *tables[t];
      if (d == 0 && table.digit_0_selects) prefixes[t] = {table.bias[value], table.weights + value * table.length};
      prefixes[t].sum += prefixes[t].weights[digits[d].offset + value];
    }
  });
}
ONEPROXY_DEVICE Prefix sum_prefix(const TableArgs& table, const Places& places, std::uint64_t offset, int n_digits) {
  const TableArgs* const tables[1] = {&table};
  Prefix prefixes[1];
  sum_prefixes(tables, places, offset, n_digits, prefixes);
  return prefixes[0];
}

// sums = prefixes + weights of the leaf's digits first .. end-1, `rest` being their place in the leaf.
template <int n_tables>
ONEPROXY_DEVICE void sum_leaves(const TableArgs& table, const Prefix (&prefixes)[n_tables], std::uint32_t rest, int end,
                                double (&sums)[n_tables]) {
  ONEPROXY_UNROLL
  for (int t = 0; t < n_tables; ++t) sums[t] = prefixes[t].sum;
  for (int d = table.leaf.first; d < end; ++d) {
    const auto stride = static_cast<std::uint32_t>(table.digits[d].stride);
    const std::uint32_t value = rest / stride, row = table.digits[d].offset + value;
    rest -= value * stride;
    ONEPROXY_UNROLL
    for (int t = 0; t < n_tables; ++t) sums[t] += prefixes[t].weights[row];
  }
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
    const Prefix own[1] = {prefixes[prefix]};
    double sums[1];
    sum_leaves(table, own, place - prefix * table.leaf.size, table.n_digits, sums);
    scores[i] = sums[0];
  }
}

[[maybe_unused]] static __global__ void whole_kernel(const TableArgs table, const Places places, std::uint32_t count,
                                                     double* scores) {
  for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
    scores[i] = sum_prefix(table, places, i, table.n_digits).sum;
}

}  // namespace oneproxy::detail
