#include <ctime>
#include <map>
#include <optional>

#include "experiments/kinds/front_loop/contenders.h"
#include "experiments/kinds/front_loop/judge.h"
#include "oneproxy/engine/adapt/sources.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy::front_loop {
namespace {

// Of the processor, spent by this thread: other trials run beside it.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// What is the same in all trials.
struct Stage {
  std::vector<std::optional<TargetDevice>> devices;              // [targets]
  std::vector<std::vector<std::optional<Truth>>> truths;         // [targets][qualities]
  std::map<std::string, std::optional<ProxyPredictor>> proxies;  // that AdaProxy adapts

  explicit Stage(const Task& task) : devices(task.targets.size()), truths(task.targets.size()) {
    parallel_for(std::ssize(task.targets), [&](std::int64_t t) {
      devices[t].emplace(task, task.targets[t]);
      for (const auto& goal : task.goals)
        truths[t].emplace_back(std::in_place, task, *devices[t], task.targets[t], *goal);
    });
    std::vector<std::string> names;
    for (const auto& target : task.targets) proxies[task.proxy_of(target)];
    for (const auto& [name, proxy] : proxies) names.push_back(name);
    const auto& data = task.loaded->data;
    parallel_for(std::ssize(names),
                 [&](std::int64_t i) { proxies.at(names[i]) = fit_proxy(data, data.device(names[i]), Backend::cpu); });
  }
};

MeasuredObjective learn_from_sources(const Task& task, const Target& target, int trial) {
  const auto& s = task.settings;
  std::vector<SourceDevice> drawn;
  for (std::size_t i = 0; i < task.sources.size(); ++i)
    if (task.sources[i].name != target.latency.name)
      drawn.push_back(draw_source(task.loaded->data, task.sources[i], s.samples_source, s.seed,
                                  static_cast<std::uint32_t>(trial * 1000 + static_cast<int>(i))));
  return measured_objective(target.latency, Sources(task.features, std::move(drawn)),
                            s.seed + static_cast<std::uint64_t>(trial));
}

void judge_limits(const Task& task, const Target& target, const Truth& truth, Run& run) {
  const auto& s = task.settings;
  for (const auto n : s.limits_measured) {
    const auto regrets = regrets_at(truth, run.limits_trace, n, target.limits);
    double sum = 0, within = 0;
    for (const double regret : regrets) {
      sum += regret;
      within += regret <= s.within;
    }
    run.limits_regret.push_back(sum / static_cast<double>(regrets.size()));
    run.limits_within.push_back(within / static_cast<double>(regrets.size()));
  }
}

std::vector<Run> run_trial(const Task& task, const Stage& stage, std::size_t t, int trial) {
  const auto& s = task.settings;
  const Target& target = task.targets[t];
  const auto measured = learn_from_sources(task, target, trial);
  std::vector<Predicted> predicted;
  for (const auto k : s.plans)
    predicted.push_back(adapt_to_plan(task, target, *stage.devices[t], *measured.method, static_cast<int>(k), trial));
  predicted.push_back(adapt_a_proxy(task, target, *stage.proxies.at(task.proxy_of(target)), trial));
  std::vector<Run> runs;
  for (const auto& of_quality : stage.truths[t]) {
    check_interrupt();
    const Truth& truth = *of_quality;
    Run run;
    const double start = thread_seconds();
    const auto loop = run_loop(task, truth, measured, {}, task.longest(), trial);
    run.seconds = thread_seconds() - start;
    run.stop_measurements = static_cast<double>(loop.stopped_at);
    run.stop_gap = remaining_gap(truth, {loop.trace.begin(), loop.trace.begin() + loop.stopped_at});
    run.stop_expected_gain = loop.expected_gain;
    run.outcomes.push_back({loop.trace, {}, {}});
    for (const auto& one : predicted) run.outcomes.push_back(measure_front_of(task, target, truth, one));
    run.outcomes.push_back({measure_random(task, truth, task.longest(), trial), {}, {}});
    for (auto& outcome : run.outcomes)
      outcome.curve =
          judge(truth, outcome.trace, target.regret_limits, std::max(task.longest(), std::ssize(outcome.trace)));
    run.limits_trace = run_loop(task, truth, measured, target.limits, s.limits_measured.back(), trial).trace;
    judge_limits(task, target, truth, run);
    for (const auto repeats : s.repeats)
      run.scattered.push_back(run_scattered(task, truth, measured, target.limits, static_cast<int>(repeats), trial));
    runs.push_back(std::move(run));
  }
  return runs;
}

}  // namespace

void run_trials(Task& task) {
  const Stage stage(task);
  const int trials = task.settings.trials;
  for (auto& target : task.targets) target.runs.resize(trials);
  const auto n = std::ssize(task.targets) * trials;
  Progress progress("fronts of " + task.settings.name, n, "trials");
  parallel_for(n, [&](std::int64_t i) {
    const auto t = static_cast<std::size_t>(i / trials);
    const int trial = static_cast<int>(i % trials);
    task.targets[t].runs[trial] = run_trial(task, stage, t, trial);
    progress.advance();
  });
}

}  // namespace oneproxy::front_loop
