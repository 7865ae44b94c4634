#pragma once
// Which column of a person's CSV is what: its header is recognised in the ways that people write it, and what is not
// read is named. Two columns that may both be meant are refused, never chosen between.
#include <string>
#include <vector>

#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/data/number_text.h"
#include "oneproxy/engine/device/quantity.h"

namespace oneproxy {

// What options say about the files; what they leave open is recognised.
struct MeasurementForm {
  std::string unit = {};  // of latencies: ms, s, us or ns; "": what a header or a field says, else ms
  DecimalMark decimal = DecimalMark::recognised;
  // Names of the columns of a file without a header, in order ("-": not read); or "ROLE=HEADER" for a header that is
  // not recognised, with the roles arch, latency_ms (or the quantity's name), device, unit.
  std::vector<std::string> columns = {};
  std::string device = {};  // which one of a file with several; "": there is one
};

// A file as a table, by what `form` says of its columns. Errors: as read_csv, a form of columns that is none.
// `faults` as in CsvForm.
CsvTable open_measurements(const std::string& path, const MeasurementForm& form, std::vector<std::string>* faults);

struct ValueColumn {
  int column = -1;
  std::string device = {};  // whose values, where each device has a column
  std::string unit = {};    // of latencies, as the header names it; "": it does not
};

struct IgnoredColumn {
  std::string header, why;
};

struct ColumnRoles {
  int arch = -1, device = -1, unit = -1;
  std::vector<ValueColumn> values;
  std::vector<IgnoredColumn> ignored;
};

// The columns of these quantities. Of latencies that have no column, but one a device, that of form.device. Errors,
// with the remedy: no column of architectures or of a quantity, two that may be.
ColumnRoles find_columns(const CsvTable& table, const std::vector<Quantity>& quantities, const MeasurementForm& form);

// The columns of many devices: one a device ("wide"), or one of latencies beside one with the devices' names ("long").
// Every column of numbers that has a name of its own is a device, but for those that usually stand beside latencies.
ColumnRoles find_device_columns(const CsvTable& table, const MeasurementForm& form);

// Of architectures alone.
int find_architectures(const CsvTable& table, const MeasurementForm& form);

// Whether a text stands for a measurement that failed: empty, nan, NA, -1, timeout, error, inf, ...
bool is_failure(const std::string& text);

}  // namespace oneproxy
