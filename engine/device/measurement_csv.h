#pragma once
// A person's measurements of a device, from CSV files with columns for architectures and latencies (or another
// quantity), as `oneproxy plan` writes them to be filled in or as people have them: other names of columns, units in
// the header or behind the number, decimal commas, words for failures (measurement_columns.h says what is recognised).
// Several files count as one, in the order in which they are given. All that reads such files reads them here.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "oneproxy/engine/device/latency_unit.h"
#include "oneproxy/engine/device/measurement_columns.h"
#include "oneproxy/engine/device/quantity.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

struct MeasurementFile {
  std::string name, sha256;  // without its folder
};

// What measurements are of, if nothing else is said.
inline Quantity latency_quantity() { return {"latency_ms", "latency", "ms", Direction::minimise}; }

struct MeasuredArchitectures {
  Quantity quantity = latency_quantity();
  std::vector<MeasurementFile> files;  // that they are from; none where a program measured

  std::vector<std::uint8_t> choices;  // [n, n_decisions] each architecture once, in the order of the files
  // [n] those that succeeded, in the order of the files: ms; of another quantity what a predictor is adapted to
  // (as_additive of quantity.h: of a rate the time of an item in ms)
  std::vector<std::vector<double>> repeats;
  // [n] of each repeat: its line of all files, from 0; for the order in time
  std::vector<std::vector<std::int64_t>> lines;
  std::vector<double> latency_ms;  // [n] likewise: median of the repeats, NaN where none succeeded
  std::int64_t n_failed = 0;       // lines without a value

  std::map<std::string, std::int64_t> failures = {};  // what stands there instead ("": nothing), and how often
  std::vector<std::string> remarks = {};              // what was converted or not read: sentences with the file
  bool unit_is_said = false;                          // by the form, or behind each of the latencies

  std::int64_t n() const { return static_cast<std::int64_t>(latency_ms.size()); }
  std::int64_t n_known() const;     // architectures with a value
  std::int64_t n_repeated() const;  // architectures with several
};

// "2 empty, 1 'timeout'": the failures, the most frequent first.
std::string describe_failures(const std::map<std::string, std::int64_t>& failures);

// Several lines of one architecture are repeats; an empty latency, nan, -1, timeout and the like is a failed
// measurement. Errors: as open_measurements and find_columns; with file and line an architecture outside the space, a
// latency that is no positive number or none of a device (device/value_range.h), a number that reads as two; an unknown
// unit, one that the file contradicts; a file that is given twice; several devices, and form.device names none.
MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const MeasurementForm& form);

// Of another quantity, its values in the column of its name, or `value`. Errors: as above, both columns or none of
// them, a value outside device/value_range.h, values <= 1 alone where the unit is %.
MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const Quantity& quantity, const MeasurementForm& form);

// The same with repeats and medians of the values themselves, in the quantity's unit, to be kept; they may be 0.
MeasuredArchitectures read_metric(const SearchSpace& space, const std::vector<std::string>& files,
                                  const Quantity& quantity, const MeasurementForm& form);

// Latencies of many devices, from files with a column a device or with a column of devices' names.
struct MeasuredDevice {
  std::string name;
  MeasuredArchitectures measured;  // its remarks are those of all devices, and stand below
};
struct MeasuredDevices {
  std::vector<MeasuredDevice> devices;  // in the order of the files
  std::vector<std::string> remarks;
};
// Errors as above, and find_device_columns.
MeasuredDevices read_device_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                         const MeasurementForm& form);

// One line: what was measured of a network at one time, of several quantities side by side.
struct MeasurementLine {
  std::vector<std::uint8_t> choices;  // [n_decisions]
  std::vector<double> values;         // [n_quantities] in the quantities' units, above 0; NaN: failed
  std::vector<std::string> texts;     // [n_quantities] as the file has them
};

// All lines, in the order of the files; what was converted or not read is appended to `remarks`. Errors as
// read_measurements.
std::vector<MeasurementLine> read_measurement_lines(const SearchSpace& space, const std::vector<std::string>& files,
                                                    const std::vector<Quantity>& quantities,
                                                    const MeasurementForm& form, std::vector<std::string>& remarks);

// The same of one file that a program has just written, without trust: a line that is none is a fault, not the end of
// all. An absent or empty file and missing columns are a fault, too.
struct CheckedLines {
  std::vector<MeasurementLine> lines;
  std::vector<std::string> faults;  // sentences with file and line
};
CheckedLines check_measurement_lines(const SearchSpace& space, const std::string& file,
                                     const std::vector<Quantity>& quantities, const MeasurementForm& form);

// The architectures of such files alone, [n, n_decisions], each once: they need not have latencies, and none is read.
std::vector<std::uint8_t> read_architectures(const SearchSpace& space, const std::vector<std::string>& files,
                                             const MeasurementForm& form);
// Whether a file has a column for the quantity, too.
bool has_values(const std::string& file, const Quantity& quantity, const MeasurementForm& form);

}  // namespace oneproxy
