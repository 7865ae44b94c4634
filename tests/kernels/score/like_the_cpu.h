#pragma once
// How far scores of the CUDA twin may be from the definition: what the CPU's arithmetic of the same precision shows.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "oneproxy/kernels/base/precision.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy::test {

// list [n, n_digits] and the fast scores [n] of these architectures. Each error may be
//   - twice the CPU's largest one, over the list and 2,000 random architectures of the space: the roundings are the
//     same, and the order of sums is not; tf32, which the CPU has not, rounds finer than bf16 (11 bits, not 8);
//   - 8 units of fp32 of the score's own sum, for its order;
//   - half a unit of bf16 of that sum, where the score's inputs are stored as bf16 (wide MLPs on CUDA, not on the CPU).
// With n >= 1,000 architectures, Spearman's correlation to the definition is at least 1 - r^2 - 12 r / n - 12 / n^3, r
// being the largest such error by the standard deviation: of two normal variables it is about 1 - .55 r^2 with the root
// mean square error for the largest; errors below the gaps swap .8 n^2 r neighbours at most, at 12 / n^3 each.
testing::AssertionResult errors_like_the_cpu(const OwnedMlp& mlp, const OwnedDigits& digits,
                                             const std::vector<std::uint32_t>& list, const std::vector<double>& fast,
                                             Precision precision, bool stores_inputs_of_score);

}  // namespace oneproxy::test
