#pragma once
// The data of a task, which tasks of the same set share.
#include <memory>
#include <vector>

#include "experiments/experiment.h"
#include "oneproxy/engine/adapt/method.h"

namespace oneproxy {

// Task has settings (space_reference, set, geometry, seed), loaded, features and archs. Takes the latter three from one
// of `others` with the same data, else loads them. Errors: as SpaceData.
template <class Task>
void share_or_load(const Store& store, const std::vector<Task>& others, Task& task) {
  const auto& s = task.settings;
  for (const auto& other : others)
    if (other.settings.space_reference == s.space_reference && other.settings.set == s.set &&
        other.settings.geometry == s.geometry) {
      task.loaded = other.loaded;
      task.features = other.features;
      task.archs = other.archs;
      return;
    }
  task.loaded = std::make_shared<SpaceData>(store, s.space_reference, s.set, s.geometry, 0, s.seed);
  task.features = std::make_shared<ArchitectureFeatures>(task.loaded->space);
  task.archs = std::make_shared<Architectures>(*task.features, task.loaded->data.rows().choices);
}

}  // namespace oneproxy
