#include "oneproxy/engine/optimizer/policy_file.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/predictor/code_layout.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr const char* kFormat = "oneproxy-optimizer";
constexpr std::int64_t kSchema = 1;
constexpr const char* kAgain = "; train the optimizer again (oneproxy train-optimizer)";

void check_finite(std::span<const double> values, const std::string& what) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw Error(what + " hold a number that is not finite at place " + std::to_string(i) + kAgain);
}

void check_coordinates(const DeviceCoordinates& c, std::span<const std::uint8_t> radices, const std::string& what) {
  const std::size_t n = c.mean.size();
  if (n == 0 || c.components.empty() || c.components.size() % n != 0 || c.directions.size() != c.components.size() ||
      c.reference.size() != n * radices.size())
    throw Error(what + " do not fit each other" + kAgain);
  for (std::size_t i = 0; i < c.reference.size(); ++i)
    if (c.reference[i] >= radices[i % radices.size()])
      throw Error(what + " are taken at choice " + std::to_string(c.reference[i]) + " of decision " +
                  std::to_string(i % radices.size()) + ", which has " +
                  count_of(radices[i % radices.size()], "choice") + kAgain);
  for (const auto* values : {&c.mean, &c.components, &c.directions}) check_finite(*values, what);
  check_finite(std::vector{c.farthest, c.most_outside}, what);
}

void check(const SavedOptimizer& o, const std::string& where) {
  const auto fail = [&](const std::string& what) { throw Error(where + ": " + what + kAgain); };
  if (o.radices.empty() || std::find(o.radices.begin(), o.radices.end(), 0) != o.radices.end())
    fail("names no decisions, or one without choices");
  if (o.qualities.empty() || o.spreads.size() != o.qualities.size() || std::ssize(o.qualities) != o.inputs.n_qualities)
    fail("has " + count_of(std::ssize(o.qualities), "name") + " and " + std::to_string(o.spreads.size()) +
         " units of qualities, its network asks for " + std::to_string(o.inputs.n_qualities));
  for (const double spread : o.spreads)
    if (!(spread > 0) || !std::isfinite(spread)) fail("has a unit of a quality that is not above 0");
  if (o.sources.empty()) fail("names no sources");
  for (const int count : {o.shape.n_context, o.shape.n_decisions, o.shape.n_choices})
    if (count < 1 || count > kMostPolicyWidth) fail("has a network of impossible inputs or outputs");
  if (o.shape.n_step_inputs < 0 || o.shape.n_step_inputs > kMostPolicyWidth)
    fail("has a network of impossible step inputs");
  for (const auto* widths : {&o.shape.trunk, &o.shape.head})
    if (std::ssize(*widths) > kMostPolicyLayers ||
        std::any_of(widths->begin(), widths->end(), [](int width) { return width < 1 || width > kMostPolicyWidth; }))
      fail("has a network of impossible widths");
  if (o.shape.trunk.empty() || std::ssize(o.parameters) != n_parameters(o.shape))
    fail("has a network of " + std::to_string(o.parameters.size()) + " parameters, which its widths do not need");
  check_finite(o.parameters, where + ": the parameters of the network");
  check_coordinates(o.latency, o.radices, where + ": the coordinates of latencies");
  if (o.inputs.energy) check_coordinates(o.energy, o.radices, where + ": the coordinates of energies");
  if (o.inputs.energy == o.energy.mean.empty()) fail("has coordinates of energies, but was trained without");
  if (o.inputs.n_coordinates != o.latency.n_coordinates() + o.energy.n_coordinates())
    fail("has a network of " + count_of(o.inputs.n_coordinates, "coordinate") + ", but components of " +
         std::to_string(o.latency.n_coordinates() + o.energy.n_coordinates()));
}

std::string sum_of(const DeviceCoordinates& c) {
  const std::vector<double> ends = {c.farthest, c.most_outside};
  return sha256_of(std::span(c.reference)) + sha256_of(std::span(c.mean)) + sha256_of(std::span(c.components)) +
         sha256_of(std::span(c.directions)) + sha256_of(std::span(ends));
}

void write(H5File& file, const std::string& group, const DeviceCoordinates& c, std::int64_t n_decisions) {
  const auto n = static_cast<std::int64_t>(c.mean.size());
  const std::int64_t of_reference[] = {n, n_decisions}, of_components[] = {c.n_coordinates(), n};
  const double ends[] = {c.farthest, c.most_outside};
  file.write(group + "/reference", std::span(c.reference), of_reference);
  file.write(group + "/mean", std::span(c.mean));
  file.write(group + "/components", std::span(c.components), of_components);
  file.write(group + "/directions", std::span(c.directions), of_components);
  file.write(group + "/farthest", std::span<const double>(ends));
}

DeviceCoordinates read_coordinates(const H5File& file, const std::string& group) {
  DeviceCoordinates c;
  c.reference = file.read_bytes(group + "/reference");
  c.mean = file.read_doubles(group + "/mean");
  c.components = file.read_doubles(group + "/components");
  c.directions = file.read_doubles(group + "/directions");
  const auto ends = file.read_doubles(group + "/farthest");
  if (ends.size() != 2) throw Error(file.path() + ":" + group + "/farthest holds other than two numbers" + kAgain);
  c.farthest = ends[0];
  c.most_outside = ends[1];
  return c;
}

// The counts of a shape.
std::vector<std::int64_t> counts_of(const PolicyShape& shape) {
  return {shape.n_context, shape.n_decisions, shape.n_step_inputs, shape.n_choices, shape.shared_head};
}

std::vector<std::int64_t> widths_of(const std::vector<int>& widths) { return {widths.begin(), widths.end()}; }

// Numbers beyond what check() lets pass are cut, so that it refuses them.
std::vector<int> read_widths(const H5File& file, const std::string& dataset) {
  std::vector<int> widths;
  for (const auto width : file.read_integers(dataset))
    widths.push_back(static_cast<int>(std::clamp<std::int64_t>(width, -1, kMostPolicyWidth + 1)));
  return widths;
}

PolicyShape read_shape(const H5File& file) {
  const auto counts = read_widths(file, "/network/counts");
  if (counts.size() != 5) throw Error(file.path() + ": its network has no counts of inputs and outputs" + kAgain);
  return {counts[0],
          counts[1],
          counts[2],
          counts[3],
          read_widths(file, "/network/trunk"),
          read_widths(file, "/network/head"),
          counts[4] != 0};
}

}  // namespace

std::string checksum(const SavedOptimizer& o) {
  std::string sums = o.space + "\n" + o.space_checksum + "\n" + o.sources_checksum + "\n" +
                     std::to_string(o.inputs.autoregressive) + std::to_string(o.inputs.energy) + "\n";
  sums += sha256_of(std::span(o.radices)) + sha256_of_texts(o.qualities) + sha256_of(std::span(o.spreads)) +
          sha256_of_texts(o.sources) + sha256_of(std::span(o.shape.trunk)) + sha256_of(std::span(o.shape.head)) +
          sha256_of(std::span<const std::int64_t>(counts_of(o.shape))) + sha256_of(std::span(o.parameters)) +
          sum_of(o.latency) + sum_of(o.energy);
  return sha256_hex(sums);
}

void save_optimizer(const std::string& path, const SavedOptimizer& o) {
  check(o, "the optimizer for " + path);
  write_h5_atomically(path, [&](H5File& file) {
    for (const auto& [name, value] : o.record) file.set_attribute("/", name, value);
    file.set_attribute("/", "format", std::string(kFormat));
    file.set_attribute("/", "schema_version", kSchema);
    file.set_attribute("/", "sha256", checksum(o));
    file.set_attribute("/", "space", o.space);
    file.set_attribute("/", "space_checksum", o.space_checksum);
    file.set_attribute("/", "sources_checksum", o.sources_checksum);
    file.set_attribute("/", "autoregressive", std::int64_t{o.inputs.autoregressive});
    file.set_attribute("/", "energy", std::int64_t{o.inputs.energy});
    const auto n_decisions = static_cast<std::int64_t>(o.radices.size());
    file.write("/radices", std::span(o.radices), std::span(&n_decisions, 1));
    file.write("/qualities", std::span(o.qualities));
    file.write("/spreads", std::span(o.spreads));
    file.write("/sources", std::span(o.sources));
    file.write("/network/counts", std::span<const std::int64_t>(counts_of(o.shape)));
    file.write("/network/trunk", std::span<const std::int64_t>(widths_of(o.shape.trunk)));
    file.write("/network/head", std::span<const std::int64_t>(widths_of(o.shape.head)));
    file.write("/network/parameters", std::span(o.parameters));
    write(file, "/latency", o.latency, n_decisions);
    if (o.inputs.energy) write(file, "/energy", o.energy, n_decisions);
  });
}

SavedOptimizer load_optimizer(const std::string& path) {
  const H5File file(path, H5Mode::read);
  const auto found = file.attributes("/");
  if (attribute_text(found, "format") != kFormat)
    throw Error(path + ": is no optimizer; `oneproxy train-optimizer` makes one");
  AttributeReader attributes(found, path, "it is no optimizer, or damaged");
  attributes.text("format");
  const auto version = attributes.integer("schema_version");
  if (version != kSchema)
    throw Error(path + ": has schema " + std::to_string(version) + ", this program reads " + std::to_string(kSchema) +
                "; use another oneproxy");
  SavedOptimizer o;
  const auto sum = attributes.text("sha256");
  o.space = attributes.text("space");
  o.space_checksum = attributes.text("space_checksum");
  o.sources_checksum = attributes.text("sources_checksum");
  o.inputs.autoregressive = attributes.integer("autoregressive") != 0;
  o.inputs.energy = attributes.integer("energy") != 0;
  o.record = attributes.rest();
  o.radices = file.read_bytes("/radices");
  o.qualities = file.read_strings("/qualities");
  o.spreads = file.read_doubles("/spreads");
  o.sources = file.read_strings("/sources");
  o.parameters = file.read_doubles("/network/parameters");
  o.latency = read_coordinates(file, "/latency");
  if (o.inputs.energy) o.energy = read_coordinates(file, "/energy");
  o.inputs.n_qualities = static_cast<int>(o.qualities.size());
  o.inputs.n_coordinates = o.latency.n_coordinates() + o.energy.n_coordinates();
  o.shape = read_shape(file);
  check(o, path);
  if (sum != checksum(o)) throw Error(path + ": does not match its checksum, the file is damaged" + kAgain);
  return o;
}

void check_optimizer(const SavedOptimizer& optimizer, const SearchSpace& space, const std::string& where) {
  check_layout(optimizer.space, optimizer.radices, space, where);
  if (optimizer.space_checksum != space.checksum())
    throw Error(where + ": was trained for another version of the file of space " + space.name() + kAgain);
}

void check_sources(const SavedOptimizer& optimizer, std::span<const std::string> sources,
                   const std::string& sources_checksum, const std::string& where) {
  auto own = optimizer.sources;
  std::vector<std::string> others(sources.begin(), sources.end());
  std::sort(own.begin(), own.end());
  std::sort(others.begin(), others.end());
  if (own != others)
    throw Error(where + ": was trained on the sources " + join(own) + ", not on " + join(others) + kAgain);
  if (optimizer.sources_checksum != sources_checksum)
    throw Error(where + ": was trained on other data of the sources " + join(own) + kAgain);
}

Policy policy_of(const SavedOptimizer& optimizer, const SearchSpace& space, const std::string& where) {
  check_optimizer(optimizer, space, where);
  return Policy(space, optimizer.inputs, optimizer.shape, optimizer.parameters);
}

}  // namespace oneproxy
