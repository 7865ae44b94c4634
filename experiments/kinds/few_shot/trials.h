#pragma once
// The trials of a task: sources are drawn and fitted, the target's samples chosen, the method adapted and judged.
#include "experiments/kinds/few_shot/task.h"
#include "oneproxy/engine/share/shared_units.h"

namespace oneproxy::few_shot {

// Fills the outcomes of all cases, of a shard of its own; the cases' trials run side by side, and each depends on the
// seed and its own number alone. Error: a source with fewer measurements than samples_source.
void run_trials(Task& task, SharedUnits& units);

}  // namespace oneproxy::few_shot
