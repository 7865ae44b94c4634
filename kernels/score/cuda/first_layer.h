#pragma once
// The first layer of an MLP is no matrix product but a sum of rows, here tabulated for groups of digits.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/score/cuda/places.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy::detail {

// Of all digits' values: where those of each digit begin [n_digits + 1].
std::vector<std::uint32_t> value_offsets(std::span<const std::uint32_t> radices);

// sums [width of the model] += the rows that `value` (of all digits' values) stands for.
void add_value(const Mlp& mlp, const DigitCode& code, std::size_t value, double* sums);

// Sums of rows for every value of every group of digits.
struct FirstLayerTables {
  int width = 0;                   // a row's length, padded by zeros
  std::vector<PlaceGroup> groups;  // the last one is the inner one
  std::vector<float> rows;         // [sum of the groups' radices, width]; summed in f64
  std::vector<float> bias;         // [width]
  std::uint32_t inner() const { return groups.back().radix; }
};
// Error where the tables would pass `max_bytes`.
FirstLayerTables first_layer_tables(const Mlp& mlp, const DigitCode& code, const DigitSplit& split, int width,
                                    std::uint64_t max_inner, std::int64_t max_bytes);

}  // namespace oneproxy::detail
