#include "experiments/cli/import_list.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "experiments/cli/list_columns.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Numbers of a column of the CSV, for the store.
struct Measured {
  std::string name;                  // there
  std::vector<double> values;        // [n rows of the CSV]
  std::string unit, direction = {};  // direction "": a latency
};

// The name of a column that matches a pattern: without what the pattern says behind or before a '*' at its beginning or
// its end, else whole. Nothing where it does not match.
std::optional<std::string> matched(const std::string& pattern, const std::string& text) {
  const auto star = pattern.find('*');
  if (star == std::string::npos) return pattern == text ? std::optional(text) : std::nullopt;
  const std::string before = pattern.substr(0, star), after = pattern.substr(star + 1);
  if (text.size() < before.size() + after.size() || !text.starts_with(before) || !text.ends_with(after))
    return std::nullopt;
  const auto inner = text.substr(before.size(), text.size() - before.size() - after.size());
  return inner.empty() || (!before.empty() && !after.empty()) ? text : inner;
}

struct Match {
  int column;
  std::string inner;
};

std::vector<Match> columns_like(const CsvTable& table, const std::string& pattern, const std::string& option) {
  if (std::count(pattern.begin(), pattern.end(), '*') > 1)
    throw Error(option + " '" + pattern + "' has two '*'; one may stand for anything");
  std::vector<Match> found;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (const auto inner = matched(pattern, table.columns[i])) found.push_back({static_cast<int>(i), *inner});
  if (found.empty())
    throw Error(table.path + ": " + option + ": " + unknown_name("column", pattern, "", table.columns));
  return found;
}

// Names in a store have no '/', ':' or blanks.
std::string store_name(std::string name) {
  for (char& c : name)
    if (c == '/' || c == ':' || c == ' ' || c == '"' || c == '\'') c = '-';
  return name[0] == '.' || name == "all" ? "_" + name : name;
}

bool is_missing(const std::string& text) { return text.empty() || text == "-1" || text == "nan" || text == "NaN"; }

std::vector<double> numbers_of(const CsvTable& table, int column) {
  std::vector<double> values;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto& text = table.rows[i][column];
    values.push_back(is_missing(text) ? kNan : number_of(text));
    if (!is_missing(text) && !std::isfinite(values.back()))
      throw Error(table.location(i) + ": " + table.columns[column] + " = '" + text +
                  "' should be a number; write nothing where it is not known");
  }
  if (std::all_of(values.begin(), values.end(), [](double v) { return std::isnan(v); }))
    throw Error(table.path + ": column '" + table.columns[column] + "' has no number");
  return values;
}

std::vector<Measured> read_devices(const CsvTable& table, const ListImport& options) {
  std::vector<Measured> devices;
  for (const auto& pattern : options.devices)
    for (const auto& [column, inner] : columns_like(table, pattern, "--devices")) {
      Measured device{store_name(inner), numbers_of(table, column), "ms"};
      for (std::size_t i = 0; i < device.values.size(); ++i) {
        double& value = device.values[i];
        if (std::isnan(value)) continue;
        const std::string place =
            table.location(i) + ": " + table.columns[column] + " = '" + table.rows[i][column] + "'";
        if (!(value > 0)) throw Error(place + " should be above 0, or empty where the measurement failed");
        value *= to_ms(options.unit);
        check_latency(value, place);
      }
      devices.push_back(std::move(device));
    }
  return devices;
}

// "COLUMN:max:UNIT"; the column may have colons of its own.
std::vector<Measured> read_metrics(const CsvTable& table, const ListImport& options) {
  std::vector<Measured> metrics;
  for (const auto& text : options.metrics) {
    const auto unit_at = text.rfind(':');
    const auto direction_at =
        unit_at == std::string::npos || unit_at == 0 ? std::string::npos : text.rfind(':', unit_at - 1);
    const std::string direction =
        direction_at == std::string::npos ? "" : text.substr(direction_at + 1, unit_at - direction_at - 1);
    const std::string unit = unit_at == std::string::npos ? "" : text.substr(unit_at + 1);
    if ((direction != "max" && direction != "min") || unit.empty())
      throw Error("--metrics '" + text +
                  "' should be COLUMN:max:UNIT or COLUMN:min:UNIT, for example mAP:max:fraction");
    for (const auto& [column, inner] : columns_like(table, text.substr(0, direction_at), "--metrics")) {
      Measured metric{store_name(table.columns[column]), numbers_of(table, column), unit,
                      direction == "max" ? "maximised" : "minimised"};
      for (std::size_t i = 0; i < metric.values.size(); ++i)
        if (unit == "fraction" && (metric.values[i] < 0 || metric.values[i] > 1))
          throw Error(table.location(i) + ": " + table.columns[column] + " = '" + table.rows[i][column] +
                      "' is no fraction; a fraction is 0 to 1: give the unit it has, for example %");
      metrics.push_back(std::move(metric));
    }
  }
  return metrics;
}

std::string name_column(const CsvTable& table, const std::string& asked) {
  if (!asked.empty()) {
    if (table.column(asked) < 0)
      throw Error(table.path + ": --names: " + unknown_name("column", asked, "", table.columns));
    return asked;
  }
  for (const char* usual : {"name", "model_name", "model", "network", "arch"})
    if (table.column(usual) >= 0) return usual;
  throw Error(table.path +
              ": no column is called name, model_name, model, network or arch; --names says which has the "
              "networks' names (there are " +
              join(table.columns) + ")");
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const auto& text : texts) quoted.push_back("\"" + text + "\"");
  return "[" + join(quoted) + "]";
}

// The file of the space and its list: whole or not at all, and gone again where what follows fails.
class WrittenSpace {
 public:
  WrittenSpace(const std::string& file, const CsvTable& from, const std::vector<std::string>& names,
               const ListColumns& columns)
      : toml_(file), csv_((fs::path(file).parent_path() / (fs::path(file).stem().string() + "_list.csv")).string()) {
    if (!file.ends_with(".toml")) throw Error("--space-file " + file + " should end in .toml");
    for (const auto& path : {toml_, csv_})
      if (file_exists(path)) throw Error(path + " is there already; remove it, or choose another --space-file");
    std::string list = "name", words, numbers;
    std::vector<std::string> decisions, features;
    for (const auto& column : columns.columns) {
      list += "," + csv_field(column.name);
      if (column.decision) decisions.push_back(column.name);
      if (column.feature) features.push_back(column.name);
    }
    list += "\n";
    for (std::size_t i = 0; i < names.size(); ++i) {
      list += csv_field(names[i]);
      for (const auto& column : columns.columns) list += "," + csv_field(column.values[i]);
      list += "\n";
    }
    write_file_atomically(csv_, list);
    written_ = true;
    try {
      write_file_atomically(toml_, "# Networks of " + fs::path(from.path).filename().string() +
                                       ", listed by `oneproxy import --list`.\nname = \"" +
                                       fs::path(file).stem().string() + "\"\nstring_form = \"listed\"\nlist = \"" +
                                       fs::path(csv_).filename().string() + "\"\nchecksum = \"" + sha256_hex(list) +
                                       "\"\nname_column = \"name\"\ndecision_columns = " + quoted_list(decisions) +
                                       "\nfeature_columns = " + quoted_list(features) + "\n");
    } catch (...) {
      undo();
      throw;
    }
  }
  WrittenSpace(const WrittenSpace&) = delete;
  WrittenSpace& operator=(const WrittenSpace&) = delete;
  ~WrittenSpace() { undo(); }
  void keep() { written_ = false; }

 private:
  void undo() {
    if (!std::exchange(written_, false)) return;
    std::error_code ignored;
    fs::remove(toml_, ignored);
    fs::remove(csv_, ignored);
  }
  std::string toml_, csv_;
  bool written_ = false;
};

// Columns over all rows of the space, into its set; columns of the same name are replaced.
void write_set(H5File& file, const SearchSpace& space, const std::string& base, const ListImport& options,
               const std::vector<Measured>& columns, const std::vector<std::int64_t>& rows) {
  const auto& list = space.list();
  const auto n = static_cast<std::int64_t>(list.names.size());
  if (file.exists(base)) {
    if (file.read_bytes(base + "/choices") != list.choices)
      throw Error(file.path() + ": " + base + " is of another list of networks; choose another --set or --store");
  } else {
    const std::int64_t shape[] = {n, space.n_decisions()};
    file.write(base + "/choices", list.choices, shape);
    file.set_attribute(base, "description", "networks of " + fs::path(options.list).filename().string());
    file.set_attribute(base, "source",
                       options.source.empty() ? fs::path(options.list).filename().string() : options.source);
    file.set_attribute(base, "licence", options.licence);
  }
  for (const auto& column : columns) {
    std::vector<double> spread(n, kNan);
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i] >= 0) spread[rows[i]] = column.values[i];
    const std::string dataset = base + (column.direction.empty() ? "/latency_ms/" : "/metrics/") + column.name;
    if (file.exists(dataset)) file.remove(dataset);
    file.write(dataset, spread, std::span(&n, 1));
    file.set_attribute(dataset, "unit", column.unit);
    file.set_attribute(dataset, "source",
                       options.source.empty() ? fs::path(options.list).filename().string() : options.source);
    file.set_attribute(dataset, "licence", options.licence);
    if (!column.direction.empty()) {
      file.set_attribute(dataset, "direction", column.direction);
    } else {
      file.set_attribute(dataset, "precision", options.precision);
      file.set_attribute(dataset, "batch", options.batch);
    }
  }
}

std::string describe(const std::vector<Measured>& columns, const std::vector<std::int64_t>& rows) {
  Table table({"device or metric", "unit", "known", "missing", "smallest", "largest"});
  for (const auto& column : columns) {
    std::vector<double> known;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i] >= 0 && !std::isnan(column.values[i])) known.push_back(column.values[i]);
    const auto n = std::count_if(rows.begin(), rows.end(), [](auto row) { return row >= 0; });
    const auto [low, high] = std::minmax_element(known.begin(), known.end());
    table.row({(column.direction.empty() ? "" : "metric ") + column.name,
               column.unit + (column.direction.empty() ? "" : ", " + column.direction), std::to_string(known.size()),
               std::to_string(n - std::ssize(known)), known.empty() ? "-" : brief(*low),
               known.empty() ? "-" : brief(*high)});
  }
  return columns.empty() ? "" : table.markdown();
}

void check_distinct(const std::vector<Measured>& columns, const std::string& where) {
  for (std::size_t i = 0; i < columns.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (columns[i].name == columns[j].name && columns[i].direction.empty() == columns[j].direction.empty())
        throw Error(where + ": two columns become '" + columns[i].name + "' in the store; name them apart");
}

}  // namespace

std::string import_list(const ListImport& options) {
  const CsvTable table = read_csv(options.list);
  if (!options.devices.empty() && options.unit.empty())
    throw Error("--unit is missing: " + options.list + " does not say whether its latencies are in ms, s, us or ns");
  auto measured = read_devices(table, options);
  for (auto& metric : read_metrics(table, options)) measured.push_back(std::move(metric));
  check_distinct(measured, options.list);
  const auto names = network_names(table, name_column(table, options.names));

  std::optional<WrittenSpace> written;
  std::string text;
  if (!options.space_file.empty()) {
    std::vector<std::string> features;
    for (const auto& pattern : options.features)
      for (const auto& match : columns_like(table, pattern, "--features"))
        features.push_back(table.columns[match.column]);
    const auto columns = list_columns(table, names, features);
    for (const auto& remark : columns.remarks) log_warning(table.path + ": " + remark);
    written.emplace(options.space_file, table, names, columns);
  }
  const std::string reference = options.space_file.empty() ? options.space : options.space_file;
  const SearchSpace space = SearchSpace::load(reference);
  if (!space.is_listed())
    throw Error("space " + space.name() + " is no list of networks; --list adds to one, or makes one by --space-file");
  std::vector<std::int64_t> rows;
  std::vector<std::string> foreign;
  for (const auto& name : names) {
    rows.push_back(row_of(space.list(), name));
    if (rows.back() < 0) foreign.push_back(name);
  }
  if (foreign.size() == names.size())
    throw Error(table.path + ": none of its " + std::to_string(names.size()) + " networks is in the list of " +
                reference + ", for example not '" + names.front() + "'");
  if (!foreign.empty())
    log_warning(table.path + ": " + count_of(std::ssize(foreign), "network") + " are not in the list of " + reference +
                " and are left out, for example " + foreign.front());
  const std::string set = options.set.empty() ? kListSet : options.set;
  if (!measured.empty())
    change_store(options.store, shipped_store(), [&](H5File& file) {
      write_set(file, space, "/spaces/" + space.name() + "/" + set, options, measured, rows);
    });
  if (written) written->keep();
  text = reference + ": " + count_of(std::ssize(space.list().names), "network") + ", told apart by";
  for (const auto& decision : space.decisions())
    text += " " + decision.name + " (" + std::to_string(decision.choices.size()) + ")";
  if (!space.list().features.empty()) text += "; numbers: " + join(space.list().features);
  text += "\n";
  if (!measured.empty()) text += options.store + ": set " + set + "\n" + describe(measured, rows);
  return text + "See it:\n  oneproxy info " + shell_word(reference) + "\n";
}

}  // namespace oneproxy
