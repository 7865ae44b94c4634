#pragma once
// Whatever adds up over the decisions of a space, as tables over the digits of its index (kernels/score/models.h). A
// digit of several decisions gets the sum of theirs.
#include <span>
#include <vector>

#include "oneproxy/kernels/score/models.h"

namespace oneproxy {

// A DigitTable with its memory.
struct DigitTableData {
  std::vector<double> weights;  // [n_tables, sum of radices]
  std::vector<double> bias;     // [n_tables]
  DigitTable view() const { return {weights, bias}; }
};

// weights [n_tables, code.n_rows], bias [n_tables] (1, or one for each value of digit 0) -> the same over the code's
// digits: the rows that a value stands for, added part after part. NaN (a choice that has no entry) propagates.
// Error: lengths that do not fit.
DigitTableData digit_table(const DigitCode& code, std::span<const double> weights, std::span<const double> bias);

}  // namespace oneproxy
