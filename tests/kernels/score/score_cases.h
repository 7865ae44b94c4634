#pragma once
// Random codes, tables and MLPs for the tests of scoring: composite digits, missing rows, radix 1, several shapes.
#include <cmath>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy::test {

// Owns what a DigitCode views: each value of a digit stands for 1..parts rows, unless `holes` leaves some out.
struct OwnedDigits {
  OwnedDigits(std::vector<std::uint32_t> of, int parts_of, std::uint64_t seed)
      : radices(std::move(of)), parts(parts_of) {
    const Philox random{seed, 1};
    std::uint64_t draw = 0;
    for (const auto radix : radices) {
      // A digit's rows are its own: values share some of them where it has several parts.
      const int own = parts == 1 ? static_cast<int>(radix) : std::min<int>(static_cast<int>(radix), 12) + 1;
      for (std::uint32_t value = 0; value < radix; ++value)
        for (int part = 0; part < parts; ++part) {
          const bool hole = parts > 1 && random.below(draw++, 4) == 0;
          const int row = parts == 1 ? static_cast<int>(value) : static_cast<int>(random.below(draw++, own));
          rows.push_back(hole ? -1 : n_rows + row);
        }
      n_rows += own;
    }
  }
  DigitCode code() const { return {radices, parts, rows, n_rows}; }

  std::vector<std::uint32_t> radices;
  std::vector<std::int32_t> rows;
  int parts, n_rows = 0;
};

struct OwnedDigitTable {
  OwnedDigitTable(const OwnedDigits& digits, bool selected, std::uint64_t seed) {
    const Philox random{seed, 2};
    std::size_t values = 0;
    for (const auto radix : digits.radices) values += radix;
    const std::size_t tables = selected ? digits.radices[0] : 1;
    for (std::size_t i = 0; i < values * tables; ++i)
      weights.push_back((random.uniform(2 * i) - 0.4) *
                        std::ldexp(1.0, static_cast<int>(random.below(2 * i + 1, 40)) - 20));
    for (std::size_t t = 0; t < tables; ++t) bias.push_back(0.1 + static_cast<double>(t));
  }
  AdditiveTable<double> table() const { return {weights, bias}; }

  std::vector<double> weights, bias;
};

// Weights of the size that training starts from, so that scores neither vanish nor explode.
struct OwnedMlp {
  OwnedMlp(const OwnedDigits& digits, std::vector<int> widths_of, std::uint64_t seed) : widths(std::move(widths_of)) {
    const Philox random{seed, 3};
    std::uint64_t draw = 0;
    const auto fill = [&](std::vector<double>& values, std::size_t n, double size) {
      for (std::size_t i = 0; i < n; ++i) values.push_back((2 * random.uniform(draw++) - 1) * size);
    };
    fill(rows, static_cast<std::size_t>(digits.n_rows) * widths[0],
         1.5 / std::sqrt(digits.radices.size() * digits.parts));
    fill(first_bias, widths[0], 0.3);
    for (std::size_t l = 0; l < widths.size(); ++l) {
      const int outputs = l + 1 < widths.size() ? widths[l + 1] : 1;
      weights.emplace_back();
      biases.emplace_back();
      fill(weights.back(), static_cast<std::size_t>(widths[l]) * outputs, std::sqrt(3.0 / widths[l]));
      fill(biases.back(), outputs, 0.1);
    }
  }
  Mlp mlp() const {
    Mlp mlp{widths[0], rows, first_bias, {}};
    for (std::size_t l = 0; l < widths.size(); ++l)
      mlp.layers.push_back({widths[l], static_cast<int>(biases[l].size()), weights[l], biases[l]});
    return mlp;
  }

  std::vector<int> widths;
  std::vector<double> rows, first_bias;
  std::vector<std::vector<double>> weights, biases;
};

}  // namespace oneproxy::test
