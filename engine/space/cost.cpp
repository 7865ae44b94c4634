#include "oneproxy/engine/space/cost.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {
constexpr double kBytes = 4;  // fp32

Cost conv_1x1(double in, double out, double pixels_in, double pixels_out) {
  return {in * out * pixels_out, in * out, kBytes * (in * pixels_in + out * pixels_out)};
}

// Channels between the two layers of a squeeze-and-excitation.
double squeezed_channels(const Operation& op, double in, double mid) {
  if (op.squeeze_of == SqueezeOf::input) return std::max(1.0, std::floor(in / 4));
  // Multiples of 8, rounded to the nearest but not below nine tenths.
  const double quarter = std::floor(mid / 4);
  const double squeeze = std::max(8.0, std::floor((quarter + 4) / 8) * 8);
  return squeeze < 0.9 * quarter ? squeeze + 8 : squeeze;
}

int side_after(const Placement& at) { return (at.resolution + at.stride - 1) / at.stride; }

// Pixels after it: padded, so that odd sides are rounded up.
double pixels_after(const Placement& at) {
  const double side = side_after(at);
  return side * side;
}

// Of one layer, over all `count` occurrences of its placement.
Cost layer_cost(const Operation& op, const Placement& at) {
  const double in = at.in_channels, out = at.out_channels, k2 = op.kernel * op.kernel, g = op.groups;
  const double before = static_cast<double>(at.resolution) * at.resolution;
  const double after = pixels_after(at);
  Cost cost;
  if (op.kind == "none") {
    cost = {};
  } else if (op.kind == "skip") {
    // Identity where shapes agree: nothing is computed or moved. Otherwise a 1x1 projection.
    if (at.in_channels != at.out_channels || at.stride != 1) cost = conv_1x1(in, out, before, after);
  } else if (op.kind == "pool") {
    cost = {0, 0, kBytes * (in * before + out * after)};
  } else if (op.kind == "conv") {
    cost = {k2 * in * out * after / g, k2 * in * out / g + 2 * out, kBytes * (in * before + out * after)};
  } else if (op.kind == "linear") {  // on pooled features
    cost = {in * out, in * out + out, kBytes * (in + out)};
  } else if (op.kind == "mbconv") {
    const double mid = in * op.expansion;
    cost.macs = mid * out * after / g + mid * k2 * after;
    cost.parameters = mid * out / g + mid * k2;
    cost.activation_bytes = kBytes * (mid * before + 2 * mid * after + out * after);
    if (has_expansion(op)) {
      cost.macs += in * mid * before / g;
      cost.parameters += in * mid / g;
      cost.activation_bytes += kBytes * (in * before + mid * before);
    }
    if (op.batch_norm) cost.parameters += 2 * ((has_expansion(op) ? 2 : 1) * mid + out);
    cost += squeeze_excitation_cost(op, at);
  } else {
    throw Error("operation '" + op.name + "' has the unknown kind '" + op.kind +
                "'; known: none, skip, conv, linear, pool, mbconv");
  }
  cost.layers = op.kind == "conv" || op.kind == "mbconv" || op.kind == "linear";
  return {cost.macs * at.count, cost.parameters * at.count, cost.activation_bytes * at.count, cost.layers * at.count};
}
}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  macs += other.macs;
  parameters += other.parameters;
  activation_bytes += other.activation_bytes;
  layers += other.layers;
  return *this;
}

const std::vector<CostMeasure>& cost_measures() {
  static const std::vector<CostMeasure> models = {
      {"model:macs", "MACs", "multiply-accumulates", &Cost::macs},
      {"model:parameters", "parameters", "weights", &Cost::parameters},
      {"model:activation_bytes", "activation traffic", "bytes", &Cost::activation_bytes},
      {"model:layers", "layers", "", &Cost::layers}};
  return models;
}

const CostMeasure& cost_measure(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& model : cost_measures()) {
    if (model.name == name) return model;
    names.push_back(model.name);
  }
  throw Error(unknown_name("model", name, "", names));
}

std::vector<Placement> layer_placements(const Operation& op, const Placement& at) {
  std::vector<Placement> layers{at};
  if (op.repeats == 1) return layers;
  Placement others = at;
  others.in_channels = at.out_channels;
  others.resolution = side_after(at);
  others.stride = 1;
  others.count = at.count * (op.repeats - 1);
  layers.push_back(others);
  return layers;
}

bool has_expansion(const Operation& op) { return op.unit_expansion || op.expansion > 1; }

bool has_squeeze_excitation(const Operation& op, const Placement& at) {
  return op.kind == "mbconv" && (op.squeeze_excitation || at.squeeze_excitation);
}

// Pool, mid -> squeezed -> mid with biases, multiply.
Cost squeeze_excitation_cost(const Operation& op, const Placement& at) {
  if (!has_squeeze_excitation(op, at)) return {};
  const double in = at.in_channels, mid = in * op.expansion, squeezed = squeezed_channels(op, in, mid);
  return {2 * mid * squeezed, 2 * mid * squeezed + squeezed + mid, kBytes * 2 * mid * pixels_after(at)};
}

Cost operation_cost(const Operation& op, const Placement& at) {
  Cost cost;
  for (const auto& layer : layer_placements(op, at)) cost += layer_cost(op, layer);
  return cost;
}

}  // namespace oneproxy
