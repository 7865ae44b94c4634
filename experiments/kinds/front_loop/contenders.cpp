#include "experiments/kinds/front_loop/contenders.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "experiments/kinds/front_loop/judge.h"
#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"

namespace oneproxy::front_loop {
namespace {

constexpr std::int64_t kMostScattered = 200;  // measurements of a loop on a device that scatters

std::span<const std::uint8_t> row_of(std::span<const std::uint8_t> choices, std::int64_t i, int n_decisions) {
  return choices.subspan(static_cast<std::size_t>(i * n_decisions), static_cast<std::size_t>(n_decisions));
}

// Rounds of a loop that ends by itself or with `longest` measurements, those that the run has included.
void measure_with(FrontLoop& loop, const Truth& truth, int n_decisions, std::int64_t longest, LoopRun& run) {
  for (std::int64_t i = 0; i < std::ssize(run.trace); ++i)
    loop.tell(row_of(run.choices, i, n_decisions), {&run.trace[i].latency_ms, 1});
  while (std::ssize(run.trace) < longest) {
    check_interrupt();
    const auto step = loop.step();
    run.expected_gain = step.expected_gain;
    const auto n = std::ssize(step.measure) / n_decisions;
    if (n == 0) return;
    for (std::int64_t i = 0; i < n && std::ssize(run.trace) < longest; ++i) {
      const auto choices = row_of(step.measure, i, n_decisions);
      run.choices.insert(run.choices.end(), choices.begin(), choices.end());
      run.trace.push_back(truth.measure(choices));
      loop.tell(choices, {&run.trace.back().latency_ms, 1});
    }
  }
}

}  // namespace

LoopRun run_loop(const Task& task, const Truth& truth, const MeasuredObjective& measured,
                 const std::vector<double>& limits, std::int64_t longest, int trial) {
  const auto& s = task.settings;
  const int n_decisions = task.loaded->space.n_decisions();
  const FrontLoopProblem problem{task.features, {measured}, truth.goal(), truth.candidates()};
  FrontLoopSettings settings;
  settings.batch = s.batch;
  settings.floor = s.floor;
  for (const double limit : limits) settings.limits.push_back({limit});
  settings.stop_gain = s.stop_gain;
  settings.repeats = 1;  // a table answers the same again
  settings.seed = s.seed + static_cast<std::uint64_t>(trial);
  LoopRun run;
  FrontLoop until_it_stops(problem, settings);
  measure_with(until_it_stops, truth, n_decisions, longest, run);
  run.stopped_at = std::ssize(run.trace);
  const double expected_gain = run.stopped_at < longest ? run.expected_gain : kNan;
  settings.stop_gain = 0;
  FrontLoop on(problem, settings);
  measure_with(on, truth, n_decisions, longest, run);
  run.expected_gain = expected_gain;
  return run;
}

Scattered run_scattered(const Task& task, const Truth& truth, const MeasuredObjective& measured,
                        const std::vector<double>& limits, int repeats, int trial) {
  const auto& s = task.settings;
  const int n_decisions = task.loaded->space.n_decisions();
  FrontLoopSettings settings;
  settings.batch = s.batch;
  settings.floor = s.floor;
  for (const double limit : limits) settings.limits.push_back({limit});
  settings.stop_gain = s.stop_gain;
  settings.repeats = repeats;
  settings.budget = kMostScattered;
  settings.seed = s.seed + static_cast<std::uint64_t>(trial);
  FrontLoop loop({task.features, {measured}, truth.goal(), truth.candidates()}, settings);
  const Philox random =
      random_stream(s.seed, Draws::measurement_noise, static_cast<std::uint32_t>(trial * 100 + repeats));
  std::uint64_t n = 0;
  auto step = loop.step();
  for (; !step.measure.empty(); step = loop.step()) {
    check_interrupt();
    for (std::int64_t i = 0; i < std::ssize(step.measure) / n_decisions; ++i) {
      const auto choices = row_of(step.measure, i, n_decisions);
      const double latency = truth.device().measure_anew(choices, random, n++);
      loop.tell(choices, {&latency, 1});
    }
  }
  std::vector<double> broken, far_off, regret;
  for (const auto& answer : step.answers) {
    if (!answer.found) continue;
    const double limit = answer.limit.front(), takes = truth.measure(answer.network.choices).fitted_ms;
    broken.push_back(takes > limit);
    far_off.push_back(takes > 1.05 * limit);
    const auto* best = best_within(truth.fitted_front(), limit);
    regret.push_back(best && takes <= limit ? best->quality - answer.network.quality : kNan);
  }
  return {statistics(broken).mean, statistics(far_off).mean, statistics(regret).mean, static_cast<double>(n)};
}

Predicted adapt_to_plan(const Task& task, const Target& target, const TargetDevice& device,
                        const AdaptationMethod& method, int k, int trial) {
  const auto& s = task.settings;
  const auto order =
      measuring_order(*method.model(), task.archs->choices, {}, k, s.seed, static_cast<std::uint32_t>(trial));
  TargetSamples samples;
  for (const auto row : order) {
    if (samples.n() == k) break;
    if (std::isnan(target.latency.values[row])) continue;
    samples.add(task.archs->row(row), device.measure(task.archs->row(row)).latency_ms);
  }
  return {samples.choices, method.adapt(samples)->predictor()};
}

Predicted adapt_a_proxy(const Task& task, const Target& target, const ProxyPredictor& proxy, int trial) {
  const auto& s = task.settings;
  const auto& data = task.loaded->data;
  const auto trained =
      adapt_trial(data, proxy, target.latency, s.budget, s.norm, measurement_order(data.n(), s.seed, trial));
  Predicted found{{}, trained.adapted.predictor};
  for (const auto row : trained.measured) {
    const auto choices = task.archs->row(row);
    found.measured.insert(found.measured.end(), choices.begin(), choices.end());
  }
  return found;
}

Outcome measure_front_of(const Task& task, const Target& target, const Truth& truth, const Predicted& predicted) {
  Outcome found;
  const int n_decisions = task.loaded->space.n_decisions();
  std::set<std::vector<std::uint8_t>> measured;
  for (std::int64_t i = 0; i < std::ssize(predicted.measured) / n_decisions; ++i) {
    const auto choices = row_of(predicted.measured, i, n_decisions);
    found.trace.push_back(truth.measure(choices));
    measured.insert({choices.begin(), choices.end()});
  }
  const auto front = truth.front_under(predicted.latency);
  found.unchecked = judge_unchecked(truth, front, target.regret_limits);
  const auto most = static_cast<std::size_t>(task.longest());
  for (const auto member : greedy_order(front, truth.floor_quality(), most))
    if (measured.insert(front[member].choices).second) found.trace.push_back(truth.measure(front[member].choices));
  return found;
}

Trace measure_random(const Task& task, const Truth& truth, std::int64_t longest, int trial) {
  const int n_decisions = task.loaded->space.n_decisions();
  Trace trace;
  const auto choices = truth.random(longest, trial);
  for (std::int64_t i = 0; i < std::ssize(choices) / n_decisions; ++i)
    trace.push_back(truth.measure(row_of(choices, i, n_decisions)));
  return trace;
}

}  // namespace oneproxy::front_loop
