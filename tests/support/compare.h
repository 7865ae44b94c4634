#pragma once
// Comparisons that say where two results differ. NaN equals NaN; ties may be in any order.
#include <gtest/gtest.h>

#include <cstdint>
#include <span>

namespace oneproxy::test {

// Equal lengths, each value equal or both NaN (-0.0 equals 0.0). Names the first difference.
testing::AssertionResult same_values(std::span<const double> actual, std::span<const double> expected);

// The same with |actual - expected| <= tolerance; infinities must be equal.
testing::AssertionResult close_values(std::span<const double> actual, std::span<const double> expected,
                                      double tolerance);

// Two orders of the rows of `keys` [n]: both permutations of 0 .. n-1 that visit the keys in the same sequence.
// Rows of equal keys may swap, but none may come twice.
testing::AssertionResult same_order(std::span<const std::int64_t> actual, std::span<const std::int64_t> expected,
                                    std::span<const double> keys);

}  // namespace oneproxy::test
