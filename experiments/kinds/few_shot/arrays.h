#pragma once
// The trials of a task as arrays, for pictures and exports.
#include "experiments/kinds/few_shot/task.h"
#include "oneproxy/engine/base/labelled_arrays.h"

namespace oneproxy::few_shot {

// Group task/NAME: targets [outcomes], samples [sizes]; srcc, expected_srcc and probability_strong [outcomes, sizes,
// trials]; variant_srcc [outcomes, variants, trials], variants; proxies = one: proxies, raw_srcc [outcomes];
// published_names, published_srcc where there are any.
void write_arrays(LabelledArrays& arrays, const Task& task);

}  // namespace oneproxy::few_shot
