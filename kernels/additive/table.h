#pragma once
// A sum of table entries, one a digit:
//   score(arch) = bias[t] + sum over digits d of weights[t][offset(d) + digit_d]
// Linear predictors on one-hot codes, look-up tables and costs are such sums. There is one table, or one for each value
// of digit 0, which then selects the table t (latencies of a network whose input resolution changes every block); its
// own weights count as well.
//
// Sums run from digit 0 upwards, on both back ends and in every evaluation, so that all agree to the bit. A NaN is an
// entry that the table does not have: the sums that would need it are NaN.
#include <cstdint>
#include <span>
#include <string>

#include "oneproxy/kernels/base/backend.h"
#include "oneproxy/kernels/base/index.h"

namespace oneproxy {

// Number: double, or int64 in fixed point. A view; whoever makes the numbers owns them.
template <class Number>
struct AdditiveTable {
  std::span<const Number> weights;  // [n_tables, sum of radices], digit after digit
  std::span<const Number> bias;     // [n_tables], 1 or radices[0]

  std::size_t n_tables() const { return bias.size(); }
  std::size_t width() const { return weights.size() / bias.size(); }
  const Number* weights_of(std::size_t t) const { return weights.data() + t * width(); }
};

// Errors, which begin with `what`: no digits, a radix of 0, a number of tables or weights that does not fit the
// radices.
template <class Number, class Radix>
void check_table(const AdditiveTable<Number>& table, std::span<const Radix> radices, const std::string& what);

// sum + the weights of digits [n], digit 0 first. The weights are those of one table.
template <class Number, class Radix, class Digit>
ONEPROXY_HD inline Number add_entries(Number sum, const Number* weights, const Radix* radices, const Digit* digits,
                                      int n) {
  for (int d = 0; d < n; ++d) {
    sum += weights[digits[d]];
    weights += radices[d];
  }
  return sum;
}

// The definition: the score of digits [radices.size()], each below its radix.
template <class Number, class Radix, class Digit>
Number additive_score(const AdditiveTable<Number>& table, std::span<const Radix> radices, const Digit* digits) {
  const std::size_t t = table.n_tables() > 1 ? digits[0] : 0;
  return add_entries(table.bias[t], table.weights_of(t), radices.data(), digits, static_cast<int>(radices.size()));
}

// Many listed architectures of digits that fit a byte: choices [n, n_digits] row-major -> scores [n]. Blocks until the
// scores are on the host. Errors: those of check_table, unequal sizes, a choice outside its radix (names the first
// architecture and its decision; the scores are then undefined), a back end that can not run here.
void score_table(const AdditiveTable<double>& table, std::span<const std::uint8_t> radices,
                 std::span<const std::uint8_t> choices, std::span<double> scores, Backend backend);

}  // namespace oneproxy
