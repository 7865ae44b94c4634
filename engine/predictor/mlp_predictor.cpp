#include "oneproxy/engine/predictor/mlp_predictor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/predictor/code_layout.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr const char* kFormat = "oneproxy-predictor";
constexpr std::int64_t kSchema = 2;  // 1 had no checksum over the attributes

void check_finite(const std::vector<double>& values, const std::string& what) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw Error(what + " holds " + (std::isnan(values[i]) ? "NaN" : "an infinite number") + " at place " +
                  std::to_string(i) + "; train or fetch the predictor again");
}

void check(const MlpPredictor& p, const std::string& where) {
  const auto n_rows = static_cast<std::size_t>(std::accumulate(p.radices.begin(), p.radices.end(), 0));
  const auto fault = [&](const std::string& what) { return Error(where + ": " + what); };
  if (p.radices.empty() || p.first_width < 1 || p.layers.empty())
    throw fault("a predictor has decisions, a first layer and at least one more");
  if (p.rows.size() != n_rows * p.first_width || p.first_bias.size() != static_cast<std::size_t>(p.first_width))
    throw fault("the first layer has " + std::to_string(p.rows.size()) + " weights, " + std::to_string(n_rows) +
                " inputs and " + std::to_string(p.first_width) + " outputs need " +
                std::to_string(n_rows * p.first_width));
  check_finite(p.rows, where + ": the first layer");
  check_finite(p.first_bias, where + ": the bias of the first layer");
  int width = p.first_width;
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    const auto& layer = p.layers[l];
    const std::string name = "layer " + std::to_string(l + 2);
    if (layer.inputs != width || layer.outputs < 1 ||
        layer.weights.size() != static_cast<std::size_t>(layer.inputs) * layer.outputs ||
        layer.bias.size() != static_cast<std::size_t>(layer.outputs))
      throw fault(name + " does not fit the " + std::to_string(width) + " outputs before it");
    check_finite(layer.weights, where + ": " + name);
    check_finite(layer.bias, where + ": the bias of " + name);
    width = layer.outputs;
  }
  if (width != 1) throw fault("the last layer has " + std::to_string(width) + " outputs, a predictor has one");
  if (!std::isfinite(p.output_offset) || !std::isfinite(p.output_scale))
    throw fault("its output offset or scale is not a number");
}

}  // namespace

void MlpPredictor::predict(std::span<const std::uint8_t> choices, std::span<double> values) const {
  ONEPROXY_ASSERT(choices.size() == values.size() * radices.size());
  std::vector<double> in, out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out = first_bias;
    std::size_t row = 0;
    for (std::size_t d = 0; d < radices.size(); row += radices[d++]) {
      const auto choice = choices[i * radices.size() + d];
      ONEPROXY_ASSERT(choice < radices[d]);
      for (int j = 0; j < first_width; ++j) out[j] += rows[(row + choice) * first_width + j];
    }
    for (const auto& layer : layers) {
      in.swap(out);
      for (auto& x : in) x = std::max(x, 0.0);
      out = layer.bias;
      for (int o = 0; o < layer.outputs; ++o)
        for (int k = 0; k < layer.inputs; ++k) out[o] += layer.weights[std::size_t(o) * layer.inputs + k] * in[k];
    }
    const double value = output_offset + output_scale * out[0];
    values[i] = log_target ? std::exp(value) : value;
  }
}

Mlp MlpPredictor::view(Dense& last) const {
  last = layers.back();
  for (auto& w : last.weights) w *= output_scale;
  for (auto& b : last.bias) b = output_offset + output_scale * b;
  Mlp mlp{first_width, rows, first_bias, {}};
  for (std::size_t l = 0; l + 1 < layers.size(); ++l)
    mlp.layers.push_back({layers[l].inputs, layers[l].outputs, layers[l].weights, layers[l].bias});
  mlp.layers.push_back({last.inputs, last.outputs, last.weights, last.bias});
  return mlp;
}

std::string checksum(const MlpPredictor& p) {
  std::string sums = p.space + "\n" + sha256_of(std::span(p.radices)) + sha256_of(std::span(p.rows)) +
                     sha256_of(std::span(p.first_bias)) + (p.log_target ? "log" : "");
  for (const auto& layer : p.layers) sums += sha256_of(std::span(layer.weights)) + sha256_of(std::span(layer.bias));
  const std::vector<double> output = {p.output_offset, p.output_scale};
  return sha256_hex(sums + sha256_of(std::span(output)));
}

void check_predictor(const MlpPredictor& predictor, const SearchSpace& space, const std::string& where) {
  check_layout(predictor.space, predictor.radices, space, where);
}

void write_predictor(H5File& file, const std::string& group, const MlpPredictor& p) {
  check(p, file.path() + ":" + group);
  if (group != "/") file.remove(group);
  for (const auto& [name, value] : p.record) file.set_attribute(group, name, value);
  file.set_attribute(group, "format", std::string(kFormat));
  file.set_attribute(group, "schema_version", kSchema);
  file.set_attribute(group, "sha256", checksum(p));
  file.set_attribute(group, "space", p.space);
  file.set_attribute(group, "target", p.target);
  file.set_attribute(group, "unit", p.unit);
  file.set_attribute(group, "log_target", std::int64_t{p.log_target});
  file.set_attribute(group, "output_offset", p.output_offset);
  file.set_attribute(group, "output_scale", p.output_scale);
  file.set_attribute(group, "n_layers", static_cast<std::int64_t>(p.layers.size()));
  const auto n_decisions = static_cast<std::int64_t>(p.radices.size());
  const std::int64_t width = p.first_width;
  const std::int64_t rows[] = {static_cast<std::int64_t>(p.rows.size()) / width, width};
  file.write(below(group, "radices"), p.radices, std::span(&n_decisions, 1));
  file.write(below(group, "first/rows"), p.rows, rows);
  file.write(below(group, "first/bias"), p.first_bias, std::span(&width, 1));
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    const auto& layer = p.layers[l];
    const std::int64_t shape[] = {layer.outputs, layer.inputs};
    const std::string base = below(group, "layer" + std::to_string(l + 2));
    file.write(base + "/weights", layer.weights, shape);
    file.write(base + "/bias", layer.bias, std::span(shape, 1));
  }
}

MlpPredictor read_predictor(const H5File& file, const std::string& group) {
  const std::string where = file.path() + (group == "/" ? "" : ":" + group);
  AttributeReader attributes(file.attributes(group), where, "it is no predictor, or damaged");
  if (attributes.text("format") != kFormat)
    throw Error(where +
                ": is no predictor; `oneproxy import --predictor` or `oneproxy train` make one (of a look-up table: " +
                "table:FILE)");
  const auto version = attributes.integer("schema_version");
  if (version < 1 || version > kSchema)
    throw Error(where + ": has schema " + std::to_string(version) + ", this program reads up to " +
                std::to_string(kSchema) + "; use another oneproxy");
  const std::string sum = version > 1 ? attributes.text("sha256") : "";
  MlpPredictor p;
  p.space = attributes.text("space");
  p.target = attributes.text("target");
  p.unit = attributes.text("unit");
  p.log_target = attributes.integer("log_target") != 0;
  p.output_offset = attributes.number("output_offset");
  p.output_scale = attributes.number("output_scale");
  const auto n_layers = attributes.integer("n_layers");
  p.record = attributes.rest();
  p.radices = file.read_bytes(below(group, "radices"));
  p.rows = file.read_doubles(below(group, "first/rows"));
  p.first_bias = file.read_doubles(below(group, "first/bias"));
  p.first_width = static_cast<int>(p.first_bias.size());
  int width = p.first_width;
  for (std::int64_t l = 0; l < n_layers; ++l) {
    const std::string base = below(group, "layer" + std::to_string(l + 2));
    Dense layer{width, 0, file.read_doubles(base + "/weights"), file.read_doubles(base + "/bias")};
    layer.outputs = width = static_cast<int>(layer.bias.size());
    p.layers.push_back(std::move(layer));
  }
  check(p, where);
  if (version > 1 && sum != checksum(p))
    throw Error(where + ": does not match its checksum; the file is damaged, import or train the predictor again");
  return p;
}

MlpPredictor load_predictor(const std::string& path) { return read_predictor(H5File(path, H5Mode::read), "/"); }

}  // namespace oneproxy
