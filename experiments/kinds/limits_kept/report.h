#pragma once
// What kind limits_kept leaves behind.
#include <vector>

#include "experiments/experiment.h"
#include "experiments/kinds/limits_kept/task.h"

namespace oneproxy::limits_kept {

// Summary, where C is a confidence ("0": limits on the prediction), over all answers of calibrated predictors on
// rows (of all, where there are none) and then, with .TASK, of each: kept.C (share of the answers that keep their limit
// on the device), far_off.C (that break it by more than 5 %), quality_lost.C (mean share of the quality of the best
// network that truly keeps the limit), quality_given.C (the same against what is found without a confidence), none.C
// (share of searches that find nothing), said.C (mean probability that was said), uncalibrated_kept.C. Arrays: group
// limits_kept/TASK: targets; confidences [c], limits (quantiles) [l]; calibrated/... and
// uncalibrated/{limit_ms,predicted_ms,deviation_ms,probability,latency_ms,quality, best_quality} [targets, trials, 1 +
// c, l]; limits_kept_tasks.
void write_report(Workspace& work, const std::vector<Task>& tasks);

}  // namespace oneproxy::limits_kept
