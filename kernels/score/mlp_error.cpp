#include "oneproxy/kernels/score/mlp_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "oneproxy/kernels/score/bf16.h"

namespace oneproxy::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// How numbers are rounded on the way to a score. Sums, biases and the score's weights are fp32 or fp64; inputs and
// weights of hidden layers are factors of `factors`.
struct Arithmetic {
  double unit = 0x1p-24;                    // roundoff of sums and products outside hidden layers
  double matrix_unit = 0x1p-24;             // and within
  double tiny = 0x1p-149;                   // the most that a result near zero can be off
  double largest = 0x1.fffffep127 * 0.999;  // beyond it sums overflow
  Precision factors = Precision::fp32;
  bool any_order = false;               // of the sums of hidden layers
  bool rows_summed_in_fp64 = false;     // the first layer's tables, rounded to fp32 when they stand
  bool rounds_inputs_of_score = false;  // as those of hidden layers
  double weight_tiny = 0;               // weights of hidden layers below it may count as zero
  int lanes = 1;                        // in which the score is summed

  double rounded(double value) const {
    return factors == Precision::fp64 ? value : static_cast<double>(static_cast<float>(value));
  }
};

// A weight as a factor of a hidden layer: how far it may be off, how large it may be.
struct Factor {
  double error, magnitude;
};
Factor factor_of(double weight, const Arithmetic& arithmetic) {
  const double tiny = arithmetic.weight_tiny;
  if (arithmetic.factors == Precision::tf32) {  // rounded to fp32, then cut to 11 bits
    const double error = 0x1.002p-10 * std::abs(weight) + tiny;
    return {error, std::abs(weight) + error};
  }
  const double rounded = arithmetic.factors == Precision::bf16
                             ? static_cast<double>(bf16_value(bf16_bits(static_cast<float>(weight))))
                             : arithmetic.rounded(weight);
  return {std::abs(rounded - weight) + tiny, std::abs(rounded) + tiny};
}

// An input as a factor, relative to its size: bf16 rounds to 8 bits, tf32 may be cut to 11.
double input_unit(Precision factors) {
  return factors == Precision::bf16 ? 0x1p-8 : factors == Precision::tf32 ? 0x1p-10 : 0;
}

// Of one layer's units: the interval of the exact value before ReLU, and the error of the computed one.
struct Units {
  explicit Units(std::size_t n) : low(n), high(n), error(n) {}
  std::vector<double> low, high, error;
};

Units first_layer(const Mlp& model, const DigitCode& code, const Arithmetic& arithmetic) {
  const auto width = static_cast<std::size_t>(model.first_width);
  Units units(width);
  std::vector<double> size(width), rounding(width);  // sums of magnitudes, of weights' errors
  for (std::size_t j = 0; j < width; ++j) {
    const double bias = model.first_bias[j];
    units.low[j] = units.high[j] = bias;
    size[j] = std::abs(bias);
    rounding[j] = std::abs(arithmetic.rounded(bias) - bias);
  }
  std::vector<double> row_rounding(model.rows.size());
  for (std::size_t i = 0; i < row_rounding.size(); ++i)
    row_rounding[i] = arithmetic.rows_summed_in_fp64 ? arithmetic.unit * std::abs(model.rows[i])
                                                     : std::abs(arithmetic.rounded(model.rows[i]) - model.rows[i]);

  double additions = 1;
  std::vector<double> low(width), high(width), max_magnitude(width), max_rounding(width), sum(width), magnitude(width),
      off(width);
  const std::int32_t* rows = code.rows.data();
  for (const std::uint32_t radix : code.radices) {
    std::fill(low.begin(), low.end(), kInfinity);
    std::fill(high.begin(), high.end(), -kInfinity);
    std::fill(max_magnitude.begin(), max_magnitude.end(), 0.0);
    std::fill(max_rounding.begin(), max_rounding.end(), 0.0);
    int max_parts = 0;
    for (std::uint32_t value = 0; value < radix; ++value, rows += code.parts) {
      std::fill(sum.begin(), sum.end(), 0.0);
      std::fill(magnitude.begin(), magnitude.end(), 0.0);
      std::fill(off.begin(), off.end(), 0.0);
      int parts = 0;
      for (int part = 0; part < code.parts; ++part) {
        if (rows[part] < 0) continue;
        ++parts;
        const double* row = model.rows.data() + static_cast<std::size_t>(rows[part]) * width;
        const double* error = row_rounding.data() + static_cast<std::size_t>(rows[part]) * width;
        for (std::size_t j = 0; j < width; ++j) {
          sum[j] += row[j];
          magnitude[j] += std::abs(row[j]);
          off[j] += error[j];
        }
      }
      max_parts = std::max(max_parts, parts);
      for (std::size_t j = 0; j < width; ++j) {
        low[j] = std::min(low[j], sum[j]);
        high[j] = std::max(high[j], sum[j]);
        max_magnitude[j] = std::max(max_magnitude[j], magnitude[j]);
        max_rounding[j] = std::max(max_rounding[j], off[j]);
      }
    }
    additions += max_parts;
    for (std::size_t j = 0; j < width; ++j) {
      units.low[j] += low[j];
      units.high[j] += high[j];
      size[j] += max_magnitude[j];
      rounding[j] += max_rounding[j];
    }
  }
  // As many additions as rows, in any order, for back ends tabulate the sums of different digits: each result is at
  // most all magnitudes. Of sums in fp64 that are rounded to fp32 at last, the rounding is that of the rows or less,
  // beside the much finer one of the sums.
  const double growth = 1 + (2 * additions + 8) * arithmetic.unit;
  for (std::size_t j = 0; j < width; ++j) {
    units.error[j] = growth * (arithmetic.unit * additions * size[j] + rounding[j]) + additions * arithmetic.tiny;
    if (arithmetic.rows_summed_in_fp64) units.error[j] += growth * additions * 0x1p-53 * size[j];
    const double slack = (additions + 2) * 0x1p-52 * size[j];  // of this function's own sums
    units.low[j] -= slack;
    units.high[j] += slack;
    if (!(size[j] * growth < arithmetic.largest)) units.error[j] = kInfinity;
  }
  return units;
}

// ReLU, and the rounding of activations where they become factors of fewer bits.
struct Inputs {
  Inputs(const Units& units, const Arithmetic& arithmetic, bool rounded)
      : low(units.low.size()), high(units.low.size()), error(units.low.size()) {
    for (std::size_t k = 0; k < low.size(); ++k) {
      low[k] = std::max(0.0, units.low[k]);
      high[k] = std::max(0.0, units.high[k]);
      error[k] = units.high[k] < 0 ? std::max(0.0, units.high[k] + units.error[k]) : units.error[k];
      const double unit = input_unit(arithmetic.factors);
      if (rounded && unit > 0) error[k] += unit * (high[k] + error[k]) + arithmetic.tiny;
    }
  }
  std::vector<double> low, high, error;
};

// The error of weight * input: of the input, the weight and the product.
double product_error(double weight, const Factor& factor, double high, double error, double unit, double tiny) {
  const double computed = high + error;
  return factor.error * computed + std::abs(weight) * error + unit * factor.magnitude * computed + tiny;
}

Units hidden_layer(const DenseLayer& layer, const Inputs& in, const Arithmetic& arithmetic) {
  Units units(layer.outputs);
  const auto n = static_cast<std::size_t>(layer.inputs);
  for (int j = 0; j < layer.outputs; ++j) {
    const double* weights = layer.weights.data() + static_cast<std::size_t>(j) * n;
    const double bias = layer.bias[j];
    double total = std::abs(bias);
    for (std::size_t k = 0; k < n; ++k) total += std::abs(weights[k]) * in.high[k];
    double low = bias, high = bias, error = std::abs(arithmetic.rounded(bias) - bias);
    const double slack = (static_cast<double>(n) + 2) * 0x1p-52 * total;
    for (std::size_t k = 0; k < n; ++k) {
      const double w = weights[k];
      low += std::min(w * in.low[k], w * in.high[k]);
      high += std::max(w * in.low[k], w * in.high[k]);
      // In any order, any partial sum may occur.
      const double partial = arithmetic.any_order ? total : std::max(std::abs(low), std::abs(high)) + slack;
      error +=
          product_error(w, factor_of(w, arithmetic), in.high[k], in.error[k], arithmetic.matrix_unit, arithmetic.tiny);
      error += arithmetic.matrix_unit * (error + partial) + arithmetic.tiny;
    }
    units.low[j] = low - slack;
    units.high[j] = high + slack;
    units.error[j] = total + error < arithmetic.largest ? error : kInfinity;
  }
  return units;
}

double score_error(const DenseLayer& layer, const Inputs& in, const Arithmetic& arithmetic) {
  double total = std::abs(layer.bias[0]), error = std::abs(arithmetic.rounded(layer.bias[0]) - layer.bias[0]);
  for (int k = 0; k < layer.inputs; ++k) {
    const double w = layer.weights[k];
    total += std::abs(w) * in.high[k];
    const double rounded = arithmetic.rounded(w);
    error += product_error(w, {std::abs(rounded - w), std::abs(rounded)}, in.high[k], in.error[k], arithmetic.unit,
                           arithmetic.tiny);
  }
  // One after the other; or lanes of inputs, the halvings that join them, and the bias.
  const int lanes = arithmetic.lanes;
  const double depth = lanes == 1 ? layer.inputs + 1 : (layer.inputs + lanes - 1) / lanes + std::log2(lanes) + 1;
  const double gamma = depth * arithmetic.unit / (1 - depth * arithmetic.unit);
  if (!(gamma < 0.1) || !(total + error < arithmetic.largest)) return kInfinity;
  return error + gamma * (total + error) + (layer.inputs + depth) * arithmetic.tiny;
}

double error_of(const Mlp& model, const DigitCode& code, const Arithmetic& arithmetic) {
  Units units = first_layer(model, code, arithmetic);
  const std::size_t n_hidden = model.layers.size() - 1;
  for (std::size_t l = 0; l < n_hidden; ++l)
    units = hidden_layer(model.layers[l], Inputs(units, arithmetic, true), arithmetic);
  return score_error(model.layers[n_hidden], Inputs(units, arithmetic, arithmetic.rounds_inputs_of_score), arithmetic);
}

// The instruction sets of the CPU (kernels/score/cpu/mlp_tile_loops.h). The score has 16 virtual lanes on all of them.
Arithmetic arithmetic_cpu(Precision precision, bool has_matrix) {
  Arithmetic fast;
  fast.lanes = 16;
  if (precision == Precision::bf16 && has_matrix) {
    fast.factors = Precision::bf16;
    fast.any_order = true;  // of the pairs
    fast.tiny = 0x1p-126;   // below it products of pairs take numbers for zero
  }
  return fast;
}

// The fused kernels and the matrix products of a GPU. Tensor cores keep fewer bits than fp32 does when they align the
// terms of a sum; the library adds in an order of its own; wide MLPs store all activations as factors.
Arithmetic arithmetic_cuda(Precision precision) {
  Arithmetic fast;
  fast.matrix_unit = precision == Precision::fp32 ? 0x1p-23 : 0x1p-21;
  fast.tiny = fast.weight_tiny = 1e-36;
  fast.largest = 1e37;  // room for sums in any order
  fast.factors = precision;
  fast.any_order = true;
  fast.rows_summed_in_fp64 = true;
  fast.rounds_inputs_of_score = precision == Precision::bf16;
  return fast;
}

Arithmetic arithmetic_of(const Mlp& model, Precision precision, Backend backend) {
  return backend == Backend::cuda ? arithmetic_cuda(precision) : arithmetic_cpu(precision, model.layers.size() > 1);
}

constexpr double kOwnRoundings = 1 + 1e-9;  // of these sums, all of positive numbers

}  // namespace

double mlp_error_bound(const Mlp& model, const DigitCode& code, Precision precision, Backend backend) {
  if (precision == Precision::fp64) return 0;
  const Arithmetic fast = arithmetic_of(model, precision, backend);
  Arithmetic definition;
  definition.unit = definition.matrix_unit = 0x1p-53;
  definition.tiny = 0x1p-1074;
  definition.largest = std::numeric_limits<double>::max();
  definition.factors = Precision::fp64;
  const double bound = (error_of(model, code, fast) + error_of(model, code, definition)) * kOwnRoundings;
  return bound < kInfinity ? bound : kInfinity;
}

// The definition rounds like the fast arithmetic, but finer by 29 bits: its error is bounded by the same sums.
double quick_mlp_error_bound(const Mlp& model, const DigitCode& code, Precision precision, Backend backend) {
  if (precision == Precision::fp64) return 0;
  const double bound = 2 * error_of(model, code, arithmetic_of(model, precision, backend)) * kOwnRoundings;
  return bound < kInfinity ? bound : kInfinity;
}

}  // namespace oneproxy::detail
