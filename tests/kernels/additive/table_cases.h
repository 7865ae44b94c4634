#pragma once
// Tables for the tests of kernels/additive/table.h, and the sum as it promises it, written anew.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <ios>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "oneproxy/kernels/additive/table.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy::test {

// Owns what an AdditiveTable views. Weights of very different sizes, so that the order of a sum shows.
struct OwnedTable {
  OwnedTable(std::vector<std::uint8_t> of, bool several, std::uint64_t stream) : radices(std::move(of)) {
    std::size_t entries = 0;
    for (const std::uint8_t radix : radices) entries += radix;
    const std::size_t n_tables = several ? radices[0] : 1;
    const Philox random{31, stream};
    for (std::size_t i = 0; i < entries * n_tables; ++i) {
      const int exponent = static_cast<int>(random.below(2 * i, 40)) - 20;
      weights.push_back((random.uniform(2 * i + 1) - 0.4) * std::ldexp(1.0, exponent));
    }
    for (std::size_t t = 0; t < n_tables; ++t) bias.push_back(0.1 + static_cast<double>(t));
  }
  AdditiveTable<double> table() const { return {weights, bias}; }

  std::vector<std::uint8_t> radices;
  std::vector<double> weights, bias;
};

struct TableCase {
  std::string name;
  std::vector<std::uint8_t> radices;
  bool several = false;
};
inline void PrintTo(const TableCase& of, std::ostream* out) { *out << of.name; }

inline std::vector<TableCase> table_cases() {
  using Radices = std::vector<std::uint8_t>;
  return {{"cells", Radices(6, 5)},
          {"cells_selected", Radices(6, 5), true},
          {"one_digit", {7}},
          {"one_digit_selects", {7}, true},
          {"one_architecture", {1}},
          {"only_radix_1", Radices(30, 1)},
          {"fbnet", Radices(22, 9)},
          {"large_radices", {255, 254, 253}},
          {"large_radices_selected", {255, 254, 253}, true},
          {"bits", Radices(127, 2)},
          {"mixed", {4, 1, 7, 2, 13, 1, 1, 6, 3, 1, 11, 5, 1}},
          {"mixed_selected", {4, 1, 7, 2, 13, 1, 1, 6, 3, 1, 11, 5, 1}, true}};
}

inline std::vector<double> scores_by_definition(const OwnedTable& of, const std::vector<std::uint8_t>& choices) {
  std::size_t width = 0;
  for (const std::uint8_t radix : of.radices) width += radix;
  std::vector<double> scores;
  for (std::size_t i = 0; i < choices.size(); i += of.radices.size()) {
    const std::size_t t = of.bias.size() > 1 ? choices[i] : 0;
    double sum = of.bias[t];
    std::size_t at = t * width;
    for (std::size_t d = 0; d < of.radices.size(); at += of.radices[d++]) sum += of.weights[at + choices[i + d]];
    scores.push_back(sum);
  }
  return scores;
}

// Choices [n, n_digits] drawn evenly.
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
