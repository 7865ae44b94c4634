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

// Squeeze-and-excitation as in MobileNetV3: pool, mid -> mid/4 -> mid with biases, multiply. Widths of the
// bottleneck are multiples of 8, rounded to the nearest but not below nine tenths.
Cost squeeze_excitation(double mid, double pixels) {
  const double quarter = std::floor(mid / 4);
  double squeeze = std::max(8.0, std::floor((quarter + 4) / 8) * 8);
  if (squeeze < 0.9 * quarter) squeeze += 8;
  return {2 * mid * squeeze, 2 * mid * squeeze + squeeze + mid, kBytes * 2 * mid * pixels};
}
// Pixels after it: padded, so that odd sides are rounded up.
double pixels_after(const Placement& at) {
  const double side = (at.resolution + at.stride - 1) / at.stride;
  return side * side;
}
}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  macs += other.macs;
  parameters += other.parameters;
  activation_bytes += other.activation_bytes;
  return *this;
}

const std::vector<CostMeasure>& cost_measures() {
  static const std::vector<CostMeasure> models = {
      {"model:macs", "MACs", "multiply-accumulates", &Cost::macs},
      {"model:parameters", "parameters", "weights", &Cost::parameters},
      {"model:activation_bytes", "activation traffic", "bytes", &Cost::activation_bytes}};
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

Cost squeeze_excitation_cost(const Operation& op, const Placement& at) {
  if (!at.squeeze_excitation || op.kind != "mbconv") return {};
  return squeeze_excitation(at.in_channels * op.expansion, pixels_after(at));
}

Cost operation_cost(const Operation& op, const Placement& at) {
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
    cost.macs = (in * mid * before + mid * out * after) / g + mid * k2 * after;
    cost.parameters = (in * mid + mid * out) / g + mid * k2;
    cost.activation_bytes = kBytes * (in * before + 2 * mid * before + 2 * mid * after + out * after);
    cost += squeeze_excitation_cost(op, at);
  } else {
    throw Error("operation '" + op.name + "' has the unknown kind '" + op.kind +
                "'; known: none, skip, conv, linear, pool, mbconv");
  }
  return {cost.macs * at.count, cost.parameters * at.count, cost.activation_bytes * at.count};
}

}  // namespace oneproxy
