#pragma once
// Tables of real numbers as whole multiples of a step, so that sums over digits are exact and do not depend on their
// order (kernels/additive/front.h). Each entry is rounded to a multiple of 2^-exponent, the largest sum below 2^52
// steps: every sum is a double, too.
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/additive/table.h"

namespace oneproxy {

struct FixedTable {
  std::vector<std::int64_t> weights, bias;  // in steps of 2^-exponent
  int exponent = 0;
  double error = 0;  // largest |fixed - table| of a sum, in the table's unit

  double step() const { return std::ldexp(1.0, -exponent); }
  AdditiveTable<std::int64_t> view() const { return {weights, bias}; }
  // A limit in steps, rounded down; the smallest number for NaN, within which nothing is.
  std::int64_t in_steps(double limit) const;
  // Added to a limit in steps: no sum that keeps the limit is beyond.
  std::int64_t margin() const { return static_cast<std::int64_t>(std::ceil(2 * std::ldexp(error, exponent))) + 2; }
};

// Entries that are not finite become 0: take them out with mask_missing. Error: sums beyond the range of numbers.
FixedTable to_fixed(const AdditiveTable<double>& table, std::span<const std::uint32_t> radices);

// Takes values out of the mask [1 or radices[0], sum of radices] that a table does not have (NaN or infinite).
void mask_missing(const AdditiveTable<double>& table, std::span<const std::uint32_t> radices,
                  std::vector<std::uint8_t>& allowed);

}  // namespace oneproxy
