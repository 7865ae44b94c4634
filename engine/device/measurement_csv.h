#pragma once
// A person's measurements of a device: a CSV file with columns arch, latency_ms and optionally repeat, as `oneproxy
// plan` writes it to be filled in (its further columns are for people and are not read).
#include <cstdint>
#include <string>
#include <vector>

#include "engine/space/space.h"

namespace oneproxy {

struct MeasuredArchitectures {
  std::vector<std::uint8_t> choices;              // [n, n_decisions] each architecture once, in the order of the file
  std::vector<std::vector<double>> repeats;       // [n] ms, those that succeeded, in the order of the file
  std::vector<std::vector<std::int64_t>> places;  // [n] of each repeat: its line, from 0; for the order in time
  std::vector<double> latency_ms;                 // [n] median of the repeats, NaN where none succeeded
  std::int64_t n_failed = 0;                      // lines without a latency

  std::int64_t n() const { return static_cast<std::int64_t>(latency_ms.size()); }
  std::int64_t n_known() const;     // architectures with a latency
  std::int64_t n_repeated() const;  // architectures with several
};

// unit: of the file's latencies, "ms", "s" or "us". Several lines of one architecture are repeats; an empty latency,
// nan or -1 is a failed measurement. Errors: a missing or an unknown column; with file and line an architecture outside
// the space and a latency that is no positive number; an unknown unit.
MeasuredArchitectures read_measurements(const SearchSpace& space, const std::string& file,
                                        const std::string& unit = "ms");

// The architectures of such a file alone, [n, n_decisions], each once: it need not have latencies, and none is read.
std::vector<std::uint8_t> read_architectures(const SearchSpace& space, const std::string& file);

}  // namespace oneproxy
