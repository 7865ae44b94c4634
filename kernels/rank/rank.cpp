// The public side of the ranks: checks, rows with NaN, and the division at the end. The work is in the twins.
#include "oneproxy/kernels/rank/rank.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/rank/rank_detail.h"

namespace oneproxy {
namespace detail {

double correlation(const RankSums& sums) {
  const auto xx = static_cast<long double>(sums.xx), yy = static_cast<long double>(sums.yy);
  const auto value = static_cast<double>(static_cast<long double>(sums.xy) / (std::sqrt(xx) * std::sqrt(yy)));
  return std::clamp(value, -1.0, 1.0);
}

double tau_b(const PairCounts& counts, std::int64_t n) {
  const std::int64_t pairs = pairs_of(n);
  const std::int64_t untied = pairs - counts.x_ties - counts.y_ties + counts.xy_ties;  // tied in neither
  const auto x_pairs = static_cast<long double>(pairs - counts.x_ties);
  const auto y_pairs = static_cast<long double>(pairs - counts.y_ties);
  const auto balance = static_cast<long double>(untied - 2 * counts.discordant);
  return std::clamp(static_cast<double>(balance / (std::sqrt(x_pairs) * std::sqrt(y_pairs))), -1.0, 1.0);
}

}  // namespace detail

namespace {

using detail::Columns;
using detail::PairCounts;
using detail::RankSums;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

bool any_nan(std::span<const double> x) {
  const auto n = static_cast<std::int64_t>(x.size());
  constexpr std::int64_t piece = std::int64_t{1} << 18;
  std::atomic<bool> found{false};
  parallel_for((n + piece - 1) / piece, [&](std::int64_t p) {
    const double* from = x.data() + p * piece;
    const std::int64_t count = std::min(piece, n - p * piece);
    bool here = false;
    for (std::int64_t i = 0; i < count; ++i) here |= from[i] != from[i];
    if (here) found = true;
  });
  return found;
}

void check_rows(std::size_t rows, const char* where) {
  if (rows > static_cast<std::size_t>(detail::max_rows))
    throw Error(std::string(where) + ": " + std::to_string(rows) + " rows are more than " +
                std::to_string(detail::max_rows) + "; correlate a sample of the rows");
}

void check_pair(std::span<const double> x, std::span<const double> y, const char* where) {
  if (x.size() != y.size())
    throw Error(std::string(where) + ": x has " + std::to_string(x.size()) + " values and y has " +
                std::to_string(y.size()) + "; pass columns of equal length");
  check_rows(x.size(), where);
}

// The rows that both columns have. Without NaN these are the columns themselves, not copies.
struct CommonRows {
  CommonRows(std::span<const double> all_x, std::span<const double> all_y) : x(all_x), y(all_y) {
    if (!any_nan(x) && !any_nan(y)) return;
    for (std::size_t i = 0; i < all_x.size(); ++i) {
      if (std::isnan(all_x[i]) || std::isnan(all_y[i])) continue;
      kept_x.push_back(all_x[i]);
      kept_y.push_back(all_y[i]);
    }
    x = kept_x;
    y = kept_y;
  }
  CommonRows(const CommonRows&) = delete;
  CommonRows& operator=(const CommonRows&) = delete;

  std::span<const double> x, y;

 private:
  std::vector<double> kept_x, kept_y;
};

Undefined reason_of(const RankSums& sums, std::int64_t) {
  return sums.xx == 0 ? Undefined::constant_x : sums.yy == 0 ? Undefined::constant_y : Undefined::no;
}
double value_of(const RankSums& sums, std::int64_t) { return detail::correlation(sums); }
RankSums swapped(const RankSums& sums) { return {sums.yy, sums.xy, sums.xx}; }

Undefined reason_of(const PairCounts& counts, std::int64_t n) {
  const std::int64_t pairs = detail::pairs_of(n);
  return counts.x_ties == pairs   ? Undefined::constant_x
         : counts.y_ties == pairs ? Undefined::constant_y
                                  : Undefined::no;
}
double value_of(const PairCounts& counts, std::int64_t n) { return detail::tau_b(counts, n); }
PairCounts swapped(const PairCounts& counts) {
  return {counts.y_ties, counts.x_ties, counts.xy_ties, counts.discordant};
}

template <typename Sums>
void conclude(Correlation& result, const Sums& sums) {
  result.reason = reason_of(sums, result.n_pairs);
  if (result.reason == Undefined::no) result.value = value_of(sums, result.n_pairs);
}

Correlation too_few(std::size_t n_pairs, std::size_t n_rows) {
  return {nan, static_cast<std::int64_t>(n_pairs), static_cast<std::int64_t>(n_rows - n_pairs),
          Undefined::too_few_pairs};
}

template <typename PairSums>
Correlation correlate(std::span<const double> x, std::span<const double> y, const PairSums& pair_sums) {
  const CommonRows rows(x, y);
  Correlation result = too_few(rows.x.size(), x.size());
  if (rows.x.size() >= 2) conclude(result, pair_sums(rows.x, rows.y));
  return result;
}

std::size_t common_length(Columns columns, const char* where) {
  if (columns.empty()) return 0;
  const std::size_t rows = columns[0].size();
  for (std::size_t d = 0; d < columns.size(); ++d)
    if (columns[d].size() != rows)
      throw Error(std::string(where) + ": column " + std::to_string(d) + " has " + std::to_string(columns[d].size()) +
                  " values and column 0 has " + std::to_string(rows) + "; pass columns of equal length");
  check_rows(rows, where);
  return rows;
}

// Columns without NaN go through matrix_sums(columns) -> upper triangle of [D, D], the pairs with a NaN through
// pair_sums(x, y).
template <typename MatrixSums, typename PairSums>
CorrelationMatrix correlate_matrix(Columns columns, const char* where, Backend backend, const MatrixSums& matrix_sums,
                                   const PairSums& pair_sums) {
  const std::size_t rows = common_length(columns, where);
  const auto size = static_cast<std::int64_t>(columns.size());
  CorrelationMatrix matrix{size, std::vector<double>(size * size, nan), std::vector<std::int64_t>(size * size),
                           std::vector<Undefined>(size * size, Undefined::too_few_pairs)};
  const auto store = [&matrix](std::int64_t row, std::int64_t col, const Correlation& correlation) {
    const std::int64_t at = row * matrix.size + col;
    matrix.value[at] = correlation.value;
    matrix.n_pairs[at] = correlation.n_pairs;
    matrix.reason[at] = correlation.reason;
  };
  const auto conclude_both = [&](std::int64_t row, std::int64_t col, std::size_t n_pairs, const auto& sums) {
    Correlation forward = too_few(n_pairs, rows), backward = forward;
    if (n_pairs >= 2) {
      conclude(forward, sums);
      conclude(backward, swapped(sums));  // the same value; a constant column is x for one and y for the other
    }
    store(row, col, forward);
    if (row != col) store(col, row, backward);
  };

  std::vector<std::int64_t> complete;
  std::vector<std::span<const double>> complete_columns;
  std::vector<char> has_nan(size);
  for (std::int64_t d = 0; d < size; ++d) {
    has_nan[d] = any_nan(columns[d]);
    if (has_nan[d]) continue;
    complete.push_back(d);
    complete_columns.push_back(columns[d]);
  }
  const auto n_complete = static_cast<std::int64_t>(complete.size());
  auto sums =
      rows >= 2 ? matrix_sums(Columns(complete_columns)) : decltype(matrix_sums(columns))(n_complete * n_complete);
  for (std::int64_t i = 0; i < n_complete; ++i)
    for (std::int64_t j = i; j < n_complete; ++j)
      conclude_both(complete[i], complete[j], rows, sums[i * n_complete + j]);

  std::vector<std::pair<std::int64_t, std::int64_t>> incomplete;
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t j = i; j < size; ++j)
      if (has_nan[i] || has_nan[j]) incomplete.emplace_back(i, j);
  const auto correlate_incomplete = [&](std::int64_t at) {
    const auto [i, j] = incomplete[at];
    const CommonRows kept(columns[i], columns[j]);
    using Sums = decltype(pair_sums(kept.x, kept.y));
    conclude_both(i, j, kept.x.size(), kept.x.size() >= 2 ? pair_sums(kept.x, kept.y) : Sums{});
  };
  const auto n_incomplete = static_cast<std::int64_t>(incomplete.size());
  if (backend == Backend::cpu) {
    detail::for_columns(n_incomplete, rows, correlate_incomplete);
  } else {
    for (std::int64_t at = 0; at < n_incomplete; ++at) correlate_incomplete(at);
  }
  return matrix;
}

}  // namespace

std::string to_string(Undefined reason) {
  switch (reason) {
    case Undefined::no:
      return "";
    case Undefined::too_few_pairs:
      return "fewer than two pairs without NaN";
    case Undefined::constant_x:
      return "the first column is constant";
    case Undefined::constant_y:
      return "the second column is constant";
  }
  ONEPROXY_ASSERT(!"a reason");
}

// The twin of a function: `name_cpu`, or `name_cuda` where this build has it (require_backend has said no before).
#ifdef ONEPROXY_HAS_CUDA
#define ONEPROXY_TWIN(backend, name) ((backend) == Backend::cpu ? detail::name##_cpu : detail::name##_cuda)
#else
#define ONEPROXY_TWIN(backend, name) (detail::name##_cpu)
#endif

void average_ranks(std::span<const double> x, std::span<double> ranks, Backend backend) {
  require_backend(backend);
  if (x.size() != ranks.size())
    throw Error("average_ranks: x has " + std::to_string(x.size()) + " values and there is room for " +
                std::to_string(ranks.size()) + " ranks; pass spans of equal length");
  check_rows(x.size(), "average_ranks");
  const auto twin = ONEPROXY_TWIN(backend, average_ranks);
  if (x.empty()) return;
  if (!any_nan(x)) return twin(x, ranks);

  std::vector<double> kept;
  std::copy_if(x.begin(), x.end(), std::back_inserter(kept), [](double value) { return !std::isnan(value); });
  std::vector<double> kept_ranks(kept.size());
  if (!kept.empty()) twin(kept, kept_ranks);
  for (std::size_t i = 0, next = 0; i < x.size(); ++i) ranks[i] = std::isnan(x[i]) ? nan : kept_ranks[next++];
}

Correlation spearman(std::span<const double> x, std::span<const double> y, Backend backend) {
  require_backend(backend);
  check_pair(x, y, "spearman");
  return correlate(x, y, ONEPROXY_TWIN(backend, rank_sums));
}

Correlation kendall_tau_b(std::span<const double> x, std::span<const double> y, Backend backend) {
  require_backend(backend);
  check_pair(x, y, "kendall_tau_b");
  return correlate(x, y, ONEPROXY_TWIN(backend, pair_counts));
}

CorrelationMatrix spearman_matrix(std::span<const std::span<const double>> columns, Backend backend) {
  require_backend(backend);
  return correlate_matrix(columns, "spearman_matrix", backend, ONEPROXY_TWIN(backend, rank_sums_matrix),
                          ONEPROXY_TWIN(backend, rank_sums));
}

CorrelationMatrix kendall_matrix(std::span<const std::span<const double>> columns, Backend backend) {
  require_backend(backend);
  return correlate_matrix(columns, "kendall_matrix", backend, ONEPROXY_TWIN(backend, pair_counts_matrix),
                          ONEPROXY_TWIN(backend, pair_counts));
}

}  // namespace oneproxy
