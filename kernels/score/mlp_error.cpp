#include "oneproxy/kernels/score/mlp_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "oneproxy/kernels/score/bf16.h"

namespace oneproxy::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// How numbers are rounded on the way to a score.
struct Arithmetic {
  double unit;        // roundoff of sums and products
  double tiny;        // most that a result near zero can be off
  double largest;     // beyond it sums overflow
  bool bf16 = false;  // hidden layers' inputs and weights
  bool fp64 = false;  // weights are not rounded, the score is summed in sequence
  double rounded(double value) const { return fp64 ? value : static_cast<double>(static_cast<float>(value)); }
  double rounded_hidden(double value) const {
    return bf16 ? static_cast<double>(bf16_value(bf16_bits(static_cast<float>(value)))) : rounded(value);
  }
};

// Of one layer's units: the interval of the exact value before ReLU, and the error of the computed one.
struct Units {
  explicit Units(std::size_t n) : low(n), high(n), error(n) {}
  std::vector<double> low, high, error;
};

Units first_layer(const Mlp& model, const DigitCode& code, const Arithmetic& arithmetic) {
  const auto width = static_cast<std::size_t>(model.first_width);
  Units units(width);
  std::vector<double> size(width), rounding(width), partial(width);  // sums of magnitudes, of weights' errors, of sizes
  for (std::size_t j = 0; j < width; ++j) {
    const double bias = model.first_bias[j];
    units.low[j] = units.high[j] = bias;
    size[j] = std::abs(bias);
    rounding[j] = std::abs(arithmetic.rounded(bias) - bias);
  }
  std::vector<double> row_rounding(model.rows.size());
  for (std::size_t i = 0; i < row_rounding.size(); ++i)
    row_rounding[i] = std::abs(arithmetic.rounded(model.rows[i]) - model.rows[i]);

  double additions = 1;
  std::vector<double> low(width), high(width), most(width), most_rounding(width), sum(width), magnitude(width),
      off(width);
  const std::int32_t* rows = code.rows.data();
  for (const std::uint32_t radix : code.radices) {
    std::fill(low.begin(), low.end(), kInfinity);
    std::fill(high.begin(), high.end(), -kInfinity);
    std::fill(most.begin(), most.end(), 0.0);
    std::fill(most_rounding.begin(), most_rounding.end(), 0.0);
    int most_parts = 0;
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
      most_parts = std::max(most_parts, parts);
      for (std::size_t j = 0; j < width; ++j) {
        low[j] = std::min(low[j], sum[j]);
        high[j] = std::max(high[j], sum[j]);
        most[j] = std::max(most[j], magnitude[j]);
        most_rounding[j] = std::max(most_rounding[j], off[j]);
      }
    }
    additions += most_parts;
    for (std::size_t j = 0; j < width; ++j) {
      units.low[j] += low[j];
      units.high[j] += high[j];
      size[j] += most[j];
      rounding[j] += most_rounding[j];
      partial[j] += most_parts * size[j];
    }
  }
  // Two chains of additions and one that joins them: each result is at most the magnitudes so far.
  const double growth = 1 + (2 * additions + 8) * arithmetic.unit;
  for (std::size_t j = 0; j < width; ++j) {
    units.error[j] = growth * (arithmetic.unit * (partial[j] + size[j]) + rounding[j]) + additions * arithmetic.tiny;
    const double slack = (additions + 2) * 0x1p-52 * size[j];  // of this function's own sums
    units.low[j] -= slack;
    units.high[j] += slack;
    if (!(size[j] * growth < arithmetic.largest)) units.error[j] = kInfinity;
  }
  return units;
}

// ReLU, and the rounding of activations where they are stored in fewer bits.
struct Inputs {
  Inputs(const Units& units, const Arithmetic& arithmetic, bool stored)
      : low(units.low.size()), high(units.low.size()), error(units.low.size()) {
    for (std::size_t k = 0; k < low.size(); ++k) {
      low[k] = std::max(0.0, units.low[k]);
      high[k] = std::max(0.0, units.high[k]);
      error[k] = units.high[k] < 0 ? std::max(0.0, units.high[k] + units.error[k]) : units.error[k];
      if (stored && arithmetic.bf16) error[k] += 0x1p-8 * (high[k] + error[k]) + 0x1p-126;
    }
  }
  std::vector<double> low, high, error;
};

// The error of weight * input: of the input, the weight and the product.
double product_error(double weight, double rounded, double high, double error, const Arithmetic& arithmetic) {
  const double computed = high + error;
  return std::abs(rounded - weight) * computed + std::abs(weight) * error +
         arithmetic.unit * std::abs(rounded) * computed + arithmetic.tiny;
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
      // Pairs of bf16 may be added in any order, so any partial sum may occur.
      const double partial = arithmetic.bf16 ? total : std::max(std::abs(low), std::abs(high)) + slack;
      error += product_error(w, arithmetic.rounded_hidden(w), in.high[k], in.error[k], arithmetic);
      error += arithmetic.unit * (error + partial) + arithmetic.tiny;
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
    error += product_error(w, arithmetic.rounded(w), in.high[k], in.error[k], arithmetic);
  }
  // Lanes of 16 inputs, four halvings and the bias; in fp64 one after the other.
  const double depth = arithmetic.fp64 ? layer.inputs + 1 : (layer.inputs + 15) / 16 + 5;
  const double gamma = depth * arithmetic.unit / (1 - depth * arithmetic.unit);
  if (!(gamma < 0.1) || !(total + error < arithmetic.largest)) return kInfinity;
  return error + gamma * (total + error) + (layer.inputs + depth) * arithmetic.tiny;
}

double error_of(const Mlp& model, const DigitCode& code, const Arithmetic& arithmetic) {
  Units units = first_layer(model, code, arithmetic);
  const std::size_t n_hidden = model.layers.size() - 1;
  for (std::size_t l = 0; l < n_hidden; ++l)
    units = hidden_layer(model.layers[l], Inputs(units, arithmetic, true), arithmetic);
  return score_error(model.layers[n_hidden], Inputs(units, arithmetic, false), arithmetic);
}

}  // namespace

double mlp_error_bound(const Mlp& model, const DigitCode& code, Precision precision) {
  if (precision == Precision::fp64) return 0;
  const double largest = 0x1.fffffep127 * 0.999;
  // Products of bf16 pairs take what is below 2^-126 for zero.
  const bool bf16 = precision == Precision::bf16 && model.layers.size() > 1;
  const Arithmetic fast{0x1p-24, bf16 ? 0x1p-126 : 0x1p-149, largest, bf16, false};
  const Arithmetic definition{0x1p-53, 0x1p-1074, std::numeric_limits<double>::max(), false, true};
  const double own_roundings = 1 + 1e-9;  // of these sums, all of positive numbers
  const double bound = (error_of(model, code, fast) + error_of(model, code, definition)) * own_roundings;
  return bound < kInfinity ? bound : kInfinity;
}

}  // namespace oneproxy::detail
