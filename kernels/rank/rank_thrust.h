#pragma once
// Ranks in Thrust's words, for any of its back ends: the CUDA twin runs them on the device, a test runs them with
// Thrust's sequential back end, without nvcc or a GPU. The sums are the exact integers of rank_detail.h.
//
// Inputs are pointers into the policy's memory, [n] floats or doubles, n < 2^31; where they may hold NaN, the rows
// without one are copied out first. They are sorted as what they are: floats by 32-bit keys, half as many passes.
// Buffer<T>(size) owns such memory, Buffer<T>::data() points to it. Functions that return a number have finished their
// work when they return, the others when the policy says so.
#include <thrust/copy.h>
#include <thrust/fill.h>
#include <thrust/for_each.h>
#include <thrust/functional.h>
#include <thrust/gather.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/reverse_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <thrust/iterator/zip_iterator.h>
#include <thrust/scan.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/transform.h>
#include <thrust/transform_reduce.h>
#include <thrust/tuple.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <utility>

#include "oneproxy/kernels/base/index.h"
#include "oneproxy/kernels/rank/rank_detail.h"

namespace oneproxy::detail {

using Position = std::uint32_t;

struct Smaller {
  ONEPROXY_HD Position operator()(Position a, Position b) const { return a < b ? a : b; }
};
struct Larger {
  ONEPROXY_HD Position operator()(Position a, Position b) const { return a < b ? b : a; }
};

// Radix sorts may order -0.0 before 0.0; as sums with 0.0 both are 0.0.
struct Sortable {
  template <typename T>
  ONEPROXY_HD T operator()(T x) const {
    return x + T{0};
  }
};
template <typename T>
auto sortable(const T* x) {
  return thrust::make_transform_iterator(x, Sortable{});
}

template <typename T>
struct HasNumber {
  const T* x;
  ONEPROXY_HD bool operator()(Position i) const { return x[i] == x[i]; }
};
struct HasTwoNumbers {
  template <typename T>
  ONEPROXY_HD bool operator()(const thrust::tuple<T, T>& pair) const {
    return thrust::get<0>(pair) == thrust::get<0>(pair) && thrust::get<1>(pair) == thrust::get<1>(pair);
  }
};

// The pairs without NaN, in their order and sortable; returns how many. One pass: without NaN it is a copy.
template <typename Policy, typename T>
std::int64_t copy_pairs(const Policy& policy, const T* x, const T* y, std::int64_t n, T* kept_x, T* kept_y) {
  const auto pairs = thrust::make_zip_iterator(thrust::make_tuple(sortable(x), sortable(y)));
  const auto kept = thrust::make_zip_iterator(thrust::make_tuple(kept_x, kept_y));
  return thrust::copy_if(policy, pairs, pairs + n, kept, HasTwoNumbers{}) - kept;
}

// Work(i) for i in 0 .. n-1.
template <typename Policy, typename Work>
void for_each_index(const Policy& policy, std::int64_t n, const Work& work) {
  const thrust::counting_iterator<std::int64_t> index(0);
  thrust::for_each(policy, index, index + n, work);
}

template <typename Policy, typename Term, typename Sum>
Sum sum_over_indices(const Policy& policy, std::int64_t n, const Term& term, Sum zero) {
  const thrust::counting_iterator<std::int64_t> index(0);
  return thrust::transform_reduce(policy, index, index + n, term, zero, thrust::plus<Sum>{});
}

// same(i): whether sorted items i - 1 and i are equal, asked for i >= 1.
template <typename T>
struct SameKey {
  const T* keys;
  ONEPROXY_HD bool operator()(std::int64_t i) const { return keys[i] == keys[i - 1]; }
};
template <typename T>
struct SameKeyAndCode {
  const T* keys;
  const Position* codes;
  ONEPROXY_HD bool operator()(std::int64_t i) const { return keys[i] == keys[i - 1] && codes[i] == codes[i - 1]; }
};

// Where a run starts its own position, elsewhere 0: the running maximum is the first position of the run.
template <typename Same>
struct FirstOfRun {
  Same same;
  ONEPROXY_HD Position operator()(std::int64_t i) const { return i > 0 && same(i) ? 0 : static_cast<Position>(i); }
};
// Where a run ends the position behind it, elsewhere n: the running minimum from the back is the end of the run.
template <typename Same>
struct EndOfRun {
  Same same;
  std::int64_t n;
  ONEPROXY_HD Position operator()(std::int64_t i) const {
    return static_cast<Position>(i + 1 < n && same(i + 1) ? n : i + 1);
  }
};

template <typename Policy, typename Same>
void first_positions(const Policy& policy, std::int64_t n, const Same& same, Position* first) {
  const auto starts =
      thrust::make_transform_iterator(thrust::counting_iterator<std::int64_t>(0), FirstOfRun<Same>{same});
  thrust::inclusive_scan(policy, starts, starts + n, first, Larger{});
}

template <typename Policy, typename Same>
void end_positions(const Policy& policy, std::int64_t n, const Same& same, Position* end) {
  const auto ends =
      thrust::make_transform_iterator(thrust::counting_iterator<std::int64_t>(0), EndOfRun<Same>{same, n});
  thrust::inclusive_scan(policy, thrust::make_reverse_iterator(ends + n), thrust::make_reverse_iterator(ends),
                         thrust::make_reverse_iterator(end + n), Smaller{});
}

// u of each of n sorted keys.
struct RankOfRun {
  const Position* first;
  const Position* end;
  std::int64_t n;
  ONEPROXY_HD std::int64_t operator()(std::int64_t i) const {
    return static_cast<std::int64_t>(first[i]) + static_cast<std::int64_t>(end[i]) - n;
  }
};

struct ScatterRank {
  RankOfRun rank;
  const Position* rows;
  double scale, offset;
  double* out;
  ONEPROXY_HD void operator()(std::int64_t i) const { out[rows[i]] = static_cast<double>(rank(i)) * scale + offset; }
};

template <typename T>
struct SortableAt {
  const T* x;
  ONEPROXY_HD T operator()(Position row) const { return Sortable{}(x[row]); }
};

// out[row] = scale * u + offset for the n given rows of x; `rows` is used up.
template <template <typename> class Buffer, typename Policy, typename T>
void rank_rows(const Policy& policy, const T* x, Position* rows, std::int64_t n, double scale, double offset,
               double* out) {
  Buffer<T> keys(n);
  Buffer<Position> first(n), end(n);
  thrust::transform(policy, rows, rows + n, keys.data(), SortableAt<T>{x});
  thrust::sort_by_key(policy, keys.data(), keys.data() + n, rows);
  first_positions(policy, n, SameKey<T>{keys.data()}, first.data());
  end_positions(policy, n, SameKey<T>{keys.data()}, end.data());
  for_each_index(policy, n, ScatterRank{{first.data(), end.data(), n}, rows, scale, offset, out});
}

// out [n] = u of the rows of x, which holds no NaN.
template <template <typename> class Buffer, typename Policy, typename T>
void centred_ranks_thrust(const Policy& policy, const T* x, std::int64_t n, double* out) {
  Buffer<Position> rows(n);
  thrust::sequence(policy, rows.data(), rows.data() + n);
  rank_rows<Buffer>(policy, x, rows.data(), n, 1, 0, out);
}

// out [n] = average ranks of x; NaN for NaN.
template <template <typename> class Buffer, typename Policy, typename T>
void average_ranks_thrust(const Policy& policy, const T* x, std::int64_t n, double* out) {
  Buffer<Position> rows(n);
  const thrust::counting_iterator<Position> all(0);
  const std::int64_t n_kept = thrust::copy_if(policy, all, all + n, rows.data(), HasNumber<T>{x}) - rows.data();
  if (n_kept < n) thrust::fill(policy, out, out + n, std::numeric_limits<double>::quiet_NaN());
  // u = 2 rank - (n_kept + 1)
  rank_rows<Buffer>(policy, x, rows.data(), n_kept, 0.5, 0.5 * static_cast<double>(n_kept + 1), out);
}

struct StoreRank {
  RankOfRun rank;
  std::int32_t* out;
  ONEPROXY_HD void operator()(std::int64_t i) const { out[i] = static_cast<std::int32_t>(rank(i)); }
};
struct SquareOfRank {
  RankOfRun rank;
  ONEPROXY_HD Int128 operator()(std::int64_t i) const { return static_cast<Int128>(rank(i)) * rank(i); }
};
struct ProductOfRanks {
  RankOfRun rank;
  const std::int32_t* other;
  ONEPROXY_HD Int128 operator()(std::int64_t i) const { return static_cast<Int128>(rank(i)) * other[i]; }
};

// Two sorts and no scatter, as on the CPU.
template <template <typename> class Buffer, typename Policy, typename T>
Counted<RankSums> rank_sums_thrust(const Policy& policy, const T* x, const T* y, std::int64_t n) {
  Buffer<T> keys(n), partner(n);
  n = copy_pairs(policy, x, y, n, keys.data(), partner.data());
  if (n < 2) return {{}, n};
  Buffer<Position> first(n), end(n);
  Buffer<std::int32_t> u(n);
  const RankOfRun rank{first.data(), end.data(), n};
  const auto find_runs = [&](const T* sorted) {
    first_positions(policy, n, SameKey<T>{sorted}, first.data());
    end_positions(policy, n, SameKey<T>{sorted}, end.data());
  };
  RankSums sums;
  thrust::sort_by_key(policy, keys.data(), keys.data() + n, partner.data());
  find_runs(keys.data());
  for_each_index(policy, n, StoreRank{rank, u.data()});
  sums.xx = sum_over_indices(policy, n, SquareOfRank{rank}, Int128{0});

  thrust::sort_by_key(policy, partner.data(), partner.data() + n, u.data());
  find_runs(partner.data());
  sums.xy = sum_over_indices(policy, n, ProductOfRanks{rank, u.data()}, Int128{0});
  sums.yy = sum_over_indices(policy, n, SquareOfRank{rank}, Int128{0});
  return {sums, n};
}

// Each item pairs with those of its run before it.
struct TiesBefore {
  const Position* first;
  ONEPROXY_HD std::int64_t operator()(std::int64_t i) const { return i - static_cast<std::int64_t>(first[i]); }
};

// One level of the count of inversions, see count_inversions_thrust.
struct BitOf {
  const Position* sequence;
  int bit;
  ONEPROXY_HD Position operator()(std::int64_t i) const { return sequence[i] >> bit & 1u; }
};
struct BitLevel {
  const Position* sequence;
  const Position* ones_before;  // [n]
  int bit;
  ONEPROXY_HD bool is_one(std::int64_t i) const { return sequence[i] >> bit & 1u; }
  ONEPROXY_HD std::int64_t group_begin(std::int64_t i) const {
    return static_cast<std::int64_t>(sequence[i]) >> (bit + 1) << (bit + 1);
  }
  ONEPROXY_HD std::int64_t ones_in_group_before(std::int64_t i) const {
    return static_cast<std::int64_t>(ones_before[i]) - static_cast<std::int64_t>(ones_before[group_begin(i)]);
  }
  ONEPROXY_HD std::int64_t target(std::int64_t i) const {
    const std::int64_t ones = ones_in_group_before(i);
    return is_one(i) ? group_begin(i) + (std::int64_t{1} << bit) + ones : i - ones;
  }
};
struct InversionsAt {
  BitLevel level;
  ONEPROXY_HD std::int64_t operator()(std::int64_t i) const {
    return level.is_one(i) ? 0 : level.ones_in_group_before(i);
  }
};
struct MoveToTarget {
  BitLevel level;
  Position* to;
  ONEPROXY_HD void operator()(std::int64_t i) const { to[level.target(i)] = level.sequence[i]; }
};

// Inversions of a permutation of 0 .. n-1, which is sorted on the way: one stable radix pass a bit, from the
// highest. Numbers that share their higher bits stand together, from the first of them as position, in their
// old order. In such a group each pair of a 1 before a 0 in the present bit is an inversion, and each inversion
// is met once, at the highest bit in which its two numbers differ.
template <template <typename> class Buffer, typename Policy>
std::int64_t count_inversions_thrust(const Policy& policy, Position* sequence, std::int64_t n) {
  Buffer<Position> ones_before(n), moved(n);
  Position *from = sequence, *to = moved.data();
  std::int64_t inversions = 0;
  for (int bit = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n - 1))) - 1; bit >= 0; --bit) {
    const auto bits = thrust::make_transform_iterator(thrust::counting_iterator<std::int64_t>(0), BitOf{from, bit});
    thrust::exclusive_scan(policy, bits, bits + n, ones_before.data(), Position{0});
    const BitLevel level{from, ones_before.data(), bit};
    inversions += sum_over_indices(policy, n, InversionsAt{level}, std::int64_t{0});
    for_each_index(policy, n, MoveToTarget{level, to});
    std::swap(from, to);
  }
  return inversions;
}

// Kendall's counts: with the rows in the order of (x, y), pairs in opposite order are inversions of y. Stable
// sorts keep ties from becoming inversions.
template <template <typename> class Buffer, typename Policy, typename T>
Counted<PairCounts> pair_counts_thrust(const Policy& policy, const T* x, const T* y, std::int64_t n) {
  Buffer<T> kept_x(n), keys(n);
  n = copy_pairs(policy, x, y, n, kept_x.data(), keys.data());
  if (n < 2) return {{}, n};
  Buffer<Position> rows(n), codes(n), first(n);
  const auto ties = [&](const Position* run_first) {
    return sum_over_indices(policy, n, TiesBefore{run_first}, std::int64_t{0});
  };
  PairCounts counts;
  thrust::sequence(policy, rows.data(), rows.data() + n);
  thrust::stable_sort_by_key(policy, keys.data(), keys.data() + n, rows.data());
  first_positions(policy, n, SameKey<T>{keys.data()}, codes.data());  // equal codes for equal y
  counts.y_ties = ties(codes.data());

  thrust::gather(policy, rows.data(), rows.data() + n, kept_x.data(), keys.data());
  thrust::stable_sort_by_key(policy, keys.data(), keys.data() + n, codes.data());
  first_positions(policy, n, SameKey<T>{keys.data()}, first.data());
  counts.x_ties = ties(first.data());
  first_positions(policy, n, SameKeyAndCode<T>{keys.data(), codes.data()}, first.data());
  counts.xy_ties = ties(first.data());

  // The positions in the order of (x, y), listed by y: a permutation with the same inversions.
  thrust::sequence(policy, rows.data(), rows.data() + n);
  thrust::stable_sort_by_key(policy, codes.data(), codes.data() + n, rows.data());
  counts.discordant = count_inversions_thrust<Buffer>(policy, rows.data(), n);
  return {counts, n};
}

}  // namespace oneproxy::detail
