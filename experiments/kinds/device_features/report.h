#pragma once
// What the comparison of device features leaves behind: summary, report and arrays.
#include <vector>

#include "experiments/experiment.h"
#include "experiments/kinds/device_features/task.h"

namespace oneproxy::device_features {

// Summary: srcc_mean.TASK.PROTOCOL.FEATURE.SAMPLES, the mean over the targets and trials, and srcc_worst likewise, of
// the target with the lowest mean. Arrays, group task/TASK/PROTOCOL: targets [n]; srcc [n, features, samples, trials];
// beside the groups features, samples and tasks. NaN where a feature can say nothing.
void write_report(Workspace& work, const std::vector<Task>& tasks, const Settings& settings);

}  // namespace oneproxy::device_features
