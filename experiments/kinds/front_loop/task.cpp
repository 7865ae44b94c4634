#include "experiments/kinds/front_loop/task.h"

#include <algorithm>

#include "experiments/kinds/task_data.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::front_loop {
namespace {

void open_goals(const Store& store, Task& task, const std::string& place) {
  const auto& s = task.settings;
  const ObjectiveSources from{task.loaded->space, &task.loaded->data, store.path(), "", Backend::cpu};
  for (const auto& quality : s.qualities) {
    auto goal = make_objective(from, quality, place + "qualities", Direction::maximise);
    goal.name = quality;
    if (s.over == Over::rows) goal.model = nullptr;  // so that searches are over the rows
    if (s.over == Over::space && (!goal.model || !std::holds_alternative<AdditivePredictor>(*goal.model) ||
                                  !task.features->physics().additive()))
      throw Error(place +
                  "over = \"space\" needs predictors and a quality that add up over decisions, so that the true front "
                  "is known; use over = \"rows\"");
    if (!task.goals.empty() && task.goals.front()->unit != goal.unit)
      throw Error(place + "qualities " + s.qualities.front() + " and " + quality +
                  " have different units, and one mean is taken over them; make them tasks of their own");
    task.goals.push_back(std::make_shared<const Objective>(std::move(goal)));
  }
}

void open_target(Task& task, const std::string& name, const std::string& place) {
  const auto& s = task.settings;
  const auto& data = task.loaded->data;
  Target target{data.device(name), {}, {}, {}};
  const auto needed = std::max({s.measured.back(), s.limits_measured.back(), s.plans.back()});
  if (target.latency.n_known() < 2 * needed)
    throw Error(place + "target " + name + " has " + std::to_string(target.latency.n_known()) + " measurements, " +
                std::to_string(needed) + " are to be asked for: too few are left to judge by");
  for (const double share : s.limits) target.limits.push_back(quantile(target.latency.values, share));
  for (const double share : s.regret_limits) target.regret_limits.push_back(quantile(target.latency.values, share));
  if (std::all_of(task.sources.begin(), task.sources.end(), [&](const Series& one) { return one.name == name; }))
    throw Error(place + "target " + name + " has no source device beside it; name sources");
  task.targets.push_back(std::move(target));
}

void open_task(const Store& store, Task& task) {
  const auto& s = task.settings;
  const auto& data = task.loaded->data;
  const std::string place = "task " + s.name + ": ";
  open_goals(store, task, place);
  for (const auto& name : data.expand(s.sources, place + "sources")) task.sources.push_back(data.device(name));
  if (!s.proxy.empty()) task.settings.proxy = data.expand({s.proxy}, place + "proxy").front();
  for (const auto& name : data.expand(s.targets, place + "targets")) open_target(task, name, place);
}

}  // namespace

std::vector<std::string> Task::methods() const {
  std::vector<std::string> names = {"loop"};
  for (const auto k : settings.plans) names.push_back("plan_" + std::to_string(k));
  names.push_back("adaproxy_" + std::to_string(settings.budget.total()));
  names.push_back("random");
  return names;
}

const std::string& Task::proxy_of(const Target& target) const {
  if (!settings.proxy.empty() && settings.proxy != target.latency.name) return settings.proxy;
  return std::find_if(sources.begin(), sources.end(),
                      [&](const Series& one) { return one.name != target.latency.name; })
      ->name;
}

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

}  // namespace oneproxy::front_loop
