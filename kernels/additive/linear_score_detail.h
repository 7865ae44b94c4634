#pragma once
// How a range of architectures is cut so that most of a sum is done once, and the twins of linear_score.h.
//
// A tile is all architectures that share the choices of the first n_outer decisions; a row of it those that differ in
// the last decision only. Sums of leading decisions are kept, trailing ones are added: the order stays as promised.
// There are only additions, so no compiler can contract them to fused multiply-adds.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/additive/linear_score.h"

namespace oneproxy::detail {

struct Tiles {
  int n_decisions = 0;
  int n_outer = 0;
  std::int32_t row_size = 0;      // radix of the last decision
  std::int32_t n_rows = 0;        // of a tile
  std::int64_t n_tiles = 0;       // that the range touches
  std::int64_t skip = 0;          // architectures of the first tile that lie before the range
  std::int64_t row_weights = 0;   // where the weights of decision n_outer begin
  std::int64_t last_weights = 0;  // where those of the last decision begin

  ONEPROXY_HD std::int64_t size() const { return std::int64_t{n_rows} * row_size; }
};

struct RangePlan {
  Tiles tiles;
  std::vector<std::uint8_t> first_choices;  // [n_outer] of the first tile
};

inline constexpr std::int32_t largest_tile = 8192;  // scores: 64 KiB
inline constexpr std::int32_t most_rows = 4096;     // sums of rows: 32 KiB, which fit a block's shared memory

// radices [n_decisions >= 1]; begin + count within the space.
RangePlan plan_range(std::span<const std::uint8_t> radices, ArchIndex begin, std::int64_t count);

// choices [n] = first [n] + offset in mixed radix: 64-bit arithmetic however large the space is. The sum is in range.
ONEPROXY_HD inline void offset_choices(const std::uint8_t* first, const std::uint8_t* radices, int n,
                                       std::uint64_t offset, std::uint8_t* choices) {
  for (int d = n - 1; d >= 0; --d) {
    offset += first[d];
    const std::uint64_t carry = offset < radices[d] ? 0 : offset / radices[d];
    choices[d] = static_cast<std::uint8_t>(offset - carry * radices[d]);
    offset = carry;
  }
}

// sum + weights of choices [n], decision 0 first. weights and radices begin at decision 0.
ONEPROXY_HD inline double add_choices(double sum, const double* weights, const std::uint8_t* radices,
                                      const std::uint8_t* choices, int n) {
  for (int d = 0; d < n; ++d) {
    sum += weights[choices[d]];
    weights += radices[d];
  }
  return sum;
}

// sum + the weights of row number `row` of n_rows. weights and radices begin at decision n_outer; n decisions, the
// inner ones without the last.
ONEPROXY_HD inline double add_row(double sum, const double* weights, const std::uint8_t* radices, int n,
                                  std::int32_t row, std::int32_t n_rows) {
  for (int d = 0; d < n; ++d) {
    n_rows /= radices[d];
    const std::int32_t choice = row / n_rows;
    row -= choice * n_rows;
    sum += weights[choice];
    weights += radices[d];
  }
  return sum;
}

// Sizes are checked. Scoring choices returns the first architecture with a choice outside its radix, whose score is
// then not defined, or -1.
std::int64_t score_choices_cpu(const LinearTable& table, std::span<const std::uint8_t> choices,
                               std::span<double> scores);
void score_range_cpu(const LinearTable& table, ArchIndex begin, std::span<double> scores);

#ifdef ONEPROXY_HAS_CUDA
std::int64_t score_choices_cuda(const LinearTable& table, std::span<const std::uint8_t> choices,
                                std::span<double> scores);
void score_range_cuda(const LinearTable& table, ArchIndex begin, std::span<double> scores);
#endif

}  // namespace oneproxy::detail
