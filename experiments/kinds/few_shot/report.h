#pragma once
// What a few-shot experiment leaves behind: summary, report and arrays.
#include <vector>

#include "experiments/experiment.h"
#include "experiments/kinds/few_shot/task.h"

namespace oneproxy::few_shot {

// Of tasks whose trials are done: the mean of each task first in the summary, then task after task.
void write_report(Workspace& work, const std::vector<Task>& tasks);

}  // namespace oneproxy::few_shot
