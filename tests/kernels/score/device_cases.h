#pragma once
// What the tests of the device's kernels share. The emulation comes before what it emulates.
// clang-format off
#include "tests/support/simt_on_host.h"
#include "oneproxy/kernels/score/cuda/first_layer_kernel.cuh"
// clang-format on

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "oneproxy/kernels/score/cuda/first_layer.h"
#include "oneproxy/kernels/score/score_function.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy::detail {

using test::OwnedDigits;

inline std::vector<std::uint32_t> digits_at(ArchIndex index, const std::vector<std::uint32_t>& radices) {
  std::vector<std::uint32_t> digits(radices.size());
  decode_digits(index, radices.data(), static_cast<int>(radices.size()), digits.data());
  return digits;
}

inline std::vector<double> definition(const ScoreFunction& model, const OwnedDigits& digits, const IndexRange& run) {
  const DigitSplit split = split_digits(digits.radices);
  std::vector<double> scores;
  for (std::uint64_t i = 0; i < run.count; ++i)
    scores.push_back(
        score_by_definition(model, digits.code(), digits_at(index_at(run, i, split), digits.radices).data()));
  return scores;
}

inline FirstLayerArgs<float> first_layer_args(const FirstLayerTables& tables, int n_groups) {
  return {tables.groups.data(), n_groups, tables.rows.data(), tables.bias.data(), nullptr, 1, tables.width};
}

inline void expect_close(const std::vector<double>& fast, const std::vector<double>& exact, double usual,
                         double bound) {
  ASSERT_EQ(fast.size(), exact.size());
  double largest = 0;
  for (std::size_t i = 0; i < fast.size(); ++i) {
    ASSERT_LE(std::abs(fast[i] - exact[i]), usual) << "at " << i << ": " << fast[i] << " for " << exact[i];
    largest = std::max(largest, std::abs(fast[i] - exact[i]));
  }
  EXPECT_LE(largest, bound);
}

}  // namespace oneproxy::detail
