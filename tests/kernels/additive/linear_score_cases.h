#pragma once
// Tables and ranges for the tests of the linear score, and the sum as linear_score.h promises it.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <ios>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "oneproxy/kernels/additive/linear_score.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy::test {

// Owns what a LinearTable points to. Weights of very different sizes, so that the order of a sum shows.
struct OwnedTable {
  OwnedTable(std::vector<std::uint8_t> of, std::uint64_t stream) : radices(std::move(of)) {
    std::size_t entries = 0;
    for (const std::uint8_t radix : radices) entries += radix;
    const Philox random{31, stream};
    for (std::size_t i = 0; i < entries; ++i) {
      const int exponent = static_cast<int>(random.below(2 * i, 40)) - 20;
      weights.push_back((random.uniform(2 * i + 1) - 0.4) * std::ldexp(1.0, exponent));
    }
  }
  LinearTable table() const { return {radices, weights, 0.1}; }

  std::vector<std::uint8_t> radices;
  std::vector<double> weights;
};

struct RangeCase {
  std::string name;
  std::vector<std::uint8_t> radices;
  ArchIndex begin;
  std::int64_t count;
};
inline void PrintTo(const RangeCase& range, std::ostream* out) { *out << range.name; }

inline std::vector<RangeCase> range_cases() {
  using Radices = std::vector<std::uint8_t>;
  const Radices fbnet(22, 9), cells(6, 5);
  const ArchIndex fbnet_size = space_size(fbnet), two_to_64 = ArchIndex{1} << 64;
  const Radices long_rows = {255, 254, 253}, bits(127, 2);
  Radices ends_with_one(20, 2);
  ends_with_one.push_back(1);
  const Radices mixed = {4, 1, 7, 2, 13, 1, 1, 6, 3, 1, 11, 5, 1};
  return {
      {"all_cells", cells, 0, 15625},
      {"some_cells", cells, 3124, 3127},
      {"last_cell", cells, 15624, 1},
      {"empty", cells, 15625, 0},
      {"one_decision", {7}, 0, 7},
      {"one_architecture", {1}, 0, 1},
      {"only_radix_1", Radices(30, 1), 0, 1},
      {"fbnet_first", fbnet, 0, 200000},
      {"fbnet_odd", fbnet, 123456789012345, 200000},
      {"fbnet_within_a_tile", fbnet, 6561 * 5 + 100, 1000},
      {"fbnet_across_2_to_64", fbnet, two_to_64 - 70000, 150000},
      {"fbnet_beyond_2_to_64", fbnet, two_to_64 * 40 + 17, 100000},
      {"fbnet_last", fbnet, fbnet_size - 66000, 66000},
      {"long_rows", long_rows, 1000, 200000},
      {"long_rows_last", long_rows, space_size(long_rows) - 300, 300},
      {"bits", bits, (ArchIndex{1} << 127) - 50000, 50000},
      {"bits_carry_far", bits, (ArchIndex{1} << 126) - 30000, 60000},
      {"ends_with_one", ends_with_one, 10000, 50000},
      {"mixed", mixed, 12345, static_cast<std::int64_t>(space_size(mixed)) - 12345},
  };
}

inline double score_by_definition(const LinearTable& table, const std::uint8_t* choices) {
  double sum = table.bias;
  std::size_t at = 0;
  for (std::size_t d = 0; d < table.radices.size(); ++d) {
    sum += table.weights[at + choices[d]];
    at += table.radices[d];
  }
  return sum;
}

inline std::vector<double> range_by_definition(const LinearTable& table, ArchIndex begin, std::int64_t count) {
  std::vector<double> scores;
  std::vector<std::uint8_t> choices(table.radices.size());
  for (std::int64_t i = 0; i < count; ++i) {
    decode_index(begin + static_cast<ArchIndex>(i), table.radices.data(), static_cast<int>(choices.size()),
                 choices.data());
    scores.push_back(score_by_definition(table, choices.data()));
  }
  return scores;
}

// Choices [n, n_decisions] drawn evenly.
inline std::vector<std::uint8_t> drawn_choices(const std::vector<std::uint8_t>& radices, std::int64_t n) {
  std::vector<std::uint8_t> choices;
  const Philox random{32, 0};
  for (std::int64_t i = 0; i < n; ++i)
    for (const std::uint8_t radix : radices)
      choices.push_back(static_cast<std::uint8_t>(random.below(choices.size(), radix)));
  return choices;
}

inline testing::AssertionResult same_bits(const std::vector<double>& actual, const std::vector<double>& expected) {
  if (actual.size() != expected.size())
    return testing::AssertionFailure() << actual.size() << " scores instead of " << expected.size();
  for (std::size_t i = 0; i < actual.size(); ++i)
    if (std::bit_cast<std::uint64_t>(actual[i]) != std::bit_cast<std::uint64_t>(expected[i]))
      return testing::AssertionFailure() << "score " << i << " is " << std::hexfloat << actual[i] << " instead of "
                                         << expected[i];
  return testing::AssertionSuccess();
}

}  // namespace oneproxy::test
