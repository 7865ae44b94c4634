#include "experiments/kinds/few_shot/task.h"

#include <algorithm>
#include <cmath>

#include "experiments/kinds/task_data.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy::few_shot {
namespace {

std::vector<std::int64_t> rows_in(const SetRows& rows, const std::vector<std::int64_t>& range,
                                  const std::string& task) {
  std::vector<std::int64_t> chosen;
  if (!range.empty() && rows.official_index.empty())
    throw Error("task " + task + ": the set has no published numbering for source_official or test_official");
  for (std::int64_t i = 0; i < rows.n; ++i)
    if (range.empty() || (rows.official_index[i] >= range[0] && rows.official_index[i] <= range[1]))
      chosen.push_back(i);
  if (chosen.size() < 3)
    throw Error("task " + task + ": [" + std::to_string(range[0]) + ", " + std::to_string(range[1]) +
                "] of the published numbering holds " + std::to_string(chosen.size()) + " architectures");
  return chosen;
}

int device(Task& task, const std::string& name) {
  auto& all = task.devices;
  const auto found = std::find_if(all.begin(), all.end(), [&](const Series& s) { return s.name == name; });
  if (found != all.end()) return static_cast<int>(found - all.begin());
  all.push_back(task.loaded->data.series(name));
  return static_cast<int>(all.size()) - 1;
}

void add_outcome(Task& task, const std::vector<int>& sources, Outcome outcome) {
  if (sources.empty() && !task.settings.without_sources())
    throw Error("task " + task.settings.name +
                ": a target has no source besides itself; name another, or sources = \"none\"");
  auto& cases = task.cases;
  auto same = std::find_if(cases.begin(), cases.end(), [&](const Case& one) { return one.sources == sources; });
  if (same == cases.end()) same = cases.insert(same, {sources, {}, {}});
  same->outcomes.push_back(std::move(outcome));
}

// Devices, samples and cases; the data are loaded.
void open_task(Task& task) {
  const auto& s = task.settings;
  const auto& data = task.loaded->data;
  const std::string place = "task " + s.name + ": ";
  task.source_rows = rows_in(data.rows(), s.source_range, s.name);
  task.test_rows = rows_in(data.rows(), s.test_range, s.name);
  task.sizes = {s.samples_target};
  for (const auto size : s.curve)
    if (std::find(task.sizes.begin(), task.sizes.end(), size) == task.sizes.end())
      task.sizes.push_back(static_cast<int>(size));
  const int max_size = *std::max_element(task.sizes.begin(), task.sizes.end());
  task.variants = {{s.method.kind().name, s.method.settings().clone()}};
  if (s.ablations)
    for (auto& ablation : s.method.settings().ablations()) task.variants.push_back(std::move(ablation));

  const bool all_sources = s.sources == std::vector<std::string>{"all"};
  const auto sources = s.without_sources() ? std::vector<std::string>{} : data.expand(s.sources, place + "sources");
  for (const auto& target : data.expand(s.targets, place + "targets")) {
    Outcome outcome;
    outcome.target = device(task, target);
    std::vector<int> others;
    for (const auto& source : sources) {
      if (source != target)
        others.push_back(device(task, source));
      else if (!all_sources && !s.one_proxy())
        throw Error(place + "target " + target +
                    " is among the sources, its latencies would be known already; remove it from one of the lists");
    }
    const auto known = task.devices[outcome.target].n_known();
    for (const int source : others) {
      const auto& values = task.devices[source].values;
      const auto measured = std::count_if(task.source_rows.begin(), task.source_rows.end(),
                                          [&](std::int64_t row) { return !std::isnan(values[row]); });
      if (measured < s.samples_source)
        throw Error(place + "source " + task.devices[source].name + " has " + std::to_string(measured) +
                    " measurements, samples_source asks for " + std::to_string(s.samples_source));
    }
    if (known < max_size)
      throw Error(place + "target " + target + " has " + std::to_string(known) +
                  " measurements, samples_target or curve asks for " + std::to_string(max_size));
    if (!s.one_proxy()) {
      add_outcome(task, others, outcome);
      continue;
    }
    for (const int proxy : others) {
      outcome.proxy = proxy;
      outcome.raw_srcc = spearman(task.devices[proxy].values, task.devices[outcome.target].values, Backend::cpu).value;
      if (outcome.raw_srcc < s.pairs_below || s.pairs_below >= 1) add_outcome(task, {proxy}, outcome);
    }
  }
  if (task.cases.empty())
    throw Error(place + "no pair of devices has an SRCC below pairs_below = " + plain(s.pairs_below));
}

}  // namespace

std::vector<Task> open_tasks(const Store& store, const std::vector<Settings>& settings) {
  std::vector<Task> tasks;
  for (const auto& s : settings) {
    Task task;
    task.settings = s;
    share_or_load(store, tasks, task);
    open_task(task);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace oneproxy::few_shot
