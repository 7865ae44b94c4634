#include "oneproxy/engine/device/measurement_csv.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/device/measurement_reader.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Its measurements would count twice, as repeats without noise.
void check_distinct(const std::vector<std::string>& files) {
  for (std::size_t i = 0; i < files.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (std::error_code code; files[i] == files[j] || std::filesystem::equivalent(files[i], files[j], code))
        throw Error(files[i] + ": is given twice; name each file of measurements once");
}

// Values <= 1 alone are fractions; `first` is the place of one of them, "" where there is none.
void check_percentages(const Quantity& quantity, double largest, const std::string& first) {
  if (quantity.unit == "%" && !first.empty() && largest <= 1)
    throw Error(first +
                ": no value is above 1, which would be less than 1 %; if these are fractions say --unit fraction");
}

// What is measured of one device, line after line.
class Collected {
 public:
  explicit Collected(const Quantity& quantity) { measured_.quantity = quantity; }

  void add(const std::vector<std::uint8_t>& choices, double value, const std::string& text, const std::string& place,
           std::int64_t line, Values values) {
    const auto [found, fresh] = numbers_.emplace(choices, numbers_.size());
    if (fresh) {
      measured_.choices.insert(measured_.choices.end(), choices.begin(), choices.end());
      measured_.repeats.emplace_back();
      measured_.lines.emplace_back();
    }
    if (std::isnan(value)) {
      ++measured_.n_failed;
      ++measured_.failures[text];
      return;
    }
    if (first_.empty()) first_ = place;
    largest_ = std::max(largest_, value);
    const auto number = found->second;
    measured_.repeats[number].push_back(values == Values::additive ? as_additive(measured_.quantity, value) : value);
    measured_.lines[number].push_back(line);
  }

  void add_file(const CsvTable& table, bool unit_is_said) {
    measured_.unit_is_said = (measured_.files.empty() || measured_.unit_is_said) && unit_is_said;
    measured_.files.push_back({std::filesystem::path(table.path).filename().string(), table.sha256});
  }

  MeasuredArchitectures finish() && {
    check_percentages(measured_.quantity, largest_, first_);
    for (const auto& own : measured_.repeats) measured_.latency_ms.push_back(own.empty() ? kNan : median_of(own));
    return std::move(measured_);
  }

 private:
  MeasuredArchitectures measured_;
  std::map<std::vector<std::uint8_t>, std::size_t> numbers_;
  double largest_ = 0;
  std::string first_;  // place
};

// Of a file with the devices' names in a column: those that count, all lines where there is one device.
std::string one_device(const MeasurementReader& reader, const MeasurementForm& form) {
  if (reader.roles().device < 0) return "";
  std::vector<std::string> names;
  for (const auto& row : reader.table().rows)
    if (std::find(names.begin(), names.end(), row[reader.roles().device]) == names.end())
      names.push_back(row[reader.roles().device]);
  if (names.size() < 2) return names.empty() ? "" : names[0];
  if (std::find(names.begin(), names.end(), form.device) != names.end()) return form.device;
  throw Error(reader.table().path + ": has measurements of " + std::to_string(names.size()) + " devices (" +
              join(std::span(names).first(std::min<std::size_t>(5, names.size()))) + (names.size() > 5 ? ", ..." : "") +
              "); choose one by --device " + shell_word(names[0]) + ", or take all by `oneproxy fleet`");
}

MeasuredArchitectures read(const SearchSpace& space, const std::vector<std::string>& files, const Quantity& quantity,
                           const MeasurementForm& form, Values values) {
  check_distinct(files);
  Collected collected(quantity);
  std::vector<std::string> remarks;
  const std::vector<Quantity> quantities = {quantity};
  std::int64_t line = 0;
  for (const auto& file : files) {
    CsvTable table = open_measurements(file, form, nullptr);
    ColumnRoles roles = find_columns(table, quantities, form);
    const MeasurementReader reader(space, std::move(table), std::move(roles), form, quantities, values);
    const std::string device = one_device(reader, form);
    collected.add_file(reader.table(), reader.unit_is_said());
    std::int64_t others = 0;
    for (std::size_t i = 0; i < reader.n_rows(); ++i, ++line) {
      if (reader.roles().device >= 0 && reader.table().rows[i][reader.roles().device] != device) {
        ++others;
        continue;
      }
      const double value = reader.value(i, 0);
      collected.add(reader.architecture(i), value, reader.text(i, 0), reader.place(i, 0), line, values);
    }
    for (auto& remark : reader.remarks()) remarks.push_back(std::move(remark));
    if (others > 0)
      remarks.push_back(file + ": " + count_of(others, "line") + " of other devices than " + device + " left out");
  }
  auto measured = std::move(collected).finish();
  measured.remarks = std::move(remarks);
  return measured;
}

MeasurementLine line_of(const MeasurementReader& reader, std::size_t row, std::size_t n_quantities) {
  MeasurementLine line;
  line.choices = reader.architecture(row);
  for (std::size_t i = 0; i < n_quantities; ++i) {
    line.texts.push_back(reader.text(row, i));
    line.values.push_back(reader.value(row, i));
  }
  return line;
}

}  // namespace

std::int64_t MeasuredArchitectures::n_known() const {
  return std::count_if(repeats.begin(), repeats.end(), [](const auto& own) { return !own.empty(); });
}
std::int64_t MeasuredArchitectures::n_repeated() const {
  return std::count_if(repeats.begin(), repeats.end(), [](const auto& own) { return own.size() > 1; });
}

std::string describe_failures(const std::map<std::string, std::int64_t>& failures) {
  std::vector<std::pair<std::string, std::int64_t>> sorted(failures.begin(), failures.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> parts;
  for (const auto& [text, n] : sorted)
    parts.push_back(std::to_string(n) + (text.empty() ? " empty" : " '" + text + "'"));
  return join(parts);
}

MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const MeasurementForm& form) {
  return read(space, files, latency_quantity(), form, Values::additive);
}

MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const Quantity& quantity, const MeasurementForm& form) {
  return read(space, files, quantity, form, Values::additive);
}

MeasuredArchitectures read_metric(const SearchSpace& space, const std::vector<std::string>& files,
                                  const Quantity& quantity, const MeasurementForm& form) {
  return read(space, files, quantity, form, Values::as_they_are);
}

MeasuredDevices read_device_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                         const MeasurementForm& form) {
  check_distinct(files);
  MeasuredDevices all;
  const std::vector<Quantity> quantities = {latency_quantity()};
  std::vector<std::string> names;
  std::vector<Collected> collected;
  const auto device = [&](const std::string& name) -> Collected& {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return collected[found - names.begin()];
    names.push_back(name);
    return collected.emplace_back(quantities[0]);
  };
  std::int64_t line = 0;
  for (const auto& file : files) {
    CsvTable table = open_measurements(file, form, nullptr);
    ColumnRoles roles = find_device_columns(table, form);
    const MeasurementReader reader(space, std::move(table), std::move(roles), form, quantities, Values::additive);
    std::vector<std::string> of_file;
    const auto take = [&](const std::string& name, std::size_t row, std::size_t column) {
      auto& own = device(name);
      if (std::find(of_file.begin(), of_file.end(), name) == of_file.end()) {
        of_file.push_back(name);
        own.add_file(reader.table(), reader.unit_is_said());
      }
      const double value = reader.value(row, column);
      own.add(reader.architecture(row), value, reader.text(row, column), reader.place(row, column), line,
              Values::additive);
    };
    for (std::size_t i = 0; i < reader.n_rows(); ++i, ++line) {
      if (reader.roles().device < 0) {
        for (std::size_t c = 0; c < reader.roles().values.size(); ++c) take(reader.roles().values[c].device, i, c);
        continue;
      }
      const auto& name = reader.table().rows[i][reader.roles().device];
      if (name.empty()) throw Error(reader.table().location(i) + ": names no device; fill it in, or remove the line");
      take(name, i, 0);
    }
    for (auto& remark : reader.remarks()) all.remarks.push_back(std::move(remark));
  }
  for (std::size_t i = 0; i < names.size(); ++i) all.devices.push_back({names[i], std::move(collected[i]).finish()});
  return all;
}

std::vector<MeasurementLine> read_measurement_lines(const SearchSpace& space, const std::vector<std::string>& files,
                                                    const std::vector<Quantity>& quantities,
                                                    const MeasurementForm& form, std::vector<std::string>& remarks) {
  check_distinct(files);
  std::vector<MeasurementLine> lines;
  std::vector<double> largest(quantities.size());
  std::vector<std::string> first(quantities.size());
  for (const auto& file : files) {
    CsvTable table = open_measurements(file, form, nullptr);
    ColumnRoles roles = find_columns(table, quantities, form);
    const MeasurementReader reader(space, std::move(table), std::move(roles), form, quantities, Values::additive);
    one_device(reader, form);
    for (std::size_t row = 0; row < reader.n_rows(); ++row) {
      lines.push_back(line_of(reader, row, quantities.size()));
      for (std::size_t i = 0; i < quantities.size(); ++i) {
        const auto& line = lines.back();
        if (std::isnan(line.values[i])) continue;
        if (first[i].empty()) first[i] = reader.place(row, i);
        largest[i] = std::max(largest[i], line.values[i]);
      }
    }
    for (auto& remark : reader.remarks()) remarks.push_back(std::move(remark));
  }
  for (std::size_t i = 0; i < quantities.size(); ++i) check_percentages(quantities[i], largest[i], first[i]);
  return lines;
}

CheckedLines check_measurement_lines(const SearchSpace& space, const std::string& file,
                                     const std::vector<Quantity>& quantities, const MeasurementForm& form) {
  CheckedLines checked;
  try {
    CsvTable table = open_measurements(file, form, &checked.faults);
    ColumnRoles roles = find_columns(table, quantities, form);
    const MeasurementReader reader(space, std::move(table), std::move(roles), form, quantities, Values::additive);
    for (std::size_t row = 0; row < reader.n_rows(); ++row) try {
        checked.lines.push_back(line_of(reader, row, quantities.size()));
      } catch (const Error& error) {
        checked.faults.push_back(error.what());
      }
  } catch (const Error& error) {
    checked.faults.push_back(error.what());
  }
  return checked;
}

std::vector<std::uint8_t> read_architectures(const SearchSpace& space, const std::vector<std::string>& files,
                                             const MeasurementForm& form) {
  std::vector<std::uint8_t> all;
  std::map<std::vector<std::uint8_t>, bool> seen;
  for (const auto& file : files) {
    const CsvTable table = open_measurements(file, form, nullptr);
    const int column = find_architectures(table, form);
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      const auto choices = architecture_of(space, table, i, column);
      if (seen.emplace(choices, true).second) all.insert(all.end(), choices.begin(), choices.end());
    }
  }
  return all;
}

bool has_values(const std::string& file, const Quantity& quantity, const MeasurementForm& form) {
  const CsvTable table = open_measurements(file, form, nullptr);
  try {
    return !find_columns(table, {quantity}, form).values.empty();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace oneproxy
