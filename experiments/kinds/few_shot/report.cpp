#include "experiments/kinds/few_shot/report.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "experiments/kinds/few_shot/arrays.h"
#include "experiments/kinds/few_shot/reliability.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/report/table.h"

namespace oneproxy::few_shot {
namespace {

std::span<const double> trials_of(const Task& task, const std::vector<double>& values, std::size_t size) {
  return std::span(values).subspan(size * task.settings.trials, task.settings.trials);
}

// Of `values(outcome)` [trials], the mean over all outcomes of every trial.
template <typename Values>
MeanInterval over_trials(const Task& task, const Values& values) {
  std::vector<double> means(task.settings.trials, 0);
  double count = 0;
  for (const auto& one : task.cases)
    for (const auto& outcome : one.outcomes) {
      ++count;
      const std::span<const double> trials = values(outcome);
      for (std::size_t i = 0; i < means.size(); ++i) means[i] += trials[i];
    }
  for (double& mean : means) mean /= count;
  return mean_interval(means);
}

MeanInterval mean_srcc(const Task& task, std::size_t size) {
  return over_trials(task, [&](const Outcome& outcome) { return trials_of(task, outcome.srcc, size); });
}

MeanInterval mean_of_variant(const Task& task, int variant) {
  return over_trials(task, [&](const Outcome& outcome) { return std::span(outcome.variants[variant]); });
}

// Numbers of samples, fewest first, as places in task.sizes.
std::vector<std::size_t> by_samples(const Task& task) {
  std::vector<std::size_t> order(task.sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return task.sizes[a] < task.sizes[b]; });
  return order;
}

std::size_t n_outcomes(const Task& task) {
  std::size_t n = 0;
  for (const auto& one : task.cases) n += one.outcomes.size();
  return n;
}

bool knows_its_srcc(const Task& task) {
  for (const auto& one : task.cases)
    for (const auto& outcome : one.outcomes)
      for (const double expected : outcome.expected)
        if (!std::isnan(expected)) return true;
  return false;
}

std::string headline(const Task& task) {
  const auto& s = task.settings;
  const auto n = std::to_string(n_outcomes(task));
  const auto n_sources = task.cases.front().sources.size();
  std::string text = s.space + ", set " + s.set + ": ";
  if (s.one_proxy()) {
    text += n + " ordered pairs of proxy and target";
    if (s.pairs_below < 1) text += " whose latencies have an SRCC below " + plain(s.pairs_below);
  } else {
    text += n + " targets, " + std::to_string(n_sources) + " sources";
  }
  if (s.samples_source) text += " of " + std::to_string(s.samples_source) + " measurements each";
  text += "; method " + s.method.kind().name;
  if (const auto& prior = task.cases.front().prior; !prior.empty()) text += ", prior " + prior;
  return text + ", " + to_string(s.design.selection) + " selection, " + std::to_string(s.trials) + " trials.";
}

// At samples_target, one row a target.
Table targets_table(Summary& summary, const Task& task) {
  const auto& s = task.settings;
  Table table({"target", "SRCC at " + std::to_string(s.samples_target), "+-", "unseen", "expected", "worst trial"});
  for (const auto& one : task.cases)
    for (const auto& outcome : one.outcomes) {
      const auto srcc = trials_of(task, outcome.srcc, 0);
      const auto& name = task.devices[outcome.target].name;
      const auto mean = mean_interval(srcc);
      summary.set("srcc." + s.name + "." + name, mean.mean);
      for (const auto size : by_samples(task))
        if (task.sizes.size() > 1)
          summary.set("srcc." + s.name + "." + name + "." + std::to_string(task.sizes[size]),
                      mean_interval(trials_of(task, outcome.srcc, size)).mean);
      table.row({name, fixed(mean.mean), fixed(mean.half),
                 fixed(mean_interval(trials_of(task, outcome.unseen, 0)).mean),
                 fixed(mean_interval(trials_of(task, outcome.expected, 0)).mean),
                 fixed(*std::min_element(srcc.begin(), srcc.end()))});
    }
  return table;
}

// Pairs are many: one row a number of samples.
Table pairs_table(Summary& summary, const Task& task) {
  const auto& s = task.settings;
  const auto n = static_cast<double>(n_outcomes(task));
  Table table({"samples", "mean SRCC", "worst pair", "pairs >= 0.9"});
  for (const auto size : by_samples(task)) {
    double sum = 0, worst = 1, strong = 0;
    for (const auto& one : task.cases)
      for (const auto& outcome : one.outcomes) {
        const double mean = mean_interval(trials_of(task, outcome.srcc, size)).mean;
        sum += mean;
        worst = std::min(worst, mean);
        strong += mean >= kStrong;
      }
    table.row({std::to_string(task.sizes[size]), fixed(sum / n), fixed(worst), fixed(strong / n)});
    const std::string suffix = s.name + "." + std::to_string(task.sizes[size]);
    summary.set("worst_pair." + suffix, worst);
    summary.set("strong_share." + suffix, strong / n);
  }
  summary.set("pairs." + s.name, static_cast<std::int64_t>(n_outcomes(task)));
  return table;
}

// Over all outcomes, beside the variants and what others have published.
Table means_table(Summary& summary, const Task& task) {
  const auto& s = task.settings;
  const auto samples = std::to_string(s.samples_target);
  Table table({"method", "samples", "mean SRCC", "95 % interval"});
  auto row = [&](const std::string& method, const std::string& size, const MeanInterval& mean) {
    table.row({method, size, fixed(mean.mean), "+- " + fixed(mean.half)});
  };
  for (const auto size : by_samples(task)) {
    const auto mean = mean_srcc(task, size);
    if (size > 0) summary.set("curve." + s.name + "." + std::to_string(task.sizes[size]), mean.mean);
    row(s.method.kind().name, std::to_string(task.sizes[size]), mean);
  }
  for (int variant = 1; variant < std::ssize(task.variants); ++variant) {
    const auto mean = mean_of_variant(task, variant);
    const auto& name = task.variants[variant].name;
    std::string key = name;
    std::replace(key.begin(), key.end(), ' ', '_');
    summary.set("srcc_mean_" + key + "." + s.name, mean.mean);
    row(s.method.kind().name + " " + name, samples, mean);
  }
  for (std::size_t i = 0; i < s.published_names.size(); ++i) {
    summary.set("published." + s.name + "." + s.published_names[i], s.published_srcc[i]);
    table.row({s.published_names[i] + " (published)", samples, fixed(s.published_srcc[i]), ""});
  }
  return table;
}

void write_task(Workspace& work, const Task& task) {
  const auto& s = task.settings;
  work.summary.set("samples." + s.name, std::int64_t{s.samples_target});
  work.summary.set("trials." + s.name, std::int64_t{s.trials});
  work.report += "## " + s.name + "\n\n" + headline(task) + "\n\n";
  work.report += (s.one_proxy() ? pairs_table : targets_table)(work.summary, task).markdown() + "\n";
  work.report += means_table(work.summary, task).markdown() + "\n";
  if (knows_its_srcc(task)) write_reliability(work, task);
  double ms = 0;
  for (const auto& one : task.cases)
    for (const auto& outcome : one.outcomes) ms += mean_interval(outcome.adapt_ms).mean;
  work.timings.add("ms an adaptation, " + s.name, ms / static_cast<double>(n_outcomes(task)));
  write_arrays(*work.arrays, task);
}

}  // namespace

void write_report(Workspace& work, const std::vector<Task>& tasks) {
  std::vector<std::string> names;
  for (const auto& task : tasks) {
    const auto& name = names.emplace_back(task.settings.name);
    const auto mean = mean_srcc(task, 0);
    work.summary.set("srcc_mean." + name, mean.mean);
    work.summary.set("srcc_mean_interval95." + name, mean.half);
    if (std::isnan(mean.half)) work.summary.set_reason("srcc_mean_interval95." + name, "one trial has no spread");
  }
  for (const auto& task : tasks) write_task(work, task);
  work.arrays->axis("tasks", names, {"task", ""});
}

}  // namespace oneproxy::few_shot
