#pragma once
// What can be scored over whole spaces: tables that add up (kernels/additive/table.h), and multilayer perceptrons on
// one-hot codes.
// Both are plain views of numbers over a DigitCode; whoever makes them owns the memory.
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "oneproxy/kernels/additive/table.h"
#include "oneproxy/kernels/base/digits.h"

namespace oneproxy {

// y = weights x + bias.
struct DenseLayer {
  int inputs = 0, outputs = 0;
  std::span<const double> weights;  // [outputs, inputs] row-major
  std::span<const double> bias;     // [outputs]
};

// h_1 = first_bias + sum of the code's rows that the architecture stands for; h_{l+1} = layer_l(relu(h_l));
// the last layer has one output, the score. The first layer is no matrix product.
struct Mlp {
  int first_width = 0;
  std::span<const double> rows;        // [n_rows, first_width]
  std::span<const double> first_bias;  // [first_width]
  std::vector<DenseLayer> layers;      // at least one; the last has one output
};

using ScoreFunction = std::variant<AdditiveTable<double>, Mlp>;

// Errors name the model's part: lengths that do not fit the code, no layer, widths that do not follow, a number that is
// not finite.
void check_score_function(const ScoreFunction& model, const DigitCode& code, const char* where);

// The definition in fp64 with one fixed order of operations: sums from bias upwards in the order of rows (digit after
// digit, part after part), inputs ascending, no contraction. digits [n_digits] -> score. The reference of every kernel.
double score_by_definition(const ScoreFunction& model, const DigitCode& code, const std::uint32_t* digits);

}  // namespace oneproxy
