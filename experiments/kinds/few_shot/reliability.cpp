#include "experiments/kinds/few_shot/reliability.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "oneproxy/engine/adapt/design/advice.h"
#include "oneproxy/engine/report/table.h"

namespace oneproxy::few_shot {
namespace {

constexpr double kSure = 0.9;  // probability at which measuring stops
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Calls body(outcome, trial) for all of them.
template <typename Body>
void for_each_run(const Task& task, const Body& body) {
  for (const auto& one : task.cases)
    for (const auto& outcome : one.outcomes)
      for (int trial = 0; trial < task.settings.trials; ++trial) body(outcome, trial);
}

}  // namespace

void write_reliability(Workspace& work, const Task& task) {
  const auto& s = task.settings;
  std::vector<std::size_t> by_size(task.sizes.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  std::sort(by_size.begin(), by_size.end(), [&](auto a, auto b) { return task.sizes[a] < task.sizes[b]; });

  Table table({"samples", "expected - true, mean", "its size, mean", "says >= 0.9 with 90 %", "of these true"});
  for (const auto size : by_size) {
    double error = 0, size_of_error = 0, count = 0, says = 0, is = 0;
    for_each_run(task, [&](const Outcome& outcome, int trial) {
      const auto at = size * s.trials + trial;
      if (std::isnan(outcome.expected[at])) return;
      ++count;
      error += outcome.expected[at] - outcome.srcc[at];
      size_of_error += std::abs(outcome.expected[at] - outcome.srcc[at]);
      says += outcome.sure[at] >= kSure;
      is += outcome.sure[at] >= kSure && outcome.srcc[at] >= kStrong;
    });
    const auto samples = std::to_string(task.sizes[size]);
    work.summary.set("expected_error." + s.name + "." + samples, count ? size_of_error / count : kNan);
    table.row({samples, fixed(error / count), fixed(size_of_error / count), fixed(says / count),
               fixed(says ? is / says : kNan)});
  }

  double runs = 0, stopped = 0, kept = 0, spent = 0;
  for_each_run(task, [&](const Outcome& outcome, int trial) {
    ++runs;
    const auto stop = std::find_if(by_size.begin(), by_size.end(), [&](auto size) {
      return task.sizes[size] >= kMinSamplesToStop && outcome.sure[size * s.trials + trial] >= kSure;
    });
    if (stop == by_size.end()) return;
    ++stopped;
    spent += task.sizes[*stop];
    kept += outcome.srcc[*stop * s.trials + trial] >= kStrong;
  });
  work.summary.set("stop.share." + s.name, stopped / runs);
  work.summary.set("stop.samples." + s.name, stopped ? spent / stopped : kNan);
  work.summary.set("stop.kept." + s.name, stopped ? kept / stopped : kNan);
  if (!stopped)
    for (const char* key : {"stop.samples.", "stop.kept."})
      work.summary.set_reason(key + s.name, "no run is sure enough to stop");
  work.report +=
      table.markdown() + "\nStopping at the first of these sizes, from " + std::to_string(kMinSamplesToStop) +
      " on, where SRCC >= 0.9 has a probability of 90 %: " + fixed(100 * stopped / runs, 0) + " % of the runs stop";
  if (stopped > 0)
    work.report += ", after " + fixed(spent / stopped, 1) + " samples on average; " + fixed(100 * kept / stopped, 0) +
                   " % of these reach 0.9";
  work.report += ".\n\n";
}

}  // namespace oneproxy::few_shot
