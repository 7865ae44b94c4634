#include "oneproxy/engine/space/space_file.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>

#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/base/toml_limits.h"
#include "oneproxy/engine/space/declared_names.h"
#include "oneproxy/engine/space/declared_operations.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

constexpr int kMaxNumber = 1 << 20;
// What a space has at most. Its costs are tables over resolutions, decisions, operations and placements: without these
// limits a file of some lines becomes gigabytes.
constexpr std::size_t kMaxDecisions = 256, kMaxPlacements = 64, kMaxFixedLayers = 1024, kMaxGeometries = 64;
constexpr std::size_t kLongestName = 100;

int positive(Config& table, const std::string& key, std::optional<std::int64_t> value, const std::string& meaning) {
  return static_cast<int>(table.integer(key, value, 1, kMaxNumber, meaning));
}

// The [[key]] tables of a table, at most so many.
std::vector<Config> tables(Config& table, const std::string& key, std::size_t most, const std::string& meaning) {
  auto found = table.tables(key, meaning);
  if (found.size() > most)
    throw Error(table.file() + ": declares " + std::to_string(found.size()) + " [[" + key + "]]s; there may be " +
                std::to_string(most));
  return found;
}

std::vector<DeclaredDecision> read_decisions(Config& file, bool operations) {
  std::vector<DeclaredDecision> decisions;
  std::vector<std::string> names;
  for (auto& table :
       tables(file, "decision", kMaxDecisions, "an edge of a cell, or a decision with choices of its own")) {
    DeclaredDecision decision;
    decision.name = table.text("name", std::nullopt, "its name");
    const auto where = table.location("name");
    require_new(names, decision.name, "decisions", where);
    names.push_back(decision.name);
    decision.from = static_cast<int>(table.integer("from", -1, 0, 99, "node where the edge begins"));
    decision.to = static_cast<int>(table.integer("to", -1, 1, 99, "node where the edge ends"));
    const auto choices = table.texts("choices", {}, "names of its choices, where they are not the operations");
    const std::string has = "decision " + decision.name + " has " + count_of(choices.size(), "choice");
    if (!choices.empty()) require_choices(choices.size(), has, where);
    for (const auto& choice : choices) {
      require_plain(choice, "choice", table.location("choices"));
      require_new(decision.choices, choice, "choices", table.location("choices"));
      decision.choices.push_back(choice);
    }
    if (operations && !decision.choices.empty())
      throw Error(table.location("choices") + ": decision " + decision.name +
                  " names choices, and the file declares [[operation]]s; use one of the two");
    if (!operations) {
      table.finish();  // a misspelt `choices` is told as such
      require_plain(decision.name, "decision", where);
      require_choices(choices.size(), has, where);
    }
    decisions.push_back(decision);
  }
  return decisions;
}

SpaceShapes read_shapes(Config& table, bool relative, const std::vector<Operation>& operations) {
  SpaceShapes shapes;
  shapes.fixed.macs = table.number("fixed_macs", 0.0, 0, 1e18, "of what is the same for all architectures");
  shapes.fixed.parameters = table.number("fixed_parameters", 0.0, 0, 1e18, "of what is the same for all");
  const std::string side = relative ? "reduction" : "resolution";
  const std::string meaning = relative ? "side of the input over the layer's" : "pixels a side";
  for (auto& entry : tables(table, "fixed", kMaxFixedLayers, "a layer that is the same for all architectures")) {
    FixedLayer layer;
    layer.operation.name = entry.text("name", std::nullopt, "its name");
    layer.operation.kind = entry.one_of("kind", "conv", {"conv", "linear"}, "what it computes");
    layer.operation.kernel = static_cast<int>(entry.integer("kernel", 1, 1, 99, "kernel size"));
    layer.operation.groups = static_cast<int>(entry.integer("groups", 1, 1, 9999, "groups"));
    layer.placement.in_channels = positive(entry, "in_channels", std::nullopt, "channels before it");
    layer.placement.out_channels = positive(entry, "channels", std::nullopt, "channels after it");
    layer.placement.stride = positive(entry, "stride", 1, "stride");
    layer.placement.resolution = positive(entry, side, 1, meaning);
    shapes.layers.push_back(layer);
  }
  for (auto& entry : tables(table, "placement", kMaxPlacements, "widths and resolutions at which a cell stands")) {
    const int channels = positive(entry, "channels", std::nullopt, "channels");
    const int resolution = positive(entry, "resolution", std::nullopt, "pixels a side");
    shapes.cell.push_back({channels, channels, 1, resolution, positive(entry, "count", 1, "cells")});
  }
  int channels = positive(table, "input_channels", 1, "channels before the first layer");
  int resolution = positive(table, "input_" + side, 1, meaning + ", before the first layer");
  for (auto& entry : tables(table, "stage", kMaxDecisions, "layers of one width")) {
    const int out = positive(entry, "channels", std::nullopt, "channels");
    const int layers = positive(entry, "layers", std::nullopt, "layers");
    int stride = positive(entry, "stride", 1, "stride of its first layer");
    const int depth = static_cast<int>(
        entry.integer("smallest_depth", 0, 0, layers, "its first layers that are always there; 0: it has no depth"));
    const bool squeeze = entry.flag("squeeze_excitation", false, "in each of its blocks");
    const bool hard_swish = entry.flag("hard_swish", false, "its blocks activate with h-swish, not ReLU");
    const auto choices = read_choices_of_stage(entry, operations);
    if (depth > 0 && choices.size() < operations.size())
      throw Error(entry.file() +
                  ": a stage with a smallest_depth chooses among all operations; it has no `kernel`, "
                  "`expansion`, `groups` or `repeats`");
    const std::string name = "stage " + std::to_string(shapes.stages.size() + 1);
    if (shapes.chain.size() + layers > kMaxDecisions)
      throw Error(entry.file() + ": layers = " + std::to_string(layers) + "; all stages have at most " +
                  std::to_string(kMaxDecisions) + " layers together");
    if (depth > 0) shapes.stages.push_back({name, static_cast<int>(shapes.chain.size()), layers, depth});
    for (int layer = 0; layer < layers; ++layer, stride = 1) {
      shapes.chain.push_back({channels, out, stride, resolution, 1, squeeze, hard_swish});
      shapes.chain_choices.push_back(choices);
      channels = out;
      if (relative && resolution > kMaxNumber / stride)
        throw Error(entry.file() + ": stride = " + std::to_string(stride) + " takes the reduction of the input above " +
                    std::to_string(kMaxNumber));
      resolution = relative ? resolution * stride : resolution / stride;
    }
  }
  if (!shapes.stages.empty()) {
    const auto& last = shapes.stages.back();
    int covered = 0;
    for (const auto& stage : shapes.stages) covered += stage.n_decisions;
    if (covered != static_cast<int>(shapes.chain.size()) || last.first_decision + last.n_decisions != covered)
      throw Error(table.file() + ": some stages have a smallest_depth and others have none; give it to all of them");
  }
  return shapes;
}

std::string content(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw Error(path + ": is a folder; name the file of a space (*.toml)");
  if (!fs::exists(path, error)) throw Error(path + ": no such file of a space; docs/spaces.md shows how to write one");
  return read_file(path, kMaxTomlBytes);
}

// Two spaces of one name would share measurements and predictors of a store.
void require_own_name(const SpaceDeclaration& space) {
  const auto shipped = fs::path(home_folder()) / "configs" / "spaces" / (space.name + ".toml");
  std::error_code error;
  if (!fs::exists(shipped, error) || fs::equivalent(shipped, space.file, error)) return;
  if (sha256_hex(content(shipped.string())) != space.checksum)
    throw Error(space.file + ": name = \"" + space.name +
                "\" is the name of a space that ships, which has other content; give yours a name of its own");
}

void check_name(const std::string& name, const std::string& where, const std::string& key = "name") {
  const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; };
  if (name.empty() || name[0] == '.' || !std::all_of(name.begin(), name.end(), plain))
    throw Error(where + ": " + key + " = \"" + name + "\" should consist of letters, digits, '_', '-' and '.'");
  if (name.size() > kLongestName)
    throw Error(where + ": " + key + " = \"" + name + "\" has " + std::to_string(name.size()) +
                " characters; the longest has " + std::to_string(kLongestName));
}

SpaceDeclaration read_whole(Config& file, const std::string& path, const std::string& text,
                            const std::string& geometry) {
  SpaceDeclaration space;
  space.file = path;
  space.checksum = sha256_hex(text);
  space.name = file.text("name", std::nullopt, "name of the space");
  check_name(space.name, file.location("name"));
  space.string_form = file.one_of("string_form", "named", {"named", "cell", "list", "stages", "listed"},
                                  "form of an architecture string");
  space.measured_set = file.text("measured_set", space.string_form == "listed" ? kListSet : "help",
                                 "set of measurements that is meant where nobody names one");
  check_name(space.measured_set, file.location("measured_set"), "measured_set");
  if (space.string_form == "listed") {
    read_list(file, space);
    file.finish();
    if (!geometry.empty()) throw Error(unknown_name("geometry", geometry, path, {}));
    require_own_name(space);
    return space;
  }
  for (const auto pixels :
       file.integers("resolutions", {}, 8, kMaxNumber, "sides of the input, where they are a decision"))
    space.resolutions.push_back(static_cast<int>(pixels));
  if (space.resolutions.size() > kMaxChoices ||
      !std::is_sorted(space.resolutions.begin(), space.resolutions.end(), std::less_equal<>()))
    throw Error(file.location("resolutions") + ": resolutions should be at most 255 rising numbers");
  space.operations = read_operations(file);
  space.decisions = read_decisions(file, !space.operations.empty());
  const bool relative = !space.resolutions.empty();
  for (auto& table : tables(file, "geometry", kMaxGeometries, "shapes of the network on one data set")) {
    const auto name = table.text("name", std::nullopt, "data set");
    require_new(space.geometries, name, "geometries", table.location("name"));
    space.geometries.push_back(name);
    SpaceShapes shapes = read_shapes(table, relative, space.operations);
    if (geometry.empty() ? space.geometries.size() != 1 : geometry != name) continue;
    space.geometry = name;
    space.shapes = std::move(shapes);
  }
  file.finish();

  if (space.operations.empty()) {
    if (space.decisions.empty())
      throw Error(path + ": declares no [[decision]] with choices, and no [[operation]]; a space has one or the other");
    if (relative || !space.geometries.empty() || space.string_form != "named")
      throw Error(path +
                  ": resolutions, [[geometry]] and a string_form other than \"named\" describe [[operation]]s, "
                  "of which there are none");
  } else if (space.string_form == "named") {
    throw Error(path + ": a space of [[operation]]s needs string_form = \"cell\", \"list\" or \"stages\"");
  }
  if (space.geometry.empty() && !(space.operations.empty() && geometry.empty()))
    throw Error(unknown_name("geometry", geometry, path, space.geometries));
  const bool cell = space.string_form == "cell";
  for (const auto& decision : space.decisions)
    if (cell ? decision.from < 0 || decision.from >= decision.to : decision.from >= 0 || decision.to >= 0)
      throw Error(path + ": decision " + decision.name +
                  (cell ? " is an edge of a cell: it needs `from` and `to`, from below to"
                        : " has `from` or `to`, which belong to string_form = \"cell\""));
  require_own_name(space);
  return space;
}

// A part of a space: the whole one and what is kept of its decisions. The checksum of a whole space's file stands in
// the part's, so that the part's own checksum tells all that a result depends on.
SpaceDeclaration read_part(Config& file, const std::string& path, const std::string& text, const std::string& geometry,
                           const std::string& part_of) {
  const auto kept = file.texts("fix", {}, "what it keeps: \"DECISION=CHOICE|CHOICE\", one a decision");
  const auto expected = file.text("checksum", "", "SHA-256 of the file that part_of names");
  const bool own = names_space_file(part_of);
  const std::string place = file.location("part_of") + ": part_of = \"" + part_of + "\"";
  const std::string whole = own ? (fs::path(file.folder("part_of")) / part_of).string() : space_file(part_of);
  file.finish();
  if (kept.empty()) throw Error(path + ": fix = [] keeps all of " + part_of + "; name " + part_of + " itself");
  const std::string whole_text = content(whole), checksum = sha256_hex(whole_text);
  if (own && expected.empty())
    throw Error(place + " is a file; add checksum = \"" + checksum + "\", so that a change of it does not go unseen");
  if (!expected.empty() && expected != checksum)
    throw Error(place + " has changed since this part of it was written (its SHA-256 is " + checksum +
                "); write the part again");
  Config declared = Config::parse(whole_text, whole, {});
  if (!declared.text("part_of", "", "the whole space").empty())
    throw Error(place + " is a part itself; name the whole space");
  SpaceDeclaration space = read_whole(declared, whole, whole_text, geometry);
  space.file = path;
  space.checksum = sha256_hex(text);
  space.kept = kept;
  space.whole = own ? whole : part_of;
  return space;
}

}  // namespace

bool names_space_file(const std::string& name_or_file) { return name_or_file.ends_with(".toml"); }

SpaceDeclaration read_space_file(const std::string& path, const std::string& geometry) {
  const std::string text = content(path);
  Config file = Config::parse(text, path, {});
  const auto part_of = file.text("part_of", "", "of the file of a part: the whole space, by its name or its file");
  return part_of.empty() ? read_whole(file, path, text, geometry) : read_part(file, path, text, geometry, part_of);
}

}  // namespace oneproxy
