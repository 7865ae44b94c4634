#include "oneproxy/engine/device/measurement_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/device/latency_unit.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kLatency = "latency_ms";

std::string lines_of(const std::vector<int>& lines) {
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < std::min<std::size_t>(5, lines.size()); ++i) numbers.push_back(std::to_string(lines[i]));
  return join(numbers) + (lines.size() > 5 ? ", ..." : "");
}

}  // namespace

std::vector<std::uint8_t> architecture_of(const SearchSpace& space, const CsvTable& table, std::size_t row,
                                          int column) {
  try {
    return space.parse(table.rows[row][column]);
  } catch (const Error& error) {
    throw Error(table.location(row) + ": " + error.what());
  }
}

MeasurementReader::MeasurementReader(const SearchSpace& space, CsvTable table, ColumnRoles roles,
                                     const MeasurementForm& form, const std::vector<Quantity>& quantities,
                                     Values values)
    : space_(space),
      table_(std::move(table)),
      roles_(std::move(roles)),
      form_(form),
      quantities_(quantities),
      values_(values) {
  if (!form.unit.empty()) to_ms(form.unit);
  bool each_says = true;
  for (std::size_t c = 0; c < roles_.values.size(); ++c) {
    const auto& column = roles_.values[c];
    const auto& header = table_.columns[column.column];
    const bool latency = quantity(c).name == kLatency;
    // A plan's own header is what people fill in, whatever they measure in.
    if (latency && !form.unit.empty() && !column.unit.empty() && header != kLatency &&
        column.unit != latency_unit(form.unit))
      throw Error(table_.path + ": column '" + header + "' is in " + column.unit + ", and --unit says " + form.unit +
                  "; leave --unit out, or name the column otherwise");
    std::vector<PlacedText> texts;
    for (std::size_t i = 0; i < table_.rows.size(); ++i) {
      const auto& text = table_.rows[i][column.column];
      if (is_failure(text)) continue;
      texts.push_back({text, place(i, c)});
      const auto number = split_number(text);
      each_says = each_says && (roles_.unit >= 0 || (number && !latency_unit(number->unit).empty()));
    }
    marks_.push_back(form.decimal == DecimalMark::recognised ? common_mark(texts) : form.decimal);
  }
  unit_is_said_ = !form.unit.empty() || each_says;
}

std::vector<std::uint8_t> MeasurementReader::architecture(std::size_t row) const {
  return architecture_of(space_, table_, row, roles_.arch);
}

const std::string& MeasurementReader::text(std::size_t row, std::size_t column) const {
  return table_.rows[row][roles_.values[column].column];
}

std::string MeasurementReader::place(std::size_t row, std::size_t column) const {
  const auto& one = roles_.values[column];
  return table_.location(row) + ": " + (one.device.empty() ? quantity(column).name : one.device) + " = '" +
         text(row, column) + "'";
}

// From what stands in the file to the quantity's unit. `unit`: what stands behind the number.
double MeasurementReader::scale(std::size_t row, std::size_t column, const std::string& unit) const {
  const auto& one = quantity(column);
  const std::string beside = roles_.unit >= 0 && one.name == kLatency ? table_.rows[row][roles_.unit] : "";
  if (one.name != kLatency) {
    if (!unit.empty() && unit != one.unit)
      throw Error(place(row, column) + " is in " + unit + ", and " + one.name + " is read in " + one.unit +
                  "; say --unit " + shell_word(unit) + ", or convert the values");
    return 1;
  }
  for (const auto& text : {unit, beside})
    if (!text.empty() && latency_unit(text).empty())
      throw Error(place(row, column) + " should be a positive number of milliseconds, and '" + text +
                  "' is no unit of time (ms, s, us, ns); write nothing for a failed measurement");
  const std::string own = latency_unit(unit.empty() ? beside : unit);
  if (!own.empty()) {
    if (!form_.unit.empty() && latency_unit(form_.unit) != own)
      throw Error(place(row, column) + " is in " + own + ", and --unit says " + form_.unit + "; leave --unit out");
    return to_ms(own);
  }
  if (!form_.unit.empty()) return to_ms(form_.unit);
  const auto& header = roles_.values[column].unit;
  return header.empty() ? 1 : to_ms(header);
}

double MeasurementReader::value(std::size_t row, std::size_t column) const {
  const std::string& all = text(row, column);
  if (is_failure(all)) return kNan;
  const auto& one = quantity(column);
  const auto number = split_number(all);
  const auto read = number ? number_by(number->digits, marks_[column]) : std::nullopt;
  const std::string what = place(row, column);
  const auto no_number = [&] {
    throw Error(what + " should be a positive number" + (one.name == kLatency ? " of milliseconds" : "") +
                "; write nothing for a failed measurement");
  };
  if (!read) no_number();
  const double scaled = *read * scale(row, column, number->unit);
  if (values_ == Values::as_they_are && scaled == 0) return 0;
  if (values_ == Values::as_they_are && scaled < 0)
    throw Error(what + " is below 0; store what is 0 or more (its negative, with the other --direction)");
  if (!(scaled > 0)) no_number();
  check_measured(scaled, one, what);
  return scaled;
}

std::vector<std::string> MeasurementReader::remarks() const {
  std::vector<std::string> all;
  if (!roles_.ignored.empty()) {
    std::vector<std::string> names;
    for (const auto& [header, why] : roles_.ignored)
      names.push_back("'" + header + "'" + (why == "is not read" ? "" : " (it " + why + ")"));
    all.push_back(table_.path + ": not read: " + (names.size() == 1 ? "column " : "columns ") + join(names));
  }
  if (!table_.blank.empty())
    all.push_back(table_.path + ": " + count_of(std::ssize(table_.blank), "line") +
                  " without anything but delimiters left out: " + lines_of(table_.blank));
  for (std::size_t c = 0; c < roles_.values.size(); ++c) {
    const auto& column = roles_.values[c];
    const auto& header = table_.columns[column.column];
    if (marks_[c] == DecimalMark::comma) all.push_back(table_.path + ": '" + header + "' has decimal commas");
    if (quantity(c).name != kLatency) continue;
    if (form_.unit.empty() && !column.unit.empty() && column.unit != "ms")
      all.push_back(table_.path + ": '" + header + "' is in " + column.unit + " and is converted to ms");
  }
  return all;
}

}  // namespace oneproxy
