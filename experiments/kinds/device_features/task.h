#pragma once
// A task: its data, which sources predict which targets, and what the trials fill in.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/kinds/device_features/settings.h"
#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/device/measurements.h"

namespace oneproxy::device_features {

// Targets that are predicted from the same sources.
struct Case {
  std::string protocol;               // "lodo", "lofo", "targets"
  std::vector<int> sources, targets;  // in Task::devices
  // [targets, features, samples, trials]; NaN where a feature can say nothing, or has fewer trials.
  std::vector<double> srcc;
};

struct Task {
  TaskSettings settings;
  std::shared_ptr<SpaceData> loaded;
  std::shared_ptr<const ArchitectureFeatures> features;
  std::shared_ptr<Architectures> archs;
  std::vector<Series> devices;           // sources and targets
  std::vector<const DataSheet*> sheets;  // of each; nullptr where there is none
  std::vector<Case> cases;
};

// Errors name the task: unknown devices, a device of no family, fewer than three sources left, too few measurements,
// a device without a data sheet that a feature needs.
std::vector<Task> open_tasks(const Store& store, const Settings& settings);

// Whether a feature can predict a target from so many measurements.
bool applies(const Feature& feature, const Task& task, int target, int samples);

// Fills the cases' srcc: trials of cases run side by side, and each depends on the seed and its own number alone.
void run_trials(Task& task, const Settings& settings);

}  // namespace oneproxy::device_features
