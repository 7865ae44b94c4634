#include "experiments/kinds/few_shot/trials.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>

#include "experiments/kinds/fleet.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy::few_shot {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// What the trials of a case share.
struct Learnt {
  std::vector<std::vector<std::optional<BlockPrior>>> priors;  // [cases][variants]; none: the options' own
  std::map<int, MlpPredictor> pretrained;                      // finetune: of each source device
};

SourceDevice draw_source(const Task& task, int d, int trial) {
  const auto& s = task.settings;
  auto drawn = source_device(task.loaded->data, task.devices[d], task.source_rows, s.samples_source, s.seed,
                             static_cast<std::uint32_t>(trial * 1000 + d));
  if (static_cast<int>(drawn.latency_ms.size()) < s.samples_source)
    throw Error("task " + s.name + ": source " + drawn.name + " has " + std::to_string(drawn.latency_ms.size()) +
                " measurements, samples_source asks for " + std::to_string(s.samples_source));
  return drawn;
}

std::vector<SourceDevice> draw_sources(const Task& task, const Case& one, int trial) {
  std::vector<SourceDevice> drawn;
  for (const int d : one.sources) drawn.push_back(draw_source(task, d, trial));
  return drawn;
}

BayesOptions options_of(const Settings& s, const Variant& variant) {
  BayesOptions options;
  options.sources = variant.sources;
  options.physics = variant.physics;
  options.split_sources = s.split_sources;
  options.prior = s.prior == "learnt" ? PriorChoice::learnt
                  : s.prior == "flat" ? PriorChoice::flat
                                      : PriorChoice::stated;
  return options;
}

// Once for all trials, on the first trial's measurements of each source.
void learn_priors(const Task& task, Learnt& learnt) {
  const auto& s = task.settings;
  if (s.method != "bayes" || s.prior != "learnt") return;
  const int variants = task.n_variants(), jobs = static_cast<int>(task.cases.size()) * variants;
  Progress progress("learning priors of " + s.name, jobs, "priors");
  parallel_for(jobs, [&](std::int64_t job) {
    check_interrupt();
    const auto& one = task.cases[job / variants];
    const int variant = static_cast<int>(job % variants);
    if (one.sources.size() >= 3)
      learnt.priors[job / variants][variant] =
          learn_prior(*task.features, draw_sources(task, one, 0), options_of(s, kVariants[variant]), s.seed);
    progress.advance();
  });
}

// Likewise.
void pretrain_sources(const Task& task, Learnt& learnt) {
  const auto& s = task.settings;
  if (s.method != "finetune") return;
  std::vector<int> devices;
  for (const auto& one : task.cases)
    for (const int d : one.sources)
      if (learnt.pretrained.try_emplace(d).second) devices.push_back(d);
  auto settings = s.fine_tune;
  settings.seed = s.seed;
  Progress progress("pretraining for " + s.name, static_cast<std::int64_t>(devices.size()), "sources");
  parallel_for(static_cast<std::int64_t>(devices.size()), [&](std::int64_t i) {
    learnt.pretrained.at(devices[i]) = pretrain(task.loaded->space, draw_source(task, devices[i], 0), settings);
    progress.advance();
  });
}

// The method of the task; refers to the model and to the task.
std::unique_ptr<AdaptationMethod> make_method(const Task& task, const Learnt& learnt, const Case& one,
                                              const BayesModel& model, const std::vector<SourceDevice>& sources,
                                              int trial) {
  const auto& s = task.settings;
  if (s.method == "bayes") return make_bayes(model);
  if (s.method == "adaproxy") return make_adaproxy(*task.features, sources, s.norm);
  std::vector<MlpPredictor> pretrained;
  for (const int d : one.sources) pretrained.push_back(learnt.pretrained.at(d));
  auto settings = s.fine_tune;
  settings.seed = s.seed + static_cast<std::uint64_t>(trial);
  return make_finetune(task.loaded->space, std::move(pretrained), settings);
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

// Rows in the order in which every target measures them, [sizes]. Orders are nested, but for k-means'.
std::vector<std::vector<std::int64_t>> orders_of(const Task& task, const BayesModel& model,
                                                 const std::vector<int>& sizes, int trial) {
  const auto& s = task.settings;
  const auto scales = s.design == "prior" ? DesignScales::prior : DesignScales::flat;
  auto order = [&](int k) {
    return measuring_order(*task.archs, model, s.selection, scales, s.connected, k, s.seed, trial);
  };
  if (s.selection != Selection::kmeans) return {sizes.size(), order(*std::max_element(sizes.begin(), sizes.end()))};
  std::vector<std::vector<std::int64_t>> orders;
  for (const int size : sizes) orders.push_back(order(size));
  return orders;
}

// All targets of a case, at all sizes; of the variants without some blocks at samples_target only.
void run_trial(Task& task, const Learnt& learnt, int c, int trial) {
  const auto& s = task.settings;
  auto& one = task.cases[c];
  const auto sources = draw_sources(task, one, trial);
  std::vector<SourcePredictor> predictors;
  for (const auto& source : sources) predictors.push_back(fit_source(*task.features, source));
  for (int variant = 0; variant < task.n_variants(); ++variant) {
    const BayesModel model(*task.features, predictors, options_of(s, kVariants[variant]), learnt.priors[c][variant]);
    const auto method = make_method(task, learnt, one, model, sources, trial);
    const auto sizes = variant == 0 ? task.sizes : std::vector<int>{s.samples_target};
    const auto orders = orders_of(task, model, sizes, trial);
    for (auto& outcome : one.outcomes) {
      const auto& target = task.devices[outcome.target];
      const auto truth = judged(task, target);
      for (std::size_t size = 0; size < sizes.size(); ++size) {
        const auto [rows, latency] = measure_rows(target, orders[size], sizes[size]);
        const auto start = std::chrono::steady_clock::now();
        const auto adapted = method->adapt(*task.archs, rows, latency);
        const auto predicted = adapted->latency_ms(*task.archs);
        const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
        const auto [all, unseen] = agreement(predicted, truth, rows, Backend::cpu);
        if (size == 0) outcome.variants[variant][trial] = all;
        if (variant > 0) continue;
        if (size == 0) outcome.adapt_ms[trial] = spent.count();
        const auto at = size * s.trials + trial;
        outcome.srcc[at] = all;
        outcome.unseen[at] = unseen;
        const auto expected = adapted->expected_srcc();
        outcome.expected[at] = expected.value;
        outcome.sure[at] = expected.probability(kStrong);
      }
    }
  }
}

}  // namespace

void run_trials(Task& task) {
  const int trials = task.settings.trials, variants = task.n_variants();
  for (auto& one : task.cases)
    for (auto& outcome : one.outcomes) {
      for (auto* v : {&outcome.srcc, &outcome.unseen, &outcome.expected, &outcome.sure})
        v->assign(task.sizes.size() * trials, kNan);
      outcome.variants.assign(variants, std::vector<double>(trials, kNan));
      outcome.adapt_ms.assign(trials, kNan);
    }
  Learnt learnt;
  learnt.priors.assign(task.cases.size(), std::vector<std::optional<BlockPrior>>(variants));
  learn_priors(task, learnt);
  pretrain_sources(task, learnt);
  const auto jobs = static_cast<std::int64_t>(task.cases.size()) * trials;
  Progress progress("adapting " + task.settings.name, jobs, "trials");
  parallel_for(jobs, [&](std::int64_t job) {
    check_interrupt();
    run_trial(task, learnt, static_cast<int>(job / trials), static_cast<int>(job % trials));
    progress.advance();
  });
}

}  // namespace oneproxy::few_shot
