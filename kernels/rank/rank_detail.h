#pragma once
// What the two twins of rank.h compute. rank.cpp checks the input, drops NaN and divides; the twins only see
// columns without NaN, of n >= 2 values, n < 2^31. All sums are exact integers.
//
// Ranks are centred and doubled, u = 2 rank - (n + 1): integers of at most n - 1, so sums of products stay
// below n^3 / 3, which needs 128 bits from n = 3e6 on.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy::detail {

using Int128 = __int128;
using Columns = std::span<const std::span<const double>>;

// More values would overflow the 32-bit positions of Kendall's sort and the 64-bit counts of pairs.
inline constexpr std::int64_t max_rows = (std::int64_t{1} << 31) - 1;

struct RankSums {
  Int128 xx = 0, xy = 0, yy = 0;  // sums of products of u
};

struct PairCounts {
  std::int64_t x_ties = 0, y_ties = 0, xy_ties = 0;  // pairs equal in x, in y, in both
  std::int64_t discordant = 0;                       // pairs in opposite order
};

// u of a run of equal values at positions begin .. end - 1, and what the run takes off the sum of u^2.
inline std::int64_t centred_rank(std::int64_t begin, std::int64_t end, std::int64_t n) { return begin + end - n; }
inline Int128 tie_term(std::int64_t count) { return (Int128{count} * count * count - count) / 3; }
inline Int128 sum_of_squares(std::int64_t n) { return tie_term(n); }  // of u without ties: also (n^3 - n) / 3
inline std::int64_t pairs_of(std::int64_t count) { return count * (count - 1) / 2; }

// Pearson's correlation from sums about the mean. NaN where xx or yy is 0.
double correlation(const RankSums& sums);
double tau_b(const PairCounts& counts, std::int64_t n);

// body(i) for i in 0 .. count-1 on columns of n rows: side by side, or one after another where they are so long
// that each is worth all threads and its memory.
template <typename Body>
void for_columns(std::int64_t count, std::int64_t n, const Body& body) {
  if (n <= std::int64_t{1} << 18) return parallel_for(count, body);
  for (std::int64_t i = 0; i < count; ++i) body(i);
}

// Matrices are [D, D], of which the upper triangle with the diagonal is filled.
void average_ranks_cpu(std::span<const double> x, std::span<double> ranks);
RankSums rank_sums_cpu(std::span<const double> x, std::span<const double> y);
PairCounts pair_counts_cpu(std::span<const double> x, std::span<const double> y);
std::vector<RankSums> rank_sums_matrix_cpu(Columns columns);
std::vector<PairCounts> pair_counts_matrix_cpu(Columns columns);

#ifdef ONEPROXY_HAS_CUDA
void average_ranks_cuda(std::span<const double> x, std::span<double> ranks);
RankSums rank_sums_cuda(std::span<const double> x, std::span<const double> y);
PairCounts pair_counts_cuda(std::span<const double> x, std::span<const double> y);
std::vector<RankSums> rank_sums_matrix_cuda(Columns columns);
std::vector<PairCounts> pair_counts_matrix_cuda(Columns columns);
#endif

}  // namespace oneproxy::detail
