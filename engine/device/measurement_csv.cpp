#include "oneproxy/engine/device/measurement_csv.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <sstream>

#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// The first two are of measurements, the others of a plan or of a batch of the front's loop, for people.
const std::vector<std::string> kColumns = {"arch", "repeat", "order", "index", "decisions", "macs", "quality", "gain"};
constexpr const char* kLatency = "latency_ms";
constexpr std::uint64_t kLargestResult = std::uint64_t{64} << 20;

std::string header(const std::string& column) {
  return "the header should be arch," + column + "[,repeat]; `oneproxy plan` writes such a file";
}

// The number of the column with the values.
int value_column(const CsvTable& table, const Quantity& quantity) {
  const int named = table.column(quantity.name);
  if (quantity.name == kLatency) {
    if (named < 0) throw Error(table.path + ": has no column 'latency_ms'; " + header(kLatency));
    return named;
  }
  const int value = table.column("value");
  if (named >= 0 && value >= 0)
    throw Error(table.path + ": has a column '" + quantity.name + "' and a column 'value'; remove one of them");
  if (named < 0 && value < 0)
    throw Error(table.path + ": has neither a column '" + quantity.name + "' nor 'value'; " + header(quantity.name));
  return std::max(named, value);
}

// Latencies have files of their own. Other quantities may stand side by side in one: who reads one ignores the others.
void check_columns(const CsvTable& table) {
  for (const auto& column : table.columns)
    if (column != kLatency && std::find(kColumns.begin(), kColumns.end(), column) == kColumns.end())
      throw Error(table.path + ": unknown column '" + column + "'; " + header(kLatency));
}

void require_architectures(const CsvTable& table) {
  if (table.column("arch") < 0) throw Error(table.path + ": has no column 'arch'; " + header(kLatency));
}

CsvTable open(const std::string& file) {
  CsvTable table = read_csv(file);
  require_architectures(table);
  return table;
}

std::vector<std::uint8_t> architecture(const SearchSpace& space, const CsvTable& table, std::size_t row) {
  try {
    return space.parse(table.rows[row][table.column("arch")]);
  } catch (const Error& error) {
    throw Error(table.location(row) + ": " + error.what());
  }
}

// Its measurements would count twice, as repeats without noise.
void check_distinct(const std::vector<std::string>& files) {
  for (std::size_t i = 0; i < files.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (std::error_code code; files[i] == files[j] || std::filesystem::equivalent(files[i], files[j], code))
        throw Error(files[i] + ": is given twice; name each file of measurements once");
}

// Numbers the architectures of the files, each once.
class DistinctArchitectures {
 public:
  explicit DistinctArchitectures(const SearchSpace& space) : space_(space) {}

  std::size_t number_of(const CsvTable& table, std::size_t row) {
    const auto choices = architecture(space_, table, row);
    const auto [found, fresh] = numbers_.emplace(choices, numbers_.size());
    if (fresh) all_.insert(all_.end(), choices.begin(), choices.end());
    return found->second;
  }
  std::vector<std::uint8_t> all() && { return std::move(all_); }

 private:
  const SearchSpace& space_;
  std::map<std::vector<std::uint8_t>, std::size_t> numbers_;
  std::vector<std::uint8_t> all_;
};

// What adds up over the parts of a network, for a predictor; or the values themselves, which may be 0.
enum class Values { additive, as_they_are };

// NaN for a failed measurement (empty, nan, or -1 as some tools write it).
double parse_value(const std::string& text, double scale, const Quantity& quantity, Values values,
                   const std::string& place) {
  if (text.empty()) return kNan;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool number = end != text.c_str() && *end == '\0';
  if (number && (std::isnan(value) || value == -1)) return kNan;
  const std::string what = place + ": " + quantity.name + " = '" + text + "'";
  if (values == Values::as_they_are && value == 0 && number) return 0;
  if (number && value < 0 && values == Values::as_they_are)
    throw Error(what + " is below 0; store what is 0 or more (its negative, with the other --direction)");
  if (!number || !(value > 0) || std::isinf(value))
    throw Error(what + " should be a positive number" + (quantity.name == kLatency ? " of milliseconds" : "") +
                "; write nothing for a failed measurement");
  check_measured(value * scale, quantity, what);
  return value * scale;
}

// Values <= 1 alone are fractions; `first` is the place of one of them, "" where there is none.
void check_percentages(const Quantity& quantity, double largest, const std::string& first) {
  if (quantity.unit == "%" && !first.empty() && largest <= 1)
    throw Error(first +
                ": no value is above 1, which would be less than 1 %; if these are fractions say --unit fraction");
}

}  // namespace

double to_ms(const std::string& unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "us") return 1e-3;
  throw Error("unit '" + unit + "' of latencies should be ms, s or us");
}

std::int64_t MeasuredArchitectures::n_known() const {
  return std::count_if(repeats.begin(), repeats.end(), [](const auto& own) { return !own.empty(); });
}
std::int64_t MeasuredArchitectures::n_repeated() const {
  return std::count_if(repeats.begin(), repeats.end(), [](const auto& own) { return own.size() > 1; });
}

namespace {

MeasuredArchitectures read(const SearchSpace& space, const std::vector<std::string>& files, const Quantity& quantity,
                           double scale, Values values) {
  MeasuredArchitectures measured;
  measured.quantity = quantity;
  DistinctArchitectures distinct(space);
  std::int64_t line = 0;
  check_distinct(files);
  double largest = 0;
  std::string first;  // place
  for (const auto& file : files) {
    const CsvTable table = open(file);
    const int column = value_column(table, quantity);
    if (quantity.name == kLatency) check_columns(table);
    measured.files.push_back({std::filesystem::path(file).filename().string(), table.sha256});
    for (std::size_t i = 0; i < table.rows.size(); ++i, ++line) {
      const std::size_t number = distinct.number_of(table, i);
      if (number == measured.repeats.size()) {
        measured.repeats.emplace_back();
        measured.lines.emplace_back();
      }
      const double value = parse_value(table.rows[i][column], scale, quantity, values, table.location(i));
      if (std::isnan(value)) {
        ++measured.n_failed;
        continue;
      }
      if (first.empty()) first = table.location(i) + ": " + quantity.name + " = '" + table.rows[i][column] + "'";
      largest = std::max(largest, value);
      measured.repeats[number].push_back(values == Values::additive ? as_additive(quantity, value) : value);
      measured.lines[number].push_back(line);
    }
  }
  check_percentages(quantity, largest, first);
  measured.choices = std::move(distinct).all();
  for (const auto& own : measured.repeats) measured.latency_ms.push_back(own.empty() ? kNan : median_of(own));
  return measured;
}

}  // namespace

MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const std::string& unit) {
  return read(space, files, latency_quantity(), to_ms(unit), Values::additive);
}

MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const Quantity& quantity) {
  return read(space, files, quantity, 1, Values::additive);
}

MeasuredArchitectures read_metric(const SearchSpace& space, const std::vector<std::string>& files,
                                  const Quantity& quantity) {
  return read(space, files, quantity, 1, Values::as_they_are);
}

namespace {

// Where the columns of the quantities are in a table.
std::vector<int> places_of(const CsvTable& table, const std::vector<MeasuredColumn>& columns) {
  std::vector<int> places;
  for (const auto& one : columns) places.push_back(value_column(table, one.quantity));
  if (columns.size() > 1 && places[0] == places[1])
    throw Error(table.path + ": has one column 'value' for " + columns[0].quantity.name + " and " +
                columns[1].quantity.name + "; give each a column of its name");
  if (columns.size() == 1 && columns[0].quantity.name == kLatency) check_columns(table);
  return places;
}

// The table of a header and of one line, which is the file's line `number`.
CsvTable one_row(const std::string& file, const std::string& header, const std::string& line, int number) {
  try {
    CsvTable table = parse_csv(file, header + "\n" + line);
    for (auto& own : table.lines) own = number;
    return table;
  } catch (const Error& error) {
    const std::string here = file + ":2", what = error.what();
    throw Error(what.starts_with(here) ? file + ":" + std::to_string(number) + what.substr(here.size()) : what);
  }
}

MeasurementLine line_of(const SearchSpace& space, const CsvTable& table, std::size_t row,
                        const std::vector<MeasuredColumn>& columns, const std::vector<int>& places) {
  MeasurementLine line;
  line.choices = architecture(space, table, row);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    line.texts.push_back(table.rows[row][places[i]]);
    line.values.push_back(
        parse_value(line.texts.back(), columns[i].to_unit, columns[i].quantity, Values::additive, table.location(row)));
  }
  return line;
}

}  // namespace

std::vector<MeasurementLine> read_measurement_lines(const SearchSpace& space, const std::vector<std::string>& files,
                                                    const std::vector<MeasuredColumn>& columns) {
  check_distinct(files);
  std::vector<MeasurementLine> lines;
  std::vector<double> largest(columns.size());
  std::vector<std::string> first(columns.size());
  for (const auto& file : files) {
    const CsvTable table = open(file);
    const auto places = places_of(table, columns);
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      lines.push_back(line_of(space, table, row, columns, places));
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto& line = lines.back();
        if (std::isnan(line.values[i])) continue;
        if (first[i].empty())
          first[i] = table.location(row) + ": " + columns[i].quantity.name + " = '" + line.texts[i] + "'";
        largest[i] = std::max(largest[i], line.values[i]);
      }
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i) check_percentages(columns[i].quantity, largest[i], first[i]);
  return lines;
}

CheckedLines check_measurement_lines(const SearchSpace& space, const std::string& file,
                                     const std::vector<MeasuredColumn>& columns) {
  CheckedLines checked;
  try {
    std::istringstream in(read_file(file, kLargestResult));
    std::string header, line;
    // Each line with the header is a table of its own, so that a broken one takes no other with it.
    for (int number = 1; std::getline(in, line); ++number) {
      if (header.empty()) {
        if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '#') continue;
        header = line;
        const CsvTable table = parse_csv(file, header);
        require_architectures(table);
        places_of(table, columns);
        continue;
      }
      try {
        const CsvTable table = one_row(file, header, line, number);
        if (table.rows.empty()) continue;
        checked.lines.push_back(line_of(space, table, 0, columns, places_of(table, columns)));
      } catch (const Error& error) {
        checked.faults.push_back(error.what());
      }
    }
    if (header.empty()) checked.faults.push_back(file + ": is empty");
  } catch (const Error& error) {
    checked.faults.push_back(error.what());
  }
  return checked;
}

std::vector<std::uint8_t> read_architectures(const SearchSpace& space, const std::vector<std::string>& files) {
  DistinctArchitectures distinct(space);
  for (const auto& file : files) {
    const CsvTable table = open(file);
    for (std::size_t i = 0; i < table.rows.size(); ++i) distinct.number_of(table, i);
  }
  return std::move(distinct).all();
}

}  // namespace oneproxy
