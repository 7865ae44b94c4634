// Ranks on the CPU. One pair takes two sorts and no scatter: sort (x, y) by x, put the rank of x in the place of
// x, sort (y, rank of x) by y and multiply on the way. A matrix takes one ranking a column and one Gram matrix.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <mutex>

#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/rank/rank_column.h"
#include "oneproxy/kernels/rank/rank_detail.h"

namespace oneproxy::detail {
namespace {

// Many rows: u of x travels with y, so no step jumps through memory.
RankSums sums_by_two_sorts(std::span<const double> x, std::span<const double> y) {
  const auto n = static_cast<std::int64_t>(x.size());
  std::mutex adding;
  Int128 x_ties = 0, y_ties = 0, products = 0;

  const auto load = [x, y](std::int64_t i) { return KeyValue{ordered_key(x[i]), ordered_key(y[i])}; };
  const auto rank_x = [&](KeyValue* items, std::int64_t count, std::int64_t offset) {
    Int128 ties = 0;
    for_each_run(items, count, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t u = centred_rank(offset + begin, offset + end, n);
      for (std::int64_t i = begin; i < end; ++i) items[i] = {items[i].value, static_cast<std::uint64_t>(u)};
      if (end - begin > 1) ties += tie_term(end - begin);
    });
    const std::lock_guard lock(adding);
    x_ties += ties;
  };
  const auto multiply = [&](const KeyValue* items, std::int64_t count, std::int64_t offset) {
    Int128 ties = 0, sum = 0;
    for_each_run(items, count, [&](std::int64_t begin, std::int64_t end) {
      std::int64_t u = 0;
      for (std::int64_t i = begin; i < end; ++i) u += static_cast<std::int64_t>(items[i].value);
      sum += Int128{u} * centred_rank(offset + begin, offset + end, n);
      if (end - begin > 1) ties += tie_term(end - begin);
    });
    const std::lock_guard lock(adding);
    y_ties += ties;
    products += sum;
  };

  const ItemArray by_x = make_items(n), by_y = make_items(n);
  sort_buckets(n, load, by_x.get(), rank_x);
  sort_buckets(n, LoadItem{by_x.get()}, by_y.get(), multiply);
  const Int128 without_ties = sum_of_squares(n);
  return {without_ties - x_ties, products, without_ties - y_ties};
}

// Few rows: both columns are ranked in cache.
RankSums sums_by_two_rankings(std::span<const double> x, std::span<const double> y) {
  const auto n = static_cast<std::int64_t>(x.size());
  std::array<std::int64_t, on_stack> small;
  std::unique_ptr<std::int64_t[]> large;
  if (n > on_stack) large = std::make_unique_for_overwrite<std::int64_t[]>(n);
  std::int64_t* const u = n > on_stack ? large.get() : small.data();
  // n < 2^15: these sums stay below n^3 = 2^45.
  std::int64_t xx = 0, xy = 0, yy = 0;
  rank_column(x, [&](std::uint64_t row, std::int64_t, std::int64_t begin, std::int64_t end) {
    u[row] = centred_rank(begin, end, n);
    xx += u[row] * u[row];
  });
  rank_column(y, [&](std::uint64_t row, std::int64_t, std::int64_t begin, std::int64_t end) {
    const std::int64_t v = centred_rank(begin, end, n);
    xy += u[row] * v;
    yy += v * v;
  });
  return {xx, xy, yy};
}

// The Gram matrix of u. It adds doubles while the sums are exact integers (below 2^53), blocks of rows at a time.
constexpr std::int64_t gram_block = 1024, gram_tile = 4;
constexpr std::int64_t shortest_gram_block = 64;

std::int64_t exact_rows(std::int64_t n) {
  const Int128 product = Int128{n - 1} * (n - 1);
  return static_cast<std::int64_t>(std::min<Int128>((Int128{1} << 53) / product, gram_block));
}

using Lanes = double __attribute__((vector_size(16)));

Lanes load_lanes(const double* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

// Products of up to 4 columns a with up to 2 columns b over `rows` rows.
void gram_tile_sums(const double* const* a, const double* const* b, std::int64_t rows, double* sums) {
  Lanes total[gram_tile][2] = {};
  std::int64_t row = 0;
  for (; row + 2 <= rows; row += 2) {
    const Lanes b0 = load_lanes(b[0] + row), b1 = load_lanes(b[1] + row);
    for (int i = 0; i < gram_tile; ++i) {
      const Lanes left = load_lanes(a[i] + row);
      total[i][0] += left * b0;
      total[i][1] += left * b1;
    }
  }
  for (int i = 0; i < gram_tile; ++i)
    for (int j = 0; j < 2; ++j) sums[i * 2 + j] = total[i][j][0] + total[i][j][1];
  for (; row < rows; ++row)
    for (int i = 0; i < gram_tile; ++i)
      for (int j = 0; j < 2; ++j) sums[i * 2 + j] += a[i][row] * b[j][row];
}

// Adds the upper triangle of the products of rows begin .. end - 1 to sums [D, D].
void add_gram_block(const std::vector<double>& u, std::int64_t n, std::int64_t size, std::int64_t begin,
                    std::int64_t end, Int128* sums) {
  const auto column = [&](std::int64_t d) { return u.data() + std::min(d, size - 1) * n + begin; };
  for (std::int64_t i0 = 0; i0 < size; i0 += gram_tile)
    for (std::int64_t j0 = i0; j0 < size; j0 += 2) {
      // Columns beyond the last repeat it; their products are not stored.
      const double* a[gram_tile] = {column(i0), column(i0 + 1), column(i0 + 2), column(i0 + 3)};
      const double* b[2] = {column(j0), column(j0 + 1)};
      double tile[gram_tile * 2];
      gram_tile_sums(a, b, end - begin, tile);
      for (std::int64_t i = i0; i < std::min(i0 + gram_tile, size); ++i)
        for (std::int64_t j = std::max(i, j0); j < std::min(j0 + 2, size); ++j)
          sums[i * size + j] += static_cast<std::int64_t>(tile[(i - i0) * 2 + (j - j0)]);
    }
}

Int128 wide_dot(const double* a, const double* b, std::int64_t rows) {
  Int128 sum = 0;
  for (std::int64_t i = 0; i < rows; ++i)
    sum += Int128{static_cast<std::int64_t>(a[i])} * static_cast<std::int64_t>(b[i]);
  return sum;
}

}  // namespace

void average_ranks_cpu(std::span<const double> x, std::span<double> ranks) {
  rank_column(x, [ranks](std::uint64_t row, std::int64_t, std::int64_t begin, std::int64_t end) {
    ranks[row] = 0.5 * static_cast<double>(begin + 1 + end);
  });
}

RankSums rank_sums_cpu(std::span<const double> x, std::span<const double> y) {
  const bool few = static_cast<std::int64_t>(x.size()) < parallel_from;
  return few ? sums_by_two_rankings(x, y) : sums_by_two_sorts(x, y);
}

std::vector<RankSums> rank_sums_matrix_cpu(Columns columns) {
  const auto size = static_cast<std::int64_t>(columns.size());
  if (size == 0) return {};
  const auto n = static_cast<std::int64_t>(columns[0].size());

  std::vector<double> u(size * n);  // [D, n]
  for_columns(size, n, [&](std::int64_t d) {
    double* to = u.data() + d * n;
    rank_column(columns[d], [to, n](std::uint64_t row, std::int64_t, std::int64_t begin, std::int64_t end) {
      to[row] = static_cast<double>(centred_rank(begin, end, n));
    });
  });

  const std::int64_t block = exact_rows(n);
  const bool in_doubles = block >= shortest_gram_block;
  const std::int64_t chunk = in_doubles ? block * 4 : gram_block * 64;
  std::mutex adding;
  std::vector<Int128> gram(size * size);
  parallel_for((n + chunk - 1) / chunk, [&](std::int64_t c) {
    const std::int64_t begin = c * chunk, end = std::min(begin + chunk, n);
    std::vector<Int128> sums(size * size);
    if (in_doubles) {
      for (std::int64_t row = begin; row < end; row += block)
        add_gram_block(u, n, size, row, std::min(row + block, end), sums.data());
    } else {
      for (std::int64_t i = 0; i < size; ++i)
        for (std::int64_t j = i; j < size; ++j)
          sums[i * size + j] = wide_dot(u.data() + i * n + begin, u.data() + j * n + begin, end - begin);
    }
    const std::lock_guard lock(adding);
    for (std::int64_t i = 0; i < size * size; ++i) gram[i] += sums[i];
  });

  std::vector<RankSums> sums(size * size);
  for (std::int64_t i = 0; i < size; ++i)
    for (std::int64_t j = i; j < size; ++j)
      sums[i * size + j] = {gram[i * size + i], gram[i * size + j], gram[j * size + j]};
  return sums;
}

}  // namespace oneproxy::detail
