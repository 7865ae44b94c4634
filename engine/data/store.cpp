#include "oneproxy/engine/data/store.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/attribute_reader.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr const char* kFormat = "oneproxy-store";

void check_format(const H5File& file) {
  const auto found = file.attributes("/");
  if (attribute_text(found, "format") != kFormat)
    throw Error(file.path() + ": is an HDF5 file but not a store of oneproxy; make one with tools/import_datasets.py");
  const auto version = AttributeReader(found, file.path(), "import the data again").integer("schema_version");
  if (version > kStoreSchema)
    throw Error(file.path() + ": has schema " + std::to_string(version) + ", this program reads up to " +
                std::to_string(kStoreSchema) + "; use a newer oneproxy");
  if (version < 1) throw Error(file.path() + ": has schema " + std::to_string(version) + "; import the data again");
}

SetRows read_rows(const H5File& file, const std::string& set) {
  const auto shape = file.shape(set + "/choices");
  if (shape.size() != 2) throw Error(file.path() + ": " + set + "/choices is not a table; import the data again");
  SetRows rows{shape[0], shape[1], file.read_bytes(set + "/choices"), {}};
  if (!file.exists(set + "/official_index")) return rows;
  rows.official_index = file.read_integers(set + "/official_index");
  if (std::ssize(rows.official_index) != rows.n)
    throw Error(file.path() + ": " + set + "/official_index has " + std::to_string(rows.official_index.size()) +
                " rows, the set has " + std::to_string(rows.n) + "; import the data again");
  return rows;
}

Column read_column(const H5File& file, const std::string& dataset, const std::string& name, std::int64_t n) {
  Column column{name, file.read_doubles(dataset), file.attributes(dataset)};
  if (file.shape(dataset).size() != 1 || std::ssize(column.values) != n)
    throw Error(file.path() + ": " + dataset + " has another number of rows than its set; import the data again");
  return column;
}

void verify_store(const H5File& file) {
  check_format(file);
  file.verify();
  for (const auto& space : file.children("/spaces"))
    for (const auto& name : file.children("/spaces/" + space)) {
      const std::string set = "/spaces/" + space + "/" + name;
      const auto n = read_rows(file, set).n;
      for (const std::string group : {"/latency_ms", "/metrics"})
        for (const auto& column : file.children(set + group)) read_column(file, set + group + "/" + column, column, n);
    }
}

}  // namespace

std::string Column::text(const std::string& attribute) const {
  const auto found = attributes.find(attribute);
  if (found == attributes.end()) return "";
  if (const auto* text = std::get_if<std::string>(&found->second)) return *text;
  if (const auto* integer = std::get_if<std::int64_t>(&found->second)) return std::to_string(*integer);
  return std::to_string(std::get<double>(found->second));
}

std::int64_t Column::n_missing() const {
  return std::count_if(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

Store::Store(const std::string& path) : file_(path, H5Mode::read) { check_format(file_); }

std::vector<std::string> Store::spaces() const { return file_.children("/spaces"); }

std::vector<std::string> Store::sets(const std::string& space) const {
  const auto known = spaces();
  if (std::find(known.begin(), known.end(), space) == known.end())
    throw Error(unknown_name("space", space, path(), known));
  return file_.children("/spaces/" + space);
}

std::string Store::set_path(const std::string& space, const std::string& set) const {
  const auto known = sets(space);
  if (std::find(known.begin(), known.end(), set) == known.end())
    throw Error(unknown_name("set", set, "space " + space + " of " + path(), known));
  return "/spaces/" + space + "/" + set;
}

std::vector<std::string> Store::devices(const std::string& space, const std::string& set) const {
  return file_.children(set_path(space, set) + "/latency_ms");
}
std::vector<std::string> Store::metrics(const std::string& space, const std::string& set) const {
  return file_.children(set_path(space, set) + "/metrics");
}
std::string Store::long_name(const std::string& space, const std::string& set, const std::string& device) const {
  return attribute_text(file_.attributes(set_path(space, set) + "/latency_ms/" + device), "long_name");
}

H5Attributes Store::set_attributes(const std::string& space, const std::string& set) const {
  return file_.attributes(set_path(space, set));
}

SetRows Store::rows(const std::string& space, const std::string& set) const {
  return read_rows(file_, set_path(space, set));
}

Column Store::column(const std::string& base, const std::string& group, const std::string& what,
                     const std::string& name) const {
  const auto known = file_.children(base + "/" + group);
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw Error(unknown_name(what, name, base.substr(8) + " of " + path(), known));
  const auto shape = file_.shape(base + "/choices");
  return read_column(file_, base + "/" + group + "/" + name, name, shape.empty() ? 0 : shape[0]);
}

Column Store::latency(const std::string& space, const std::string& set, const std::string& device) const {
  return column(set_path(space, set), "latency_ms", "device", device);
}
Column Store::metric(const std::string& space, const std::string& set, const std::string& name) const {
  return column(set_path(space, set), "metrics", "metric", name);
}

std::string Store::checksum(const std::string& space) const {
  std::string sums;
  auto add = [&](const std::string& dataset) {
    const auto sum = attribute_text(file_.attributes(dataset), "sha256");
    if (!sum.empty()) sums += dataset + " " + sum + "\n";
  };
  for (const auto& set : sets(space)) {
    const std::string base = "/spaces/" + space + "/" + set;
    for (const auto& child : file_.children(base)) {
      if (!file_.is_group(base + "/" + child)) {
        add(base + "/" + child);
        continue;
      }
      for (const auto& leaf : file_.children(base + "/" + child)) add(base + "/" + child + "/" + leaf);
    }
  }
  return sha256_hex(sums);
}

void change_store(const std::string& path, const std::string& start_from, const std::function<void(H5File&)>& change) {
  if (is_shipped_store(path))
    throw Error(path + ": is the store that ships with oneproxy, and stays as it is; name a store of your own, " +
                store_to_add_to(path) + " for example, which begins as a copy of it");
  change_h5_atomically(path, start_from, verify_store, change);
}

namespace {

constexpr const char* kLatencies = "latency_ms";
constexpr const char* kMetrics = "metrics";
constexpr const char* kUserSet = "user_set";  // attribute: made by `oneproxy import`, which may change it

using Row = std::vector<std::uint8_t>;

// A column to be added to a set.
struct Added {
  std::string group, name;
  std::int64_t n_decisions;
  const std::vector<std::uint8_t>& choices;
  const std::vector<double>& values;
  H5Attributes attributes;
};

std::vector<Row> rows_of(std::span<const std::uint8_t> choices, std::int64_t n_decisions) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < choices.size(); i += n_decisions)
    rows.emplace_back(choices.begin() + i, choices.begin() + i + n_decisions);
  return rows;
}

// Union of the set's rows and the new ones, sorted, with each old column spread over it.
void add_column(H5File& file, const std::string& space, const std::string& set, const Added& added) {
  const std::string base = "/spaces/" + space + "/" + set;
  struct OldColumn {
    std::string group;
    Column column;
  };
  std::vector<Row> old_rows;
  std::vector<OldColumn> old_columns;
  H5Attributes set_attributes;
  if (file.exists(base)) {
    set_attributes = file.attributes(base);
    if (file.exists(base + "/official_index") || (file.exists(base + "/metrics") && !set_attributes.contains(kUserSet)))
      throw Error("set '" + set + "' of " + file.path() +
                  " holds imported public data; choose another set for your own");
    const auto old = read_rows(file, base);
    if (old.n_decisions != added.n_decisions)
      throw Error("set '" + set + "' of " + file.path() + " has " + count_of(old.n_decisions, "decision") + ", space " +
                  space + " has " + std::to_string(added.n_decisions) + "; choose another set for your own");
    old_rows = rows_of(old.choices, old.n_decisions);
    for (const std::string group : {kLatencies, kMetrics})
      for (const auto& name : file.children(base + "/" + group))
        if (group != added.group || name != added.name)
          old_columns.push_back({group, read_column(file, base + "/" + group + "/" + name, name, old.n)});
    file.remove(base);
  } else {
    set_attributes["description"] = std::string("measurements added with `oneproxy import`");
  }
  set_attributes[kUserSet] = std::int64_t{1};
  const auto new_rows = rows_of(added.choices, added.n_decisions);
  std::map<Row, std::int64_t> row_number;
  for (const auto& row : old_rows) row_number.emplace(row, 0);
  for (const auto& row : new_rows) row_number.emplace(row, 0);
  std::vector<std::uint8_t> choices;
  std::int64_t n = 0;
  for (auto& [row, at] : row_number) {
    at = n++;
    choices.insert(choices.end(), row.begin(), row.end());
  }
  auto write_column = [&](const std::string& path, const std::vector<Row>& rows, const std::vector<double>& values,
                          H5Attributes attributes) {
    std::vector<double> spread(n, std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < rows.size(); ++i) spread[row_number[rows[i]]] = values[i];
    const std::int64_t shape[] = {n};
    attributes.erase("sha256");
    file.write(base + "/" + path, spread, shape);
    for (const auto& [key, value] : attributes) file.set_attribute(base + "/" + path, key, value);
  };
  const std::int64_t shape[] = {n, added.n_decisions};
  file.write(base + "/choices", choices, shape);
  for (const auto& [key, value] : set_attributes) file.set_attribute(base, key, value);
  for (const auto& [group, column] : old_columns)
    write_column(group + "/" + column.name, old_rows, column.values, column.attributes);
  write_column(added.group + "/" + added.name, new_rows, added.values, added.attributes);
}

}  // namespace

void add_device(const std::string& path, const std::string& start_from, const std::string& space,
                const std::string& set, const DeviceMeasurements& added) {
  H5Attributes attributes = added.attributes;
  attributes["unit"] = std::string("ms");
  change_store(path, start_from, [&](H5File& file) {
    add_column(file, space, set,
               {kLatencies, added.device, added.n_decisions, added.choices, added.latency_ms, attributes});
  });
}

void add_metric(const std::string& path, const std::string& start_from, const std::string& space,
                const std::string& set, const MetricMeasurements& added) {
  for (const char* needed : {"unit", "direction"})
    if (attribute_text(added.attributes, needed).empty())
      throw Error("metric " + added.metric + " has no " + needed + "; give it one");
  change_store(path, start_from, [&](H5File& file) {
    add_column(file, space, set,
               {kMetrics, added.metric, added.n_decisions, added.choices, added.values, added.attributes});
  });
}

}  // namespace oneproxy
