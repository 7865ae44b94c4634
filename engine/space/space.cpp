#include "engine/space/space.h"

#include <algorithm>
#include <sstream>

#include "engine/base/config.h"
#include "engine/base/names.h"
#include "engine/base/resources.h"
#include "kernels/error.h"

namespace oneproxy {
namespace {

std::vector<std::string> split(const std::string& text, const std::string& separators) {
  std::vector<std::string> parts;
  std::string part;
  for (char c : text) {
    if (separators.find(c) == std::string::npos) {
      part += c;
    } else if (!part.empty()) {
      parts.push_back(part);
      part.clear();
    }
  }
  if (!part.empty()) parts.push_back(part);
  return parts;
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
  return operations;
}

constexpr int kMost = 1 << 20;

int positive(Config& table, const std::string& key, std::optional<std::int64_t> value, const std::string& meaning) {
  return static_cast<int>(table.integer(key, value, 1, kMost, meaning));
}

}  // namespace

SearchSpace SearchSpace::load(const std::string& name, const std::string& geometry) {
  const auto path = space_file(name);
  Config file = Config::load(path, {});
  SearchSpace space;
  space.name_ = file.text("name", std::nullopt, "name of the space");
  space.string_form_ = file.one_of("string_form", std::nullopt, {"cell", "list"}, "form of an architecture string");
  space.operations_ = read_operations(file);
  for (auto& table : file.tables("decision", "an edge of the cell")) {
    Decision decision;
    decision.name = table.text("name", std::nullopt, "its name");
    decision.from = static_cast<int>(table.integer("from", -1, 0, 99, "node where the edge begins"));
    decision.to = static_cast<int>(table.integer("to", -1, 1, 99, "node where the edge ends"));
    space.decisions_.push_back(decision);
  }

  // The chosen geometry gives every decision its places in the network.
  std::vector<std::vector<Placement>> places;
  for (auto& table : file.tables("geometry", "shapes of the network on one data set")) {
    const auto known = table.text("name", std::nullopt, "data set");
    space.geometries_.push_back(known);
    const bool chosen = geometry.empty() ? space.geometries_.size() == 1 : geometry == known;
    const double macs = table.number("fixed_macs", 0.0, 0, 1e18, "of what is the same for all architectures");
    const double parameters = table.number("fixed_parameters", 0.0, 0, 1e18, "of what is the same for all");
    std::vector<Placement> cell;
    for (auto& place : table.tables("placement", "widths and resolutions at which a cell stands")) {
      const int channels = positive(place, "channels", std::nullopt, "channels");
      const int resolution = positive(place, "resolution", std::nullopt, "pixels a side");
      cell.push_back({channels, channels, 1, resolution, positive(place, "count", 1, "cells")});
    }
    std::vector<Placement> chain;
    int channels = positive(table, "input_channels", 1, "channels before the first layer");
    int resolution = positive(table, "input_resolution", 1, "pixels a side before the first layer");
    for (auto& stage : table.tables("stage", "layers of one width")) {
      const int out = positive(stage, "channels", std::nullopt, "channels");
      const int layers = positive(stage, "layers", std::nullopt, "layers");
      int stride = positive(stage, "stride", 1, "stride of its first layer");
      for (int layer = 0; layer < layers; ++layer, stride = 1) {
        chain.push_back({channels, out, stride, resolution, 1});
        channels = out;
        resolution /= stride;
      }
    }
    if (!chosen) continue;
    space.geometry_ = known;
    space.fixed_ = {macs, parameters, 0};
    if (space.decisions_.empty()) {
      for (std::size_t i = 0; i < chain.size(); ++i) {
        space.decisions_.push_back({"layer " + std::to_string(i), -1, -1, {}});
        places.push_back({chain[i]});
      }
    } else {
      places.assign(space.decisions_.size(), cell);
    }
  }
  file.finish();
  if (space.geometry_.empty()) throw Error(unknown_name("geometry", geometry, path, space.geometries_));
  for (std::size_t d = 0; d < space.decisions_.size(); ++d) {
    for (const auto& op : space.operations_) {
      Choice choice{op, places[d], {}};
      for (const auto& placement : choice.placements) choice.cost += operation_cost(op, placement);
      space.decisions_[d].choices.push_back(choice);
    }
    space.radices_.push_back(static_cast<std::uint8_t>(space.operations_.size()));
  }
  if (space.decisions_.empty()) throw Error(path + ": declares neither [[decision]] nor a geometry with stages");
  space.make_digits();
  return space;
}

// Until a space declares stages, each decision is a digit.
void SearchSpace::make_digits() {
  for (int d = 0; d < n_decisions(); ++d) {
    Digit digit{decisions_[d].name, d, 1, radices_[d], {}};
    for (int c = 0; c < radices_[d]; ++c) {
      digit.values.push_back(static_cast<std::uint8_t>(c));
      code_rows_.push_back(n_rows_++);
    }
    digit_radices_.push_back(digit.radix);
    digits_.push_back(std::move(digit));
  }
  size_ = space_size(radices_);
}

std::vector<std::uint32_t> SearchSpace::digits_of(std::span<const std::uint8_t> choices) const {
  return {choices.begin(), choices.end()};
}

std::vector<std::uint8_t> SearchSpace::choices_of(std::span<const std::uint32_t> digits) const {
  return {digits.begin(), digits.end()};
}

ArchIndex SearchSpace::index(std::span<const std::uint8_t> choices) const {
  ONEPROXY_ASSERT(choices.size() == radices_.size());
  return encode_index(choices.data(), radices_.data(), n_decisions());
}

std::vector<std::uint8_t> SearchSpace::choices(ArchIndex index) const {
  if (index >= size_)
    throw Error("index " + to_decimal(index) + " is not below the size of " + name_ + ", " + to_decimal(size_));
  std::vector<std::uint8_t> choices(radices_.size());
  decode_index(index, radices_.data(), n_decisions(), choices.data());
  return choices;
}

std::string SearchSpace::to_string(std::span<const std::uint8_t> choices) const {
  ONEPROXY_ASSERT(choices.size() == radices_.size());
  std::string text;
  for (int d = 0; d < n_decisions(); ++d) {
    const auto& op = operations_[choices[d]].name;
    if (string_form_ == "list") {
      text += (d ? "|" : "") + op;
    } else {
      if (d == 0)
        text += "|";
      else if (decisions_[d].to != decisions_[d - 1].to)
        text += "+|";
      text += op + "~" + std::to_string(decisions_[d].from) + "|";
    }
  }
  return text;
}

int SearchSpace::operation_of(const std::string& op, const std::string& text) const {
  std::vector<std::string> names;
  for (const auto& operation : operations_) names.push_back(operation.name);
  const auto found = std::find(names.begin(), names.end(), op);
  if (found == names.end()) throw Error(unknown_name("operation", op, "architecture '" + text + "'", names));
  return static_cast<int>(found - names.begin());
}

std::vector<std::uint8_t> SearchSpace::parse_numbers(const std::string& text) const {
  std::vector<std::uint8_t> choices;
  for (const auto& part : split(text, ",;|-/ []()")) {
    const bool number = part.size() <= 3 && part.find_first_not_of("0123456789") == std::string::npos;
    const int value = number ? std::stoi(part) : -1;
    const std::size_t d = choices.size();
    if (d < radices_.size() && (value < 0 || value >= radices_[d]))
      throw Error("architecture '" + text + "': choice '" + part + "' of " + decisions_[d].name +
                  " should be a number from 0 to " + std::to_string(radices_[d] - 1) + " in space " + name_);
    choices.push_back(static_cast<std::uint8_t>(value));
  }
  return choices;
}

std::vector<std::uint8_t> SearchSpace::parse(const std::string& text) const {
  std::vector<std::uint8_t> choices;
  if (text.find_first_not_of("0123456789,;|-/ []()") == std::string::npos) {
    choices = parse_numbers(text);
  } else if (string_form_ == "list") {
    for (const auto& part : split(text, "| ")) choices.push_back(static_cast<std::uint8_t>(operation_of(part, text)));
  } else {
    const std::string node_separator = "+";
    std::size_t node = 0;
    for (const auto& inputs : split(text, node_separator)) {
      ++node;
      for (const auto& part : split(inputs, "| ")) {
        const auto tilde = part.find('~');
        const std::size_t d = choices.size();
        const std::string op = part.substr(0, tilde);
        const int choice = operation_of(op, text);
        if (d < decisions_.size() &&
            (tilde == std::string::npos || part.substr(tilde + 1) != std::to_string(decisions_[d].from) ||
             static_cast<int>(node) != decisions_[d].to))
          throw Error("architecture '" + text + "': '" + part + "' stands where " + decisions_[d].name +
                      " is expected, as " + op + "~" + std::to_string(decisions_[d].from) + " of node " +
                      std::to_string(decisions_[d].to));
        choices.push_back(static_cast<std::uint8_t>(choice));
      }
    }
  }
  if (choices.size() != radices_.size())
    throw Error("architecture '" + text + "' has " + std::to_string(choices.size()) + " decisions, space " + name_ +
                " has " + std::to_string(radices_.size()) + "; for example " +
                to_string(std::vector<std::uint8_t>(radices_.size(), 0)));
  return choices;
}

Cost SearchSpace::cost(std::span<const std::uint8_t> choices) const {
  Cost total = fixed_;
  for (int d = 0; d < n_decisions(); ++d) total += decisions_[d].choices[choices[d]].cost;
  return total;
}

}  // namespace oneproxy
