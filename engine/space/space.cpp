#include "oneproxy/engine/space/space.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/engine/space/subspace.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::uint64_t kMaxDigitValues = 1 << 20;  // of all stages; they are listed

// The side of a layer's input where the network's input has `resolution` pixels: halved, rounded up, step by step.
Placement at_resolution(Placement placement, int resolution) {
  int side = resolution;
  for (int reduction = placement.resolution; reduction > 1; reduction /= 2) side = (side + 1) / 2;
  placement.resolution = side;
  return placement;
}

}  // namespace

SearchSpace SearchSpace::load(const std::string& name_or_file, const std::string& geometry) {
  if (names_space_file(name_or_file)) return load_file(name_or_file, geometry);
  SearchSpace space = load_file(space_file(name_or_file), geometry);
  space.reference_ = name_or_file;
  return space;
}

SearchSpace SearchSpace::load_file(const std::string& path, const std::string& geometry) {
  SearchSpace space(read_space_file(path, geometry));
  SubSpace::of(space);  // its errors come here, not where the part is used
  return space;
}

SearchSpace::SearchSpace(const SpaceDeclaration& declared)
    : name_(declared.name),
      reference_(declared.file),
      checksum_(declared.checksum),
      geometry_(declared.geometry),
      string_form_(declared.string_form),
      whole_(declared.whole),
      measured_set_(declared.measured_set),
      geometries_(declared.geometries),
      kept_(declared.kept),
      operations_(declared.operations),
      resolutions_(declared.resolutions),
      list_(declared.list) {
  // The geometry gives every decision its placements in the network.
  const bool relative = !resolutions_.empty();
  const auto& shapes = declared.shapes;
  std::vector<std::size_t> all(operations_.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<std::vector<Placement>> placements(declared.decisions.size(), shapes.cell);
  std::vector<std::vector<std::size_t>> allowed(declared.decisions.size(), all);  // operations of each decision
  for (const auto& decision : declared.decisions) decisions_.push_back({decision.name, decision.from, decision.to, {}});
  if (decisions_.empty()) {
    if (relative) {
      decisions_.push_back({"resolution", -1, -1, {}});
      placements.emplace_back();
      allowed.emplace_back();
    }
    stages_ = shapes.stages;
    for (auto& stage : stages_) stage.first_decision += relative;
    const bool repeated =
        std::any_of(operations_.begin(), operations_.end(), [](const Operation& op) { return op.repeats > 1; });
    for (std::size_t i = 0; i < shapes.chain.size(); ++i) {
      decisions_.push_back({(repeated ? "block " : "layer ") + std::to_string(i), -1, -1, {}});
      placements.push_back({shapes.chain[i]});
      allowed.push_back(shapes.chain_choices[i]);
    }
    for (const auto& stage : stages_)
      for (int b = 0; b < stage.n_decisions; ++b)
        decisions_[stage.first_decision + b].name = stage.name + " block " + std::to_string(b + 1);
    if ((string_form_ == "stages") != !stages_.empty() || (relative && stages_.empty()))
      throw Error(declared.file + ": string_form \"stages\" and resolutions belong to stages with a smallest_depth");
  }
  if (decisions_.size() <= static_cast<std::size_t>(relative))
    throw Error(declared.file + ": declares neither [[decision]] nor a geometry with stages");

  // Costs at every resolution; a choice shows those of the largest, which comes last.
  const std::vector<int> sides = relative ? resolutions_ : std::vector<int>{0};
  for (const int side : sides) {
    auto placed = [&](const Placement& at) { return relative ? at_resolution(at, side) : at; };
    Cost fixed = shapes.fixed;
    auto& layers = fixed_layers_.emplace_back();
    for (const auto& layer : shapes.layers) {
      layers.push_back({layer.operation, placed(layer.placement)});
      fixed += operation_cost(layer.operation, layers.back().placement);
    }
    fixed_.push_back(fixed);
    for (std::size_t d = 0; d < decisions_.size(); ++d) {
      auto& here = placements_.emplace_back();
      for (const auto& at : placements[d]) here.push_back(placed(at));
      auto& choices = decisions_[d].choices;
      choices.clear();
      if (relative && d == 0)
        for (const int pixels : sides) choices.push_back({{"r=" + std::to_string(pixels), "none"}, {}, {}});
      else if (operations_.empty())
        for (const auto& name : declared.decisions[d].choices) choices.push_back({{name, "none"}, {}, {}});
      else
        for (const auto o : allowed[d]) {
          Choice choice{operations_[o], here, {}};
          for (const auto& at : here) choice.cost += operation_cost(choice.operation, at);
          choices.push_back(choice);
        }
      if (relative)
        for (const auto& choice : choices) block_costs_.push_back(choice.cost);
    }
  }
  for (const auto& decision : decisions_) radices_.push_back(static_cast<std::uint8_t>(decision.choices.size()));
  if (is_listed())
    digits_.push_back({"network", 0, n_decisions(), static_cast<std::uint32_t>(list_.names.size()), list_.choices});
  else
    make_digits();
  make_code();
}

// A stage is one digit: its depths one after the other, smallest first, and within a depth the mixed radix of the
// active blocks. Every other decision is a digit of its own.
void SearchSpace::make_digits() {
  auto stage = stages_.begin();
  std::uint64_t values = 0;  // of all stages
  for (int d = 0; d < n_decisions();) {
    Digit digit{decisions_[d].name, d, 1, radices_[d], {}};
    if (stage != stages_.end() && stage->first_decision == d) {
      const std::uint64_t variants = radices_[d] - 1;
      const std::uint64_t before = values;
      std::uint64_t of_depth = 1;
      for (int depth = 1; depth <= stage->n_decisions; ++depth) {
        of_depth *= variants;
        if (depth >= stage->smallest_depth) values += of_depth;
        if (values > kMaxDigitValues || of_depth > kMaxDigitValues)
          throw Error(reference_ + ": with " + stage->name + " the stages have more than " +
                      std::to_string(kMaxDigitValues) + " variants; declare shorter ones");
      }
      digit.name = stage->name;
      digit.n_decisions = stage->n_decisions;
      digit.radix = static_cast<std::uint32_t>(values - before);
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
    d += digit.n_decisions;
    digits_.push_back(std::move(digit));
  }
}

void SearchSpace::make_code() {
  std::vector<int> first_row;
  for (const auto radix : radices_) {
    first_row.push_back(n_rows_);
    n_rows_ += radix;
  }
  for (const auto& digit : digits_) {
    parts_ = std::max(parts_, digit.n_decisions);
    digit_radices_.push_back(digit.radix);
  }
  size_ = 1;
  for (const auto& digit : digits_) {
    if (size_ > std::numeric_limits<ArchIndex>::max() / digit.radix)
      throw Error(reference_ + ": has more than 2^128 architectures");
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
  if (is_listed() && row_of(list_.choices, choices) < 0) return "choices that no network of " + list_.file + " has";
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
  if (is_listed()) return {static_cast<std::uint32_t>(row_of(list_.choices, choices))};
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
  if (!has_costs())
    throw Error("space " + name_ +
                " declares choices by name only, so it has no MACs, parameters or activation bytes; use predictor: or "
                "table: in place of model:");
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
