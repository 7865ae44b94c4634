#pragma once
// A person's measurements of a device: CSV files with columns arch, latency_ms and optionally repeat, as `oneproxy
// plan` writes them to be filled in (their further columns are for people and are not read). Several files count as
// one, in the order in which they are given.
#include <cstdint>
#include <string>
#include <vector>

#include "oneproxy/engine/space/space.h"

namespace oneproxy {

struct MeasurementFile {
  std::string name, sha256;  // without its folder
};

struct MeasuredArchitectures {
  std::vector<MeasurementFile> files;  // that they are from; none where a program measured

  std::vector<std::uint8_t> choices;         // [n, n_decisions] each architecture once, in the order of the files
  std::vector<std::vector<double>> repeats;  // [n] ms, those that succeeded, in the order of the files
  // [n] of each repeat: its line of all files, from 0; for the order in time
  std::vector<std::vector<std::int64_t>> lines;
  std::vector<double> latency_ms;  // [n] median of the repeats, NaN where none succeeded
  std::int64_t n_failed = 0;       // lines without a latency

  std::int64_t n() const { return static_cast<std::int64_t>(latency_ms.size()); }
  std::int64_t n_known() const;     // architectures with a latency
  std::int64_t n_repeated() const;  // architectures with several
};

// unit: of the files' latencies, "ms", "s" or "us". Several lines of one architecture are repeats; an empty latency,
// nan or -1 is a failed measurement. Errors: a missing or an unknown column; with file and line an architecture outside
// the space and a latency that is no positive number or none of a device (device/latency_range.h); an unknown unit; a
// file that is given twice.
MeasuredArchitectures read_measurements(const SearchSpace& space, const std::vector<std::string>& files,
                                        const std::string& unit = "ms");

// The architectures of such files alone, [n, n_decisions], each once: they need not have latencies, and none is read.
std::vector<std::uint8_t> read_architectures(const SearchSpace& space, const std::vector<std::string>& files);

}  // namespace oneproxy
