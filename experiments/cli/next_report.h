#pragma once
// What `oneproxy next` writes and says of a step of the loop.
#include <string>
#include <vector>

#include "experiments/cli/next_problem.h"

namespace oneproxy {

// The networks of choices [n, n_decisions] as a CSV to fill in: arch, a column of each quantity, repeat, order, index,
// quality, gain, macs, decisions. `lines` were measured before: repeats are counted on from there. gains [n] or none.
std::string to_fill_in(const NextProblem& problem, const std::vector<std::uint8_t>& choices,
                       const std::vector<double>& gains, const std::vector<MeasurementLine>& lines);

// The front as CSV: arch, medians of each quantity, repeats, quality, index, and the limits that it answers.
void write_front(const NextProblem& problem, const LoopStep& step, const std::string& path);

// For people: where the loop stands, the front, the answers, what is to be gained.
std::string describe_step(const NextProblem& problem, const LoopStep& step);

// Remarks, and lines without a value, as warnings.
void warn_of_step(const LoopStep& step, const std::vector<MeasurementLine>& lines);

}  // namespace oneproxy
