#pragma once
// Measuring by a command of the user's: it is called as COMMAND ASKED.csv MEASURED.csv, reads the networks of the first
// file and writes the second, the same with values. It may fail, hang or write nonsense: what is good of it is kept.
#include <string>
#include <vector>

#include "experiments/cli/next_problem.h"

namespace oneproxy {

struct MeasuredBatch {
  std::vector<MeasurementLine> lines;  // to keep; those without values are networks that failed twice
  std::string failure;                 // why the command can not go on; "" where it can
  bool interrupted = false;
};

// The networks of choices [n, n_decisions]; those that a first call leaves out are asked for once more. A network that
// fails twice counts as failed where others succeed; where the command itself fails twice, or no network succeeds, that
// is a failure. Faults of its answers are warned of. A signal ends the command; what it has written by then is
// returned, where the caller holds signals (base/held_interrupts.h).
MeasuredBatch measure_with(const std::string& command, double timeout_seconds, const NextProblem& problem,
                           const std::vector<std::uint8_t>& choices, const std::vector<double>& gains,
                           const std::vector<MeasurementLine>& before);

// Error where lines can not be added to this file of measurements, because its header is another than a plan's.
void check_can_append(const std::string& path, const NextProblem& problem);

// Adds the lines to a file of measurements, below its own columns; whole or not at all. An absent or empty file begins
// with arch, a column of each quantity.
void append_measurements(const std::string& path, const NextProblem& problem,
                         const std::vector<MeasurementLine>& lines);

}  // namespace oneproxy
