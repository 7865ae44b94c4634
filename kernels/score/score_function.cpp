#include "oneproxy/kernels/score/score_function.h"

#include <cmath>
#include <string>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

void check_finite(std::span<const double> values, const std::string& what) {
  double sum = 0;                                          // without a branch: a fleet has millions of numbers
  for (const double value : values) sum += value - value;  // 0, or NaN of what is not finite
  if (sum == 0) return;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw Error(what + " has " + std::to_string(values[i]) + " at place " + std::to_string(i) +
                  "; train or import the predictor again");
}

void check_length(std::size_t is, std::size_t should, const std::string& what) {
  if (is != should)
    throw Error(what + " has " + std::to_string(is) + " numbers, its shape needs " + std::to_string(should));
}

void check(const AdditiveTable<double>& table, const DigitCode& code, const std::string& place) {
  check_table(table, code.radices, place + "table");
  check_finite(table.weights, place + "table");
  check_finite(table.bias, place + "bias of the table");
}

void check(const Mlp& mlp, const DigitCode& code, const std::string& place) {
  if (mlp.first_width < 1) throw Error(place + "first layer of width " + std::to_string(mlp.first_width));
  if (mlp.layers.empty()) throw Error(place + "an MLP without a layer after the first; it needs an output");
  check_length(mlp.rows.size(), static_cast<std::size_t>(code.n_rows) * mlp.first_width, place + "first layer");
  check_length(mlp.first_bias.size(), mlp.first_width, place + "bias of the first layer");
  check_finite(mlp.rows, place + "first layer");
  check_finite(mlp.first_bias, place + "bias of the first layer");
  int width = mlp.first_width;
  for (std::size_t l = 0; l < mlp.layers.size(); ++l) {
    const auto& layer = mlp.layers[l];
    const std::string name = "layer " + std::to_string(l + 2);
    if (layer.inputs != width || layer.outputs < 1)
      throw Error(place + name + " maps " + std::to_string(layer.inputs) + " to " + std::to_string(layer.outputs) +
                  " numbers, the layer before has " + std::to_string(width));
    check_length(layer.weights.size(), static_cast<std::size_t>(layer.inputs) * layer.outputs, place + name);
    check_length(layer.bias.size(), layer.outputs, place + "bias of " + name);
    check_finite(layer.weights, place + name);
    check_finite(layer.bias, place + "bias of " + name);
    width = layer.outputs;
  }
  if (width != 1) throw Error(place + "the last layer has " + std::to_string(width) + " outputs, not one");
}

double define(const AdditiveTable<double>& table, const DigitCode& code, const std::uint32_t* digits) {
  return additive_score(table, code.radices, digits);
}

double define(const Mlp& mlp, const DigitCode& code, const std::uint32_t* digits) {
  std::vector<double> h(mlp.first_bias.begin(), mlp.first_bias.end()), next;
  const std::int32_t* rows = code.rows.data();
  for (int d = 0; d < code.n_digits(); rows += static_cast<std::size_t>(code.radices[d]) * code.parts, ++d)
    for (int part = 0; part < code.parts; ++part) {
      const std::int32_t row = rows[static_cast<std::size_t>(digits[d]) * code.parts + part];
      if (row < 0) continue;
      for (int j = 0; j < mlp.first_width; ++j) h[j] += mlp.rows[static_cast<std::size_t>(row) * mlp.first_width + j];
    }
  for (const auto& layer : mlp.layers) {
    next.assign(layer.bias.begin(), layer.bias.end());
    for (int j = 0; j < layer.outputs; ++j)
      for (int i = 0; i < layer.inputs; ++i)
        next[j] += layer.weights[static_cast<std::size_t>(j) * layer.inputs + i] * (h[i] > 0 ? h[i] : 0.0);
    h.swap(next);
  }
  return h[0];
}

}  // namespace

void check_score_function(const ScoreFunction& model, const DigitCode& code, const char* where) {
  std::visit([&](const auto& m) { check(m, code, std::string(where) + ": "); }, model);
}

double score_by_definition(const ScoreFunction& model, const DigitCode& code, const std::uint32_t* digits) {
  return std::visit([&](const auto& m) { return define(m, code, digits); }, model);
}

}  // namespace oneproxy
