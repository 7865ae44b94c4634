// Kendall's tau-b on the CPU (Knight 1966): with the rows in the order of (x, y), the discordant pairs are the
// inversions of y, which a merge sort counts. Columns are replaced by 32-bit codes first, once a column.
#include <algorithm>
#include <atomic>
#include <numeric>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/rank/rank_column.h"
#include "oneproxy/kernels/rank/rank_detail.h"

namespace oneproxy::detail {
namespace {

using Codes = std::vector<std::uint32_t>;

struct CodedColumn {
  Codes code;   // [n] of each row: the number of smaller values
  Codes order;  // [n] rows in ascending order
  std::int64_t ties = 0;
};

CodedColumn code_column(std::span<const double> x) {
  CodedColumn column{Codes(x.size()), Codes(x.size())};
  std::atomic<std::int64_t> ties{0};
  rank_column(x, [&](std::uint64_t row, std::int64_t at, std::int64_t begin, std::int64_t end) {
    column.order[at] = static_cast<std::uint32_t>(row);
    column.code[row] = static_cast<std::uint32_t>(begin);
    if (at == begin && end - begin > 1) ties += pairs_of(end - begin);
  });
  column.ties = ties;
  return column;
}

// Calls run(begin, end) for each run of rows with equal codes, in ascending order.
template <typename CodeAt, typename Run>
void for_each_tie(std::int64_t begin, std::int64_t end, const CodeAt& code_at, const Run& run) {
  for (std::int64_t stop; begin < end; begin = stop) {
    stop = begin + 1;
    while (stop < end && code_at(stop) == code_at(begin)) ++stop;
    if (stop - begin > 1) run(begin, stop);
  }
}

// Merges the sorted a .. middle, middle .. end into `to`; returns the pairs out of order between the two.
std::int64_t merge_counting(const std::uint32_t* a, const std::uint32_t* middle, const std::uint32_t* end,
                            std::uint32_t* to) {
  std::int64_t inversions = 0;
  const std::uint32_t* b = middle;
  // Without a branch on the values, which no predictor could guess.
  while (a < middle && b < end) {
    const std::int64_t take_right = *b < *a;
    *to++ = std::min(*a, *b);
    inversions += (middle - a) & -take_right;
    a += 1 - take_right;
    b += take_right;
  }
  to = std::copy(a, middle, to);
  std::copy(b, end, to);
  return inversions;
}

constexpr std::int64_t shortest_run = 8;

// Sorts values [n] and counts the pairs that were out of order. scratch [n].
std::int64_t count_inversions(std::uint32_t* values, std::uint32_t* scratch, std::int64_t n) {
  std::int64_t inversions = 0;
  for (std::int64_t begin = 0; begin < n; begin += shortest_run) {
    const std::int64_t end = std::min(begin + shortest_run, n);
    for (std::int64_t i = begin + 1; i < end; ++i) {
      const std::uint32_t value = values[i];
      std::int64_t j = i;
      for (; j > begin && values[j - 1] > value; --j) values[j] = values[j - 1];
      values[j] = value;
      inversions += i - j;
    }
  }
  std::uint32_t *from = values, *to = scratch;
  for (std::int64_t width = shortest_run; width < n; width *= 2, std::swap(from, to))
    for (std::int64_t begin = 0; begin < n; begin += 2 * width)
      inversions += merge_counting(from + begin, from + std::min(begin + width, n),
                                   from + std::min(begin + 2 * width, n), to + begin);
  if (from != values) std::copy(from, from + n, values);
  return inversions;
}

// The same by all threads: blocks first, then merges of pairs of blocks.
std::int64_t count_inversions_parallel(Codes& values) {
  const auto n = static_cast<std::int64_t>(values.size());
  constexpr std::int64_t block = std::int64_t{1} << 16;
  const std::int64_t n_blocks = (n + block - 1) / block;
  Codes scratch(n);
  std::vector<std::int64_t> inversions(n_blocks);
  parallel_for(n_blocks, [&](std::int64_t i) {
    const std::int64_t begin = i * block;
    inversions[i] = count_inversions(values.data() + begin, scratch.data() + begin, std::min(block, n - begin));
  });
  for (std::int64_t width = block; width < n; width *= 2, std::swap(values, scratch))
    parallel_for((n + 2 * width - 1) / (2 * width), [&](std::int64_t i) {
      const std::int64_t begin = 2 * width * i;
      const std::uint32_t* from = values.data();
      inversions[i] += merge_counting(from + begin, from + std::min(begin + width, n),
                                      from + std::min(begin + 2 * width, n), scratch.data() + begin);
    });
  return std::accumulate(inversions.begin(), inversions.end(), std::int64_t{0});
}

PairCounts count_pairs(const CodedColumn& x, const CodedColumn& y) {
  const auto n = static_cast<std::int64_t>(x.code.size());
  PairCounts counts{x.ties, y.ties};
  Codes sequence(n);  // codes of y in the order of (x, y)
  constexpr std::int64_t piece = std::int64_t{1} << 16;
  parallel_for((n + piece - 1) / piece, [&](std::int64_t p) {
    const std::int64_t end = std::min((p + 1) * piece, n);
    for (std::int64_t i = p * piece; i < end; ++i) sequence[i] = y.code[x.order[i]];
  });
  if (x.ties > 0)
    for_each_tie(
        0, n, [&x](std::int64_t i) { return x.code[x.order[i]]; },
        [&](std::int64_t begin, std::int64_t end) {
          std::sort(sequence.begin() + begin, sequence.begin() + end);
          for_each_tie(
              begin, end, [&](std::int64_t i) { return sequence[i]; },
              [&](std::int64_t first, std::int64_t last) { counts.xy_ties += pairs_of(last - first); });
        });
  counts.discordant = count_inversions_parallel(sequence);
  return counts;
}

}  // namespace

PairCounts pair_counts_cpu(std::span<const double> x, std::span<const double> y) {
  return count_pairs(code_column(x), code_column(y));
}

std::vector<PairCounts> pair_counts_matrix_cpu(Columns columns) {
  const auto size = static_cast<std::int64_t>(columns.size());
  const auto n = size == 0 ? 0 : static_cast<std::int64_t>(columns[0].size());
  std::vector<CodedColumn> coded(size);
  for_columns(size, n, [&](std::int64_t d) { coded[d] = code_column(columns[d]); });
  std::vector<PairCounts> counts(size * size);
  for_columns(size * size, n, [&](std::int64_t i) {
    const std::int64_t row = i / size, col = i % size;
    if (row == col) counts[i] = {coded[row].ties, coded[row].ties, coded[row].ties, 0};
    if (row < col) counts[i] = count_pairs(coded[row], coded[col]);
  });
  return counts;
}

}  // namespace oneproxy::detail
