#pragma once
// A person's measurements of a device: CSV files with columns arch, latency_ms (or another quantity) and optionally
// repeat, as `oneproxy plan` writes them to be filled in (their further columns are for people and are not read).
// Several files count as one, in the order in which they are given.
#include <cstdint>
#include <string>
#include <vector>

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

  std::int64_t n() const { return static_cast<std::int64_t>(latency_ms.size()); }
  std::int64_t n_known() const;     // architectures with a value
  std::int64_t n_repeated() const;  // architectures with several
};

// By what a latency in this unit is multiplied. Error: none of "ms", "s" and "us".
double to_ms(const std::string& unit);

// unit: of the files' latencies, "ms", "s" or "us". Several lines of one architecture are repeats; an empty latency,
// nan or -1 is a failed measurement. Errors: a missing or an unknown column; with file and line an architecture outside
// the space and a latency that is no positive number or none of a device (device/value_range.h); an unknown unit; a
// file that is given twice.
MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const std::string& unit = "ms");

// Of another quantity, its values in the column of its name, or `value`. Errors: as above, both columns or none of
// them, a value outside device/value_range.h, values <= 1 alone where the unit is %.
MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const Quantity& quantity);

// The same with repeats and medians of the values themselves, in the quantity's unit, to be kept; they may be 0.
MeasuredArchitectures read_metric(const SearchSpace& space, const std::vector<std::string>& files,
                                  const Quantity& quantity);

// A quantity as files hold it.
struct MeasuredColumn {
  Quantity quantity = latency_quantity();
  double to_unit = 1;  // from the files' values to the quantity's unit: of latencies in s to_ms("s")
};

// One line: what was measured of a network at one time, of several quantities side by side.
struct MeasurementLine {
  std::vector<std::uint8_t> choices;  // [n_decisions]
  std::vector<double> values;         // [n_columns] in the quantities' units, above 0; NaN: failed
  std::vector<std::string> texts;     // [n_columns] as the file has them
};

// All lines, in the order of the files. Errors as read_measurements.
std::vector<MeasurementLine> read_measurement_lines(const SearchSpace& space, const std::vector<std::string>& files,
                                                    const std::vector<MeasuredColumn>& columns);

// The same of one file that a program has just written, without trust: a line that is none is a fault, not the end of
// all. An absent or empty file and missing columns are a fault, too.
struct CheckedLines {
  std::vector<MeasurementLine> lines;
  std::vector<std::string> faults;  // sentences with file and line
};
CheckedLines check_measurement_lines(const SearchSpace& space, const std::string& file,
                                     const std::vector<MeasuredColumn>& columns);

// The architectures of such files alone, [n, n_decisions], each once: they need not have latencies, and none is read.
std::vector<std::uint8_t> read_architectures(const SearchSpace& space, const std::vector<std::string>& files);

}  // namespace oneproxy
