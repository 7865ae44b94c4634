#include "oneproxy/engine/space/space.h"

#include <algorithm>
#include <limits>

#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kMost = 1 << 20;
constexpr std::uint64_t kMostDigitValues = 1 << 22;  // of a stage; they are listed

int positive(Config& table, const std::string& key, std::optional<std::int64_t> value, const std::string& meaning) {
  return static_cast<int>(table.integer(key, value, 1, kMost, meaning));
}

std::vector<Operation> read_operations(Config& file) {
  std::vector<Operation> operations;
  for (auto& table : file.tables("operation", "an operation that a decision may choose")) {
    Operation op;
    op.name = table.text("name", std::nullopt, "its name in architecture strings");
    op.kind = table.one_of("kind", std::nullopt, {"none", "skip", "conv", "pool", "mbconv"}, "what it computes");
    op.kernel = static_cast<int>(table.integer("kernel", 1, 1, 99, "kernel size"));
    op.expansion = static_cast<int>(table.integer("expansion", 1, 1, 99, "expansion of channels"));
    op.groups = static_cast<int>(table.integer("groups", 1, 1, 9999, "groups of its 1x1 convolutions"));
    operations.push_back(op);
  }
  if (operations.empty()) throw Error(file.file() + ": declares no [[operation]]");
  if (operations.size() > std::numeric_limits<std::uint8_t>::max())
    throw Error(file.file() + ": declares more than 255 operations");
  return operations;
}

// Shapes of the network on one data set, as the file gives them: sides are in pixels of a fixed input, or parts of the
// input where its resolution is a decision.
struct Geometry {
  Cost fixed;                      // given as numbers
  std::vector<FixedLayer> layers;  // fixed too, given as shapes; with a divisor of the input where `relative`
  std::vector<Placement> cell;     // repeated cells
  std::vector<Placement> chain;    // one a layer
  std::vector<Stage> stages;
};

Geometry read_geometry(Config& table, bool relative) {
  Geometry geometry;
  geometry.fixed.macs = table.number("fixed_macs", 0.0, 0, 1e18, "of what is the same for all architectures");
  geometry.fixed.parameters = table.number("fixed_parameters", 0.0, 0, 1e18, "of what is the same for all");
  const std::string side = relative ? "reduction" : "resolution";
  const std::string meaning = relative ? "side of the input over the layer's" : "pixels a side";
  for (auto& entry : table.tables("fixed", "a layer that is the same for all architectures")) {
    FixedLayer layer;
    layer.operation.name = entry.text("name", std::nullopt, "its name");
    layer.operation.kind = entry.one_of("kind", "conv", {"conv", "linear"}, "what it computes");
    layer.operation.kernel = static_cast<int>(entry.integer("kernel", 1, 1, 99, "kernel size"));
    layer.operation.groups = static_cast<int>(entry.integer("groups", 1, 1, 9999, "groups"));
    layer.placement.in_channels = positive(entry, "in_channels", std::nullopt, "channels before it");
    layer.placement.out_channels = positive(entry, "channels", std::nullopt, "channels after it");
    layer.placement.stride = positive(entry, "stride", 1, "stride");
    layer.placement.resolution = positive(entry, side, 1, meaning);
    geometry.layers.push_back(layer);
  }
  for (auto& place : table.tables("placement", "widths and resolutions at which a cell stands")) {
    const int channels = positive(place, "channels", std::nullopt, "channels");
    const int resolution = positive(place, "resolution", std::nullopt, "pixels a side");
    geometry.cell.push_back({channels, channels, 1, resolution, positive(place, "count", 1, "cells")});
  }
  int channels = positive(table, "input_channels", 1, "channels before the first layer");
  int resolution = positive(table, "input_" + side, 1, meaning + ", before the first layer");
  for (auto& entry : table.tables("stage", "layers of one width")) {
    const int out = positive(entry, "channels", std::nullopt, "channels");
    const int layers = positive(entry, "layers", std::nullopt, "layers");
    int stride = positive(entry, "stride", 1, "stride of its first layer");
    const int depth = static_cast<int>(
        entry.integer("smallest_depth", 0, 0, layers, "its first layers that are always there; 0: it has no depth"));
    const bool squeeze = entry.flag("squeeze_excitation", false, "in each of its blocks");
    const bool hard_swish = entry.flag("hard_swish", false, "its blocks activate with h-swish, not ReLU");
    const std::string name = "stage " + std::to_string(geometry.stages.size() + 1);
    if (depth > 0) geometry.stages.push_back({name, static_cast<int>(geometry.chain.size()), layers, depth});
    for (int layer = 0; layer < layers; ++layer, stride = 1) {
      geometry.chain.push_back({channels, out, stride, resolution, 1, squeeze, hard_swish});
      channels = out;
      resolution = relative ? resolution * stride : resolution / stride;
    }
  }
  if (!geometry.stages.empty()) {
    const auto& last = geometry.stages.back();
    int covered = 0;
    for (const auto& stage : geometry.stages) covered += stage.n_decisions;
    if (covered != static_cast<int>(geometry.chain.size()) || last.first_decision + last.n_decisions != covered)
      throw Error(table.file() + ": some stages have a smallest_depth and others have none; give it to all of them");
  }
  return geometry;
}

// The side of a layer's input where the network's input has `resolution` pixels: halved, rounded up, step by step.
Placement at_resolution(Placement placement, int resolution) {
  int side = resolution;
  for (int reduction = placement.resolution; reduction > 1; reduction /= 2) side = (side + 1) / 2;
  placement.resolution = side;
  return placement;
}

}  // namespace

SearchSpace SearchSpace::load(const std::string& name, const std::string& geometry) {
  const auto path = space_file(name);
  Config file = Config::load(path, {});
  SearchSpace space;
  space.name_ = file.text("name", std::nullopt, "name of the space");
  space.string_form_ =
      file.one_of("string_form", std::nullopt, {"cell", "list", "stages"}, "form of an architecture string");
  for (const auto pixels : file.integers("resolutions", {}, 8, kMost, "sides of the input, where they are a decision"))
    space.resolutions_.push_back(static_cast<int>(pixels));
  if (space.resolutions_.size() > std::numeric_limits<std::uint8_t>::max() ||
      !std::is_sorted(space.resolutions_.begin(), space.resolutions_.end(), std::less_equal<>()))
    throw Error(file.place("resolutions") + ": resolutions should be at most 255 rising numbers");
  space.operations_ = read_operations(file);
  for (auto& table : file.tables("decision", "an edge of the cell")) {
    Decision decision;
    decision.name = table.text("name", std::nullopt, "its name");
    decision.from = static_cast<int>(table.integer("from", -1, 0, 99, "node where the edge begins"));
    decision.to = static_cast<int>(table.integer("to", -1, 1, 99, "node where the edge ends"));
    space.decisions_.push_back(decision);
  }

  // The chosen geometry gives every decision its places in the network.
  const bool relative = !space.resolutions_.empty();
  Geometry chosen;
  for (auto& table : file.tables("geometry", "shapes of the network on one data set")) {
    const auto known = table.text("name", std::nullopt, "data set");
    space.geometries_.push_back(known);
    Geometry shapes = read_geometry(table, relative);
    if (!(geometry.empty() ? space.geometries_.size() == 1 : geometry == known)) continue;
    space.geometry_ = known;
    chosen = std::move(shapes);
  }
  file.finish();
  if (space.geometry_.empty()) throw Error(unknown_name("geometry", geometry, path, space.geometries_));

  std::vector<std::vector<Placement>> places(space.decisions_.size(), chosen.cell);
  if (space.decisions_.empty()) {
    if (relative) {
      space.decisions_.push_back({"resolution", -1, -1, {}});
      places.emplace_back();
    }
    for (auto& stage : chosen.stages) stage.first_decision += relative;
    space.stages_ = chosen.stages;
    for (std::size_t i = 0; i < chosen.chain.size(); ++i) {
      space.decisions_.push_back({"layer " + std::to_string(i), -1, -1, {}});
      places.push_back({chosen.chain[i]});
    }
    for (const auto& stage : space.stages_)
      for (int b = 0; b < stage.n_decisions; ++b)
        space.decisions_[stage.first_decision + b].name = stage.name + " block " + std::to_string(b + 1);
    if ((space.string_form_ == "stages") != !space.stages_.empty() || (relative && space.stages_.empty()))
      throw Error(path + ": string_form \"stages\" and resolutions belong to stages with a smallest_depth");
  }
  if (space.decisions_.size() <= static_cast<std::size_t>(relative))
    throw Error(path + ": declares neither [[decision]] nor a geometry with stages");

  // Costs at every resolution; a choice shows those of the largest, which comes last.
  const std::vector<int> sides = relative ? space.resolutions_ : std::vector<int>{0};
  for (const int side : sides) {
    auto placed = [&](const Placement& at) { return relative ? at_resolution(at, side) : at; };
    Cost fixed = chosen.fixed;
    auto& layers = space.fixed_layers_.emplace_back();
    for (const auto& layer : chosen.layers) {
      layers.push_back({layer.operation, placed(layer.placement)});
      fixed += operation_cost(layer.operation, layers.back().placement);
    }
    space.fixed_.push_back(fixed);
    for (std::size_t d = 0; d < space.decisions_.size(); ++d) {
      auto& here = space.places_.emplace_back();
      for (const auto& at : places[d]) here.push_back(placed(at));
      auto& choices = space.decisions_[d].choices;
      choices.clear();
      if (relative && d == 0) {
        for (const int pixels : sides) choices.push_back({{"r=" + std::to_string(pixels), "none"}, {}, {}});
      } else {
        for (const auto& op : space.operations_) {
          Choice choice{op, here, {}};
          for (const auto& at : here) choice.cost += operation_cost(op, at);
          choices.push_back(choice);
        }
      }
      if (relative)
        for (const auto& choice : choices) space.block_costs_.push_back(choice.cost);
    }
  }
  for (const auto& decision : space.decisions_)
    space.radices_.push_back(static_cast<std::uint8_t>(decision.choices.size()));
  space.make_digits();
  return space;
}

// A stage is one digit: its depths one after the other, smallest first, and within a depth the mixed radix of the
// active blocks. Every other decision is a digit of its own.
void SearchSpace::make_digits() {
  std::vector<int> first_row;
  for (const auto radix : radices_) {
    first_row.push_back(n_rows_);
    n_rows_ += radix;
  }
  auto stage = stages_.begin();
  for (int d = 0; d < n_decisions();) {
    Digit digit{decisions_[d].name, d, 1, radices_[d], {}};
    if (stage != stages_.end() && stage->first_decision == d) {
      const std::uint64_t variants = radices_[d] - 1;
      std::uint64_t values = 0, of_depth = 1;
      for (int depth = 1; depth <= stage->n_decisions; ++depth) {
        of_depth *= variants;
        if (depth >= stage->smallest_depth) values += of_depth;
        if (values > kMostDigitValues || of_depth > kMostDigitValues)
          throw Error(name_ + ": " + stage->name + " has more than " + std::to_string(kMostDigitValues) +
                      " variants; declare it in parts");
      }
      digit.name = stage->name;
      digit.n_decisions = stage->n_decisions;
      digit.radix = static_cast<std::uint32_t>(values);
      of_depth = 1;
      for (int depth = 1; depth <= stage->n_decisions; ++depth) {
        of_depth *= variants;
        if (depth < stage->smallest_depth) continue;
        for (std::uint64_t value = 0; value < of_depth; ++value) {
          std::vector<std::uint8_t> blocks(stage->n_decisions, 0);
          std::uint64_t rest = value;
          for (int b = depth - 1; b >= 0; --b, rest /= variants)
            blocks[b] = static_cast<std::uint8_t>(1 + rest % variants);
          digit.values.insert(digit.values.end(), blocks.begin(), blocks.end());
        }
      }
      ++stage;
    } else {
      for (int c = 0; c < radices_[d]; ++c) digit.values.push_back(static_cast<std::uint8_t>(c));
    }
    parts_ = std::max(parts_, digit.n_decisions);
    d += digit.n_decisions;
    digit_radices_.push_back(digit.radix);
    digits_.push_back(std::move(digit));
  }
  size_ = 1;
  for (const auto& digit : digits_) {
    if (size_ > std::numeric_limits<ArchIndex>::max() / digit.radix)
      throw Error(name_ + ": has more than 2^128 architectures");
    size_ *= digit.radix;
    for (std::uint32_t value = 0; value < digit.radix; ++value)
      for (int part = 0; part < parts_; ++part)
        code_rows_.push_back(part < digit.n_decisions ? first_row[digit.first_decision + part] +
                                                            digit.values[value * digit.n_decisions + part]
                                                      : -1);
  }
}

std::string SearchSpace::fault(std::span<const std::uint8_t> choices) const {
  if (choices.size() != radices_.size())
    return std::to_string(choices.size()) + " decisions, space " + name_ + " has " + std::to_string(radices_.size());
  for (int d = 0; d < n_decisions(); ++d)
    if (choices[d] >= radices_[d])
      return "choice " + std::to_string(choices[d]) + " of " + decisions_[d].name + ", space " + name_ + " has " +
             std::to_string(radices_[d]);
  for (const auto& stage : stages_) {
    const auto blocks = choices.subspan(stage.first_decision, stage.n_decisions);
    const auto inactive = std::find(blocks.begin(), blocks.end(), 0);
    const auto depth = inactive - blocks.begin();
    const auto hole = std::find_if(inactive, blocks.end(), [](std::uint8_t choice) { return choice != 0; });
    if (hole != blocks.end())
      return "block " + std::to_string(hole - blocks.begin() + 1) + " of " + stage.name + " is active after block " +
             std::to_string(depth + 1) + ", which is not; the active blocks of a stage come first";
    if (depth < stage.smallest_depth)
      return stage.name + " has " + std::to_string(depth) + " active blocks; it needs " +
             std::to_string(stage.smallest_depth) + " to " + std::to_string(stage.n_decisions);
  }
  return "";
}

std::vector<std::uint32_t> SearchSpace::digits_of(std::span<const std::uint8_t> choices) const {
  if (const auto what = fault(choices); !what.empty()) throw Error("architecture of " + name_ + ": " + what);
  std::vector<std::uint32_t> digits;
  auto stage = stages_.begin();
  for (const auto& digit : digits_) {
    const auto blocks = choices.subspan(digit.first_decision, digit.n_decisions);
    if (stage == stages_.end() || stage->first_decision != digit.first_decision) {
      digits.push_back(blocks[0]);
      continue;
    }
    const std::uint32_t variants = radices_[digit.first_decision] - 1;
    std::uint32_t value = 0, shallower = 0, of_depth = 1;
    for (int b = 0; b < stage->n_decisions && blocks[b] != 0; ++b) {
      if (b >= stage->smallest_depth) shallower += of_depth;
      of_depth *= variants;
      value = value * variants + (blocks[b] - 1u);
    }
    digits.push_back(shallower + value);
    ++stage;
  }
  return digits;
}

std::vector<std::uint8_t> SearchSpace::choices_of(std::span<const std::uint32_t> digits) const {
  ONEPROXY_ASSERT(digits.size() == digits_.size());
  std::vector<std::uint8_t> choices;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    ONEPROXY_ASSERT(digits[i] < digits_[i].radix);
    const auto value = digits_[i].values.begin() + std::size_t{digits[i]} * digits_[i].n_decisions;
    choices.insert(choices.end(), value, value + digits_[i].n_decisions);
  }
  return choices;
}

ArchIndex SearchSpace::index(std::span<const std::uint8_t> choices) const {
  return encode_digits(digits_of(choices).data(), digit_radices_.data(), static_cast<int>(digits_.size()));
}

std::vector<std::uint8_t> SearchSpace::choices(ArchIndex index) const {
  if (index >= size_)
    throw Error("index " + to_decimal(index) + " is not below the size of " + name_ + ", " + to_decimal(size_));
  std::vector<std::uint32_t> digits(digits_.size());
  decode_digits(index, digit_radices_.data(), static_cast<int>(digits.size()), digits.data());
  return choices_of(digits);
}

Cost SearchSpace::cost(std::span<const std::uint8_t> choices) const {
  ONEPROXY_ASSERT(choices.size() == radices_.size());
  if (resolutions_.empty()) {
    Cost total = fixed_.front();
    for (int d = 0; d < n_decisions(); ++d) total += decisions_[d].choices[choices[d]].cost;
    return total;
  }
  Cost total = fixed_[choices[0]];
  const Cost* row = block_costs_.data() + std::size_t{choices[0]} * n_rows_;
  for (int d = 0; d < n_decisions(); row += radices_[d++]) total += row[choices[d]];
  return total;
}

}  // namespace oneproxy
