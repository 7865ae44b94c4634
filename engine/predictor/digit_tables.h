#pragma once
// Whatever adds up over the decisions of a space, as tables over the digits of its index (kernels/models.h): costs,
// linear predictors, look-up tables. A digit of several decisions gets the sum of theirs.
#include <span>
#include <string>
#include <vector>

#include "engine/predictor/linear_predictor.h"
#include "engine/predictor/table_predictor.h"
#include "engine/space/space.h"
#include "kernels/models.h"

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

// Over space.code(). Error where the predictor belongs to another space.
DigitTableData digit_table(const SearchSpace& space, const LinearPredictor& predictor);
DigitTableData digit_table(const SearchSpace& space, const TablePredictor& predictor);

// A part of the cost of a whole network ("model:macs", ...), over space.code(): one table; or one for each value of
// digit 0 where that changes what the others cost (an input resolution). Exact as long as costs are whole numbers below
// 2^53. Error where costs do not add up over digits (shown on networks drawn from the space).
DigitTableData cost_digit_table(const SearchSpace& space, const std::string& model);

}  // namespace oneproxy
