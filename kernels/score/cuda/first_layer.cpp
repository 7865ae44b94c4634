#include "oneproxy/kernels/score/cuda/first_layer.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy::detail {

std::vector<std::uint32_t> value_offsets(std::span<const std::uint32_t> radices) {
  std::vector<std::uint32_t> offsets(1, 0);
  for (const auto radix : radices) offsets.push_back(offsets.back() + radix);
  return offsets;
}

void add_value(const Mlp& mlp, const DigitCode& code, std::size_t value, double* sums) {
  for (int part = 0; part < code.parts; ++part) {
    const std::int32_t row = code.rows[value * code.parts + part];
    if (row < 0) continue;
    const double* from = mlp.rows.data() + static_cast<std::size_t>(row) * mlp.first_width;
    for (int j = 0; j < mlp.first_width; ++j) sums[j] += from[j];
  }
}

FirstLayerTables first_layer_tables(const Mlp& mlp, const DigitCode& code, const DigitSplit& split, int width,
                                    std::uint64_t max_inner, std::int64_t max_bytes) {
  constexpr std::uint64_t kMaxOuter = 4096;  // rows of a group: a few MB for all, which stay in the L2 cache
  FirstLayerTables tables;
  tables.width = width;
  tables.groups = group_digits(code.radices, split, kMaxOuter, max_inner);
  tables.bias.assign(width, 0);
  for (int j = 0; j < mlp.first_width; ++j) tables.bias[j] = static_cast<float>(mlp.first_bias[j]);
  const auto offsets = value_offsets(code.radices);
  const std::int64_t n_rows = std::int64_t{tables.groups.back().offset} + tables.groups.back().radix;
  if (n_rows * width > max_bytes / 4)
    throw Error("score: the first layer's table of " + std::to_string(n_rows) + " rows of " + std::to_string(width) +
                " passes " + std::to_string(max_bytes >> 20) +
                " MiB of device memory; use smaller digits or backend = \"cpu\"");
  tables.rows.assign(static_cast<std::size_t>(n_rows) * width, 0);
  std::vector<double> sums(mlp.first_width);
  std::vector<std::uint32_t> digits;
  for (const auto& group : tables.groups) {
    digits.resize(group.n_digits);
    for (std::uint32_t value = 0; value < group.radix; ++value) {
      decode_digits(value, code.radices.data() + group.first_digit, static_cast<int>(group.n_digits), digits.data());
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::uint32_t i = 0; i < group.n_digits; ++i)
        add_value(mlp, code, offsets[group.first_digit + i] + digits[i], sums.data());
      float* row = tables.rows.data() + static_cast<std::size_t>(group.offset + value) * width;
      for (int j = 0; j < mlp.first_width; ++j) row[j] = static_cast<float>(sums[j]);
    }
  }
  return tables;
}

}  // namespace oneproxy::detail
