#include "experiments/kinds/limits_kept/task.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "experiments/kinds/task_data.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::limits_kept {
namespace {

void open_task(const Store& store, Task& task) {
  const auto& s = task.settings;
  const auto& data = task.loaded->data;
  const std::string place = "task " + s.name + ": ";
  const ObjectiveSources from{task.loaded->space, &data, store.path(), "", Backend::cpu};
  auto goal = make_objective(from, s.quality, place + "quality", Direction::maximise);
  goal.name = "quality";
  if (s.over == Over::rows) goal.model = nullptr;  // so that searches are over the rows
  if (s.over == Over::space &&
      (!goal.model || !std::holds_alternative<AdditivePredictor>(*goal.model) || !task.features->physics().additive()))
    throw Error(place +
                "over = \"space\" needs predictors and a quality that add up over decisions, so that what is "
                "best is known; use over = \"rows\"");
  task.goal = std::make_shared<const Objective>(std::move(goal));
  if (s.sources != std::vector<std::string>{"none"})
    for (const auto& name : data.expand(s.sources, place + "sources")) task.sources.push_back(data.device(name));
  for (const auto& name : data.expand(s.targets, place + "targets")) {
    Target target{data.device(name), 0, {}, {}};
    if (target.latency.n_known() < 2 * s.samples_target)
      throw Error(place + "target " + name + " has " + std::to_string(target.latency.n_known()) +
                  " measurements, samples_target = " + std::to_string(s.samples_target) +
                  " leaves too few to judge by");
    task.targets.push_back(std::move(target));
  }
}

}  // namespace

std::vector<Task> open_tasks(const Store& store, const std::vector<Settings>& settings) {
  std::vector<Task> tasks;
  for (const auto& s : settings) {
    Task task;
    task.settings = s;
    share_or_load(store, tasks, task);
    open_task(store, task);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace oneproxy::limits_kept
