#pragma once
// What kind front_loop leaves behind.
#include <vector>

#include "experiments/experiment.h"
#include "experiments/kinds/front_loop/task.h"

namespace oneproxy::front_loop {

// Summary, where M is a method (Task::methods) and N a number of measurements, over all targets, trials and qualities
// of tasks on rows (of all, where there are none) and then, with .TASK, of each: hypervolume.M.N, worst.M.N (mean
// hypervolume of the target where it is least), regret.M.N, broken.M.N, broken_by_fit.M.N, hypervolume_by_fit.M.N
// (Curve says what each is; N is "all" where M ends by itself: all of the front that it predicted), measurements.M (of
// "all"), measurements_to_99.M (median; to 99 % of the hypervolume), unchecked_broken.M, unchecked_broken_by_fit.M,
// unchecked_regret.M, limits_regret.N, limits_within.N, scattered_{broken,far_off,regret,measurements}.R (R repeats of
// each answer, on a device that scatters), stop_gap, stop_measurements, stop_within (share of the runs
// that had a gap of at most 1 % where they stopped).
void write_report(Workspace& work, const std::vector<Task>& tasks);

// Group front_loop/TASK: targets, qualities, methods; measured, limits_measured, repeats; limits_ms [targets, limits],
// regret_limits_ms [targets, regret_limits]; stop/{measurements,gap,expected_gain} [targets, trials, qualities];
// limits/{regret,within} [..., limits_measured]; scattered/{broken,far_off,regret,measurements} [..., repeats];
// limits/trace/..., METHOD/trace/{latency_ms,fitted_ms,quality}
// [..., measured], NaN after the last; METHOD/{hypervolume,regret,broken,hypervolume_by_fit,broken_by_fit} [...,
// measured]: after 1, 2, ... measurements, that after the last of the longest trace. front_loop_tasks.
void write_arrays(LabelledArrays& arrays, const Task& task);

}  // namespace oneproxy::front_loop
