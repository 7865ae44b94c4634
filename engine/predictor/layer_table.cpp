#include "oneproxy/engine/predictor/layer_table.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The sum, rounded once, so that the order of the layers plays no part: Shewchuk, "Adaptive Precision Floating-Point
// Arithmetic", 1997, as in Python's math.fsum, which the importer of the store that ships uses.
double exact_sum(const std::vector<double>& values) {
  std::vector<double> partials;
  for (double x : values) {
    std::size_t kept = 0;
    for (double y : partials) {
      if (std::abs(x) < std::abs(y)) std::swap(x, y);
      const double high = x + y, low = y - (high - x);
      if (low != 0) partials[kept++] = low;
      x = high;
    }
    partials.resize(kept);
    partials.push_back(x);
  }
  // From the largest down to the first rounding; what is below it decides a tie.
  double sum = 0, low = 0;
  while (!partials.empty() && low == 0) {
    const double x = sum, y = partials.back();
    partials.pop_back();
    sum = x + y;
    low = y - (sum - x);
  }
  if (!partials.empty() && low * partials.back() > 0)
    if (const double up = sum + 2 * low; up - sum == 2 * low) sum = up;
  return sum;
}

int side_after(int side, int stride) { return (side + stride - 1) / stride; }

// The shapes of an inverted residual; `inside`: channels of its expansion.
struct Block {
  int side, in_channels, inside, out_channels, kernel, stride;
  bool squeeze_excitation, hard_swish;
};

// The layers of one file, by their shapes; remembers which of them had a place.
class Layers {
 public:
  explicit Layers(const LayerLatencyFile& file) : file_(file), used_(file.layers.size(), 0) {
    const auto in_channels = [](const LayerLatency& layer) { return layer.expand >= layer.in_channels; };
    const auto first = std::find_if(file.layers.begin(), file.layers.end(), [](const auto& l) { return l.block; });
    if (first == file.layers.end()) throw Error(file.path + ": holds no block (expanded_conv-...)");
    relative_ = !in_channels(*first);
    for (const auto& layer : file.layers)
      if (layer.block && (in_channels(layer) == relative_ || (!relative_ && layer.expand % layer.in_channels != 0)))
        throw Error(file.location(layer) + ": expand:" + std::to_string(layer.expand) + " of " +
                    std::to_string(layer.in_channels) + " channels; in a file `expand` is a factor throughout, or a " +
                    "whole multiple of the channels throughout");
  }

  // NaN where there is none. Of two that differ in h-swish only, the one of the place; else the one there is.
  double block(const Block& wanted) {
    std::ptrdiff_t found = -1;
    for (std::size_t i = 0; i < used_.size(); ++i) {
      const auto& layer = file_.layers[i];
      const std::int64_t inside = std::int64_t{layer.expand} * (relative_ ? layer.in_channels : 1);
      const bool shortcut = wanted.stride == 1 && wanted.in_channels == wanted.out_channels;
      if (!layer.block || layer.in_side != wanted.side || layer.in_channels != wanted.in_channels ||
          layer.out_side != side_after(wanted.side, wanted.stride) || layer.out_channels != wanted.out_channels ||
          inside != wanted.inside || layer.kernel != wanted.kernel || layer.stride != wanted.stride ||
          layer.shortcut != shortcut || layer.squeeze_excitation != wanted.squeeze_excitation)
        continue;
      used_[i] = 1;
      if (found < 0 || layer.hard_swish == wanted.hard_swish) found = static_cast<std::ptrdiff_t>(i);
    }
    return found < 0 ? kNan : file_.layers[found].mean;
  }

  // A layer that is no block; side 0: any. The kernel is not in its key.
  double plain(int side, int in_channels, int out_side, int out_channels) {
    for (std::size_t i = 0; i < used_.size(); ++i) {
      const auto& layer = file_.layers[i];
      if (layer.block || (side > 0 && layer.in_side != side) || layer.in_channels != in_channels ||
          layer.out_side != out_side || layer.out_channels != out_channels)
        continue;
      used_[i] = 1;
      return layer.mean;
    }
    return kNan;
  }

  // "" where every layer had a place.
  std::string unused() const {
    const auto n = std::count(used_.begin(), used_.end(), 0);
    if (n == 0) return "";
    const auto& first = file_.layers[std::find(used_.begin(), used_.end(), 0) - used_.begin()];
    return file_.location(first) + ": " + first.key + (n == 1 ? "" : " and " + std::to_string(n - 1) + " more") +
           " of the file are no layers of the space, and are not used";
  }

 private:
  const LayerLatencyFile& file_;
  std::vector<char> used_;
  bool relative_ = false;
};

// Of one choice at all its places.
double choice_latency(Layers& layers, const Operation& op, const std::vector<Placement>& places) {
  std::vector<double> sum;
  std::vector<Placement> layer_places;  // of an operation of several layers
  for (const auto& place : places)
    for (const auto& at : layer_placements(op, place)) layer_places.push_back(at);
  for (const auto& at : layer_places) {
    double latency = kNan;
    if (op.kind == "none") {
      latency = 0;
    } else if (op.kind == "skip") {
      latency =
          at.in_channels == at.out_channels && at.stride == 1
              ? 0
              : layers.plain(at.resolution, at.in_channels, side_after(at.resolution, at.stride), at.out_channels);
    } else if (op.kind == "mbconv" && op.groups == 1) {
      latency = layers.block({at.resolution, at.in_channels, at.in_channels * op.expansion, at.out_channels, op.kernel,
                              at.stride, has_squeeze_excitation(op, at), at.hard_swish});
    }
    sum.push_back(latency * at.count);
  }
  return exact_sum(sum);
}

// The layers that are the same for all, in their order: a depthwise convolution and the projection behind it (with a
// 1x1 expansion before it where there is one) are one block of a file. A pooling before a linear layer has an entry in
// some files; no space declares it, as it has no multiply-accumulates.
double fixed_latency(Layers& layers, const std::vector<FixedLayer>& fixed, const std::string& file) {
  const auto depthwise = [&](std::size_t i) {
    return i + 1 < fixed.size() && fixed[i].operation.groups > 1 &&
           fixed[i].operation.groups == fixed[i].placement.in_channels && fixed[i + 1].operation.kernel == 1 &&
           fixed[i + 1].operation.kind == "conv";
  };
  std::vector<double> sum;
  auto add = [&](double latency, const FixedLayer& layer) {
    if (std::isnan(latency)) {
      const auto& at = layer.placement;
      throw Error(file + ": has no entry for the layer '" + layer.operation.name + "' of the space, from " +
                  std::to_string(at.resolution) + "x" + std::to_string(at.resolution) + "x" +
                  std::to_string(at.in_channels) + " to " + std::to_string(at.out_channels) +
                  " channels, which every network has; add it");
    }
    sum.push_back(latency);
  };
  for (std::size_t i = 0; i < fixed.size(); ++i) {
    const auto& at = fixed[i].placement;
    const std::size_t middle = fixed[i].operation.kind == "conv" && fixed[i].operation.kernel == 1 ? i + 1 : i;
    if (middle < fixed.size() && depthwise(middle)) {
      const auto& wide = fixed[middle].placement;
      add(layers.block({at.resolution, at.in_channels, wide.in_channels, fixed[middle + 1].placement.out_channels,
                        fixed[middle].operation.kernel, wide.stride, false, false}),
          fixed[i]);
      i = middle + 1;
    } else if (fixed[i].operation.kind == "linear") {
      add(layers.plain(0, at.in_channels, 1, at.out_channels), fixed[i]);
    } else {
      const int after = side_after(at.resolution, at.stride);
      add(layers.plain(at.resolution, at.in_channels, after, at.out_channels), fixed[i]);
      if (i + 1 < fixed.size() && fixed[i + 1].operation.kind == "linear" && after > 1)
        if (const double pool = layers.plain(after, at.out_channels, 1, at.out_channels); !std::isnan(pool))
          sum.push_back(pool);
    }
  }
  return exact_sum(sum);
}

// The table of a resolution (0 where it is no decision) that a file is for.
int table_of(const SearchSpace& space, const LayerLatencies& one, std::size_t n_files) {
  const auto& known = space.resolutions();
  if (known.empty()) {
    if (n_files == 1) return 0;
    throw Error(one.file.path + ": is one of " + std::to_string(n_files) + " files, and space " + space.name() +
                " has one resolution only; give one file");
  }
  const auto found = std::find(known.begin(), known.end(), one.resolution);
  if (found == known.end())
    throw Error(one.file.path + ": is of resolution " + std::to_string(one.resolution) + ", which space " +
                space.name() + " does not have (it has " + std::to_string(known.size()) + " from " +
                std::to_string(known.front()) + " to " + std::to_string(known.back()) + "); leave the file out");
  return static_cast<int>(found - known.begin());
}

}  // namespace

LayerTable table_of_layers(const SearchSpace& space, const std::vector<LayerLatencies>& files) {
  const auto& last = space.decisions().back().choices;
  if (std::none_of(last.begin(), last.end(), [](const Choice& c) { return c.operation.kind == "mbconv"; }))
    throw Error(
        "space " + space.name() +
        " has no blocks of kind mbconv with shapes, which the keys of such a file name; give a CSV with columns "
        "decision,choice,value");
  const std::size_t n_tables = std::max<std::size_t>(1, space.resolutions().size());
  const std::size_t width = std::accumulate(space.radices().begin(), space.radices().end(), std::size_t{0});
  LayerTable result;
  auto& table = result.table;
  table.space = space.name();
  table.radices.assign(space.radices().begin(), space.radices().end());
  table.weights.assign(n_tables * width, kNan);
  table.bias.assign(n_tables, kNan);
  for (const auto& one : files) {
    const int t = table_of(space, one, files.size());
    if (!std::isnan(table.bias[t]))
      throw Error(one.file.path + ": is the second file of resolution " + std::to_string(one.resolution));
    Layers layers(one.file);
    auto weight = table.weights.begin() + static_cast<std::ptrdiff_t>(t * width);
    for (int d = 0; d < space.n_decisions(); ++d)
      for (const auto& choice : space.decisions()[d].choices)
        *weight++ = choice_latency(layers, choice.operation, space.placements(d, t));
    table.bias[t] = fixed_latency(layers, space.fixed_layers(t), one.file.path);
    if (const auto unused = layers.unused(); !unused.empty()) result.remarks.push_back(unused);
  }
  return result;
}

}  // namespace oneproxy
