#pragma once
// The weights of an additive predictor over the digits of an index, as the scoring kernels take them: a digit of
// several decisions gets the sum of theirs.
#include <span>
#include <vector>

#include "oneproxy/kernels/base/digits.h"

namespace oneproxy {

// weights [n_tables, code.n_rows] -> [n_tables, sum of the code's radices]: the rows that a value stands for, added
// part after part. NaN (a choice that has no entry) propagates. Error: a length that does not fit.
std::vector<double> digit_weights(const DigitCode& code, std::span<const double> weights);

}  // namespace oneproxy
