#include "experiments/kinds/few_shot/trials.h"

#include <algorithm>
#include <cmath>

#include "experiments/kinds/lookup_trial.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy::few_shot {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// What the trials of a case share, learned from the first trial's measurements of the sources.
using Learned = std::vector<std::vector<LearnedFromSources>>;  // [cases][variants]

SourceDevice draw(const Task& task, int device, int trial) {
  const auto& s = task.settings;
  auto drawn = draw_source(task.loaded->data, task.devices[device], task.source_rows, s.samples_source, s.seed,
                           static_cast<std::uint32_t>(trial * 1000 + device));
  if (drawn.samples.n() < s.samples_source)
    throw Error("task " + s.name + ": source " + drawn.name + " has " + std::to_string(drawn.samples.n()) +
                " measurements, samples_source asks for " + std::to_string(s.samples_source));
  return drawn;
}

std::vector<SourceDevice> draw_all(const Task& task, const Case& one, int trial) {
  std::vector<SourceDevice> drawn;
  for (const int device : one.sources) drawn.push_back(draw(task, device, trial));
  return drawn;
}

// Of each source alone once, whatever the cases it is in; then of each case's sources together. Of the wanted cases.
Learned learn(const Task& task, const std::vector<std::int64_t>& wanted) {
  const auto& s = task.settings;
  const auto variants = std::ssize(task.variants), cases = std::ssize(wanted);
  std::vector<int> devices;
  for (const auto number : wanted) {
    const auto& sources = task.cases[number].sources;
    devices.insert(devices.end(), sources.begin(), sources.end());
  }
  std::sort(devices.begin(), devices.end());
  devices.erase(std::unique(devices.begin(), devices.end()), devices.end());
  const auto n_devices = std::ssize(devices);
  Progress progress("learning from the sources of " + s.name, (n_devices + cases) * variants, "fits");
  std::vector<std::shared_ptr<const SourceKnowledge>> of_device(n_devices * variants);
  parallel_for(n_devices * variants, [&](std::int64_t job) {
    check_interrupt();
    const auto& settings = *task.variants[job % variants].settings;
    of_device[job] = settings.learn_from(*task.features, draw(task, devices[job / variants], 0), s.seed);
    progress.advance();
  });
  Learned learned(task.cases.size(), std::vector<LearnedFromSources>(variants));
  parallel_for(cases * variants, [&](std::int64_t job) {
    check_interrupt();
    const auto number_of_case = wanted[job / variants];
    const auto& one = task.cases[number_of_case];
    const auto variant = job % variants;
    auto& [of_each, of_all] = learned[number_of_case][variant];
    for (const int device : one.sources) {
      const auto number = std::lower_bound(devices.begin(), devices.end(), device) - devices.begin();
      of_each.push_back(of_device[number * variants + variant]);
    }
    of_all = task.variants[variant].settings->learn_from_all(*task.features, draw_all(task, one, 0), s.seed);
    progress.advance();
  });
  return learned;
}

// Latencies that the SRCC is over, the others NaN: of the test rows, without the slowest and the fastest share where
// the task trims.
Series judged(const Task& task, const Series& target) {
  std::vector<std::int64_t> rows;
  for (const auto row : task.test_rows)
    if (!std::isnan(target.values[row])) rows.push_back(row);
  if (task.settings.trim > 0) {
    std::stable_sort(rows.begin(), rows.end(),
                     [&](std::int64_t a, std::int64_t b) { return target.values[a] < target.values[b]; });
    const auto cut = static_cast<std::ptrdiff_t>(task.settings.trim * static_cast<double>(rows.size()));
    rows = {rows.begin() + cut, rows.end() - cut};
  }
  Series kept = target;
  std::fill(kept.values.begin(), kept.values.end(), kNan);
  for (const auto row : rows) kept.values[row] = target.values[row];
  return kept;
}

// Rows in the order in which every target measures them, [sizes]. One order serves all sizes where orders are nested.
std::vector<std::vector<std::int64_t>> orders_of(const LookupTrial& trial, Selection selection,
                                                 const std::vector<int>& sizes) {
  if (is_nested(selection)) return {sizes.size(), trial.measuring_order(*std::max_element(sizes.begin(), sizes.end()))};
  std::vector<std::vector<std::int64_t>> orders;
  for (const int size : sizes) orders.push_back(trial.measuring_order(size));
  return orders;
}

// All targets of a case, at all sizes; of the variants without some parts at samples_target only. The numbers are in
// the order in which take() reads them.
UnitResult run_trial(const Task& task, const Case& one, const std::vector<LearnedFromSources>& learned, int number) {
  const auto& s = task.settings;
  UnitResult result;
  const Sources sources(task.features, draw_all(task, one, number));
  for (std::size_t variant = 0; variant < task.variants.size(); ++variant) {
    const LookupTrial trial(*task.archs, sources, *task.variants[variant].settings, learned[variant], s.design, s.seed,
                            number);
    if (variant == 0) result.text = trial.method().prior();
    const auto sizes = variant == 0 ? task.sizes : std::vector<int>{s.samples_target};
    const auto orders = orders_of(trial, s.design.selection, sizes);
    for (const auto& outcome : one.outcomes) {
      const auto& target = task.devices[outcome.target];
      const auto truth = judged(task, target);
      for (std::size_t size = 0; size < sizes.size(); ++size) {
        const auto adapted = trial.adapt(target, orders[size], sizes[size]);
        const auto [all, unseen] = agreement(adapted.latency_ms, truth, adapted.rows, Backend::cpu);
        if (variant > 0) {
          result.numbers.push_back(all);
          continue;
        }
        const auto expected = adapted.predictor->expected_srcc();
        result.numbers.insert(result.numbers.end(),
                              {all, unseen, expected.value, expected.probability(kStrong), adapted.milliseconds});
      }
    }
  }
  return result;
}

void take(const UnitResult& result, const Task& task, Case& one, int number) {
  const auto trials = task.settings.trials;
  auto next = result.numbers.begin();
  for (std::size_t variant = 0; variant < task.variants.size(); ++variant)
    for (auto& outcome : one.outcomes)
      for (std::size_t size = 0; size < (variant == 0 ? task.sizes.size() : 1); ++size) {
        const double all = *next++;
        if (size == 0) outcome.variants[variant][number] = all;
        if (variant > 0) continue;
        const auto at = size * trials + number;
        outcome.srcc[at] = all;
        outcome.unseen[at] = *next++;
        outcome.expected[at] = *next++;
        outcome.sure[at] = *next++;
        const double milliseconds = *next++;
        if (size == 0) outcome.adapt_ms[number] = milliseconds;
      }
  if (number == 0) one.prior = result.text;
}

}  // namespace

void run_trials(Task& task, SharedUnits& units) {
  const int trials = task.settings.trials;
  for (auto& one : task.cases)
    for (auto& outcome : one.outcomes) {
      for (auto* v : {&outcome.srcc, &outcome.unseen, &outcome.expected, &outcome.sure})
        v->assign(task.sizes.size() * trials, kNan);
      outcome.variants.assign(task.variants.size(), std::vector<double>(trials, kNan));
      outcome.adapt_ms.assign(trials, kNan);
    }
  const UnitStage stage{"task " + task.settings.name, "adapting " + task.settings.name, "trials",
                        std::ssize(task.cases) * trials};
  std::vector<std::int64_t> wanted;
  for (const auto unit : units.open(stage))
    if (wanted.empty() || wanted.back() != unit / trials) wanted.push_back(unit / trials);
  const Learned learned = learn(task, wanted);
  const auto results = units.run(stage, [&](std::int64_t unit) {
    return run_trial(task, task.cases[unit / trials], learned[unit / trials], static_cast<int>(unit % trials));
  });
  for (std::int64_t unit = 0; unit < stage.n; ++unit)
    if (!results[unit].numbers.empty())
      take(results[unit], task, task.cases[unit / trials], static_cast<int>(unit % trials));
}

}  // namespace oneproxy::few_shot
