#pragma once
// Ranks and rank correlations.
//
// Rank        1-based position in ascending order; tied values share the average of their positions
//             (scipy.stats.rankdata, method "average"). -0.0 ties with 0.0. The rank of NaN is NaN.
// Spearman    Pearson's correlation of the average ranks (SRCC).
// Kendall     tau-b: (concordant - discordant) / sqrt((pairs - ties in x) (pairs - ties in y)).
//
// A NaN on either side drops the pair, and the result says how many were dropped. A value that the
// data does not define (fewer than two pairs, a constant column) is NaN with a reason, never 0.
// All functions block until their result is on the host. Inputs are host memory, f64.
// Errors: columns of unequal length, or a back end that can not run here (Error).
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/backend.h"

namespace oneproxy {

enum class Undefined : std::uint8_t { no, too_few_pairs, constant_x, constant_y };

// "" for Undefined::no, else a phrase such as "the first column is constant".
std::string to_string(Undefined reason);

struct Correlation {
  double value = 0;            // NaN where undefined
  std::int64_t n_pairs = 0;    // pairs that counted
  std::int64_t n_dropped = 0;  // pairs with a NaN
  Undefined reason = Undefined::no;
};

// D x D correlations, row-major, symmetric; the diagonal is 1, or NaN for an undefined column.
struct CorrelationMatrix {
  std::int64_t size = 0;              // D
  std::vector<double> value;          // [D, D]
  std::vector<std::int64_t> n_pairs;  // [D, D]
  std::vector<Undefined> reason;      // [D, D]; x is the row's device, y the column's
  double operator()(std::int64_t row, std::int64_t col) const { return value[row * size + col]; }
};

// ranks [n] of x [n].
void average_ranks(std::span<const double> x, std::span<double> ranks, Backend backend);

// x [n], y [n]. O(n log n).
Correlation spearman(std::span<const double> x, std::span<const double> y, Backend backend);
Correlation kendall_tau_b(std::span<const double> x, std::span<const double> y, Backend backend);

// columns: D spans of n values each. A column with NaN is ranked anew for each partner, on the rows
// that both have, so every entry equals spearman(row, column).
CorrelationMatrix spearman_matrix(std::span<const std::span<const double>> columns, Backend backend);
CorrelationMatrix kendall_matrix(std::span<const std::span<const double>> columns, Backend backend);

}  // namespace oneproxy
