#include "experiments/kinds/device_features/report.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/report/table.h"

namespace oneproxy::device_features {
namespace {

struct Protocol {
  std::string name, meaning;
};
const Protocol kProtocols[] = {{"lodo", "Leave one device out"},
                               {"lofo", "Leave the whole family out"},
                               {"targets", "Other targets, from all devices"}};

// The outcomes of a protocol, case after case.
struct Outcomes {
  std::vector<std::string> targets;
  std::vector<double> srcc;  // [targets, features, samples, trials]
};

Outcomes outcomes_of(const Task& task, const std::string& protocol) {
  Outcomes outcomes;
  for (const auto& one : task.cases) {
    if (one.protocol != protocol) continue;
    for (const int target : one.targets) outcomes.targets.push_back(task.devices[target].name);
    outcomes.srcc.insert(outcomes.srcc.end(), one.srcc.begin(), one.srcc.end());
  }
  return outcomes;
}

// Of one feature at one number of samples: over trials, of the mean over the targets that it can predict; and the
// target that it predicts worst, by the mean over trials.
struct Cell {
  MeanInterval mean;
  double worst = std::numeric_limits<double>::quiet_NaN();
  std::string worst_target;
  std::size_t n_targets = 0;
};

Cell cell_of(const Outcomes& outcomes, const Settings& s, std::size_t feature, std::size_t samples) {
  Cell cell;
  const int trials = s.features[feature].trials;
  std::vector<double> means(trials, 0.0);
  for (std::size_t t = 0; t < outcomes.targets.size(); ++t) {
    const auto first = ((t * s.features.size() + feature) * s.samples.size() + samples) * s.trials;
    const auto own = std::span(outcomes.srcc).subspan(first, trials);
    if (std::isnan(own[0])) continue;
    ++cell.n_targets;
    const double mean = mean_interval(own).mean;
    if (!(mean >= cell.worst)) cell.worst = mean, cell.worst_target = outcomes.targets[t];
    for (int i = 0; i < trials; ++i) means[i] += own[i];
  }
  if (cell.n_targets == 0) return cell;
  for (double& mean : means) mean /= static_cast<double>(cell.n_targets);
  cell.mean = mean_interval(means);
  return cell;
}

void write_protocol(Workspace& work, const Task& task, const Settings& s, const Protocol& protocol) {
  const auto outcomes = outcomes_of(task, protocol.name);
  if (outcomes.targets.empty()) return;
  std::vector<std::string> header = {"feature", "method"};
  for (const int k : s.samples) header.push_back("SRCC at " + std::to_string(k));
  header.insert(header.end(), {"worst target at " + std::to_string(s.samples.back()), "trials"});
  Table table(header);
  for (std::size_t f = 0; f < s.features.size(); ++f) {
    const auto& feature = s.features[f];
    std::vector<std::string> row = {feature.name, feature.method.kind().name};
    Cell cell;
    for (std::size_t k = 0; k < s.samples.size(); ++k) {
      cell = cell_of(outcomes, s, f, k);
      const std::string key =
          task.settings.name + "." + protocol.name + "." + feature.name + "." + std::to_string(s.samples[k]);
      work.summary.set("srcc_mean." + key, cell.mean.mean);
      work.summary.set("srcc_worst." + key, cell.worst);
      if (cell.n_targets == 0)
        for (const auto* what : {"srcc_mean.", "srcc_worst."})
          work.summary.set_reason(what + key, "the feature needs more measurements, or a data sheet");
      const bool spread = !std::isnan(cell.mean.half);
      row.push_back(cell.n_targets == 0 ? "-" : fixed(cell.mean.mean) + (spread ? " +- " + fixed(cell.mean.half) : ""));
    }
    row.push_back(cell.n_targets == 0 ? "-" : fixed(cell.worst) + " " + cell.worst_target);
    row.push_back(std::to_string(feature.trials));
    table.row(row);
  }
  work.report += "### " + protocol.meaning + "\n\n" + count_of(std::ssize(outcomes.targets), "target") + ".\n\n" +
                 table.markdown() + "\n";

  const std::string group = "task/" + task.settings.name + "/" + protocol.name + "/";
  work.arrays->axis(group + "targets", outcomes.targets, {"target device", ""});
  work.arrays->write(group + "srcc", outcomes.srcc, {"targets", "features", "samples", "trial"},
                     {"SRCC of the predictions with the target's latencies", "1"});
}

}  // namespace

void write_report(Workspace& work, const std::vector<Task>& tasks, const Settings& s) {
  std::vector<std::string> names, features;
  for (const auto& feature : s.features) features.push_back(feature.name);
  const std::vector<std::int64_t> samples(s.samples.begin(), s.samples.end());
  work.arrays->axis("features", features, {"description of a device", ""});
  work.arrays->axis("samples", samples, {"measured architectures of the target", "1"});
  work.arrays->numbered_axis("trial", s.trials, "repetition with other samples");
  for (const auto& task : tasks) {
    names.push_back(task.settings.name);
    work.report += "## " + task.settings.name + "\n\n" + task.settings.space + ", set " + task.settings.set +
                   "; the same measured architectures for every feature, SRCC over all " +
                   std::to_string(task.archs->n()) + " of the set.\n\n";
    for (const auto& protocol : kProtocols) write_protocol(work, task, s, protocol);
  }
  work.arrays->axis("tasks", names, {"task", ""});
}

}  // namespace oneproxy::device_features
