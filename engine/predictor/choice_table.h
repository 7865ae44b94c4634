#pragma once
// A look-up table of a space from a person's CSV: one value a choice.
//   decision,choice,value            stage 1 block 1,k3_e6,1.25
//   decision,choice,value,resolution where the resolution is a decision: pixels, in every row
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/predictor/additive_predictor.h"

namespace oneproxy {

// decision: its name, or its number from 0; choice: its name. The row of decision "fixed" or "bias", without a choice,
// is what is the same for all (0 where there is none). A choice without a row is NaN; of operations of kind none it is
// 0. A resolution without any row has no table (bias NaN). scale: of all values. Target, unit and record are left to
// the caller. Errors, with file and line: unknown columns, decisions, choices or resolutions, a value that is no number
// >= 0, a choice that comes twice.
AdditivePredictor table_of_choices(const SearchSpace& space, const CsvTable& file, double scale);

}  // namespace oneproxy
