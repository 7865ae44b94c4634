#pragma once
// Does a method know how good it is, and does stopping when it is sure keep its promise?
#include "experiments/experiment.h"
#include "experiments/kinds/few_shot/task.h"

namespace oneproxy::few_shot {

// Summary: expected_error.TASK.SIZE, stop.{share,samples,kept}.TASK. Report: one row a number of samples.
void write_reliability(Workspace& work, const Task& task);

}  // namespace oneproxy::few_shot
