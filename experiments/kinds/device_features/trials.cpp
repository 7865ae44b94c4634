#include <cmath>
#include <limits>

#include "experiments/kinds/device_features/task.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy::device_features {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Every device as a source, drawn and fitted: [trials][devices]. A target alone is never a source, and not fitted.
class FittedSources {
 public:
  FittedSources(const Task& task, const Settings& settings) : task_(task) {
    std::vector<char> used(task.devices.size(), 0);
    for (const auto& one : task.cases)
      for (const int source : one.sources) used[source] = 1;
    const auto n = std::ssize(task.devices);
    drawn_.resize(settings.trials * n);
    predictors_.resize(settings.trials * n);
    parallel_for(settings.trials * n, [&](std::int64_t job) {
      check_interrupt();
      const auto trial = job / n, device = job % n;
      if (!used[device]) return;
      drawn_[job] = draw_source(task.loaded->data, task.devices[device], settings.samples_source, settings.seed,
                                static_cast<std::uint32_t>(trial * 1000 + device));
      if (task.sheets[device]) drawn_[job].data_sheet = *task.sheets[device];
      predictors_[job] = fit_source(*task.features, drawn_[job]);
    });
  }
  Sources of(const Case& one, int trial) const {
    Sources sources(task_.features);
    const auto first = trial * std::ssize(task_.devices);
    for (const int source : one.sources) {
      sources.devices.push_back(drawn_[first + source]);
      sources.predictors.push_back(predictors_[first + source]);
    }
    return sources;
  }

 private:
  const Task& task_;
  std::vector<SourceDevice> drawn_;
  std::vector<SourcePredictor> predictors_;
};

// The first k of the order that the target has.
TargetSamples measure(const Task& task, const Series& target, std::span<const std::int64_t> order, int k) {
  TargetSamples measured;
  for (const auto row : order) {
    if (measured.n() == k) break;
    if (!std::isnan(target.values[row])) measured.add(task.archs->row(row), target.values[row]);
  }
  return measured;
}

// Whose blocks the design weighs: the same for every feature, so that all measure the same architectures.
GaussianProcess design_model(const Sources& sources, const DesignSettings& design) {
  if (design.scales == DesignScales::flat) return default_design_model(sources);
  BayesOptions options;
  options.prior = PriorChoice::stated;
  return {*sources.features, sources.predictors, options};
}

void run_trial(Case& one, const Task& task, const Settings& s, const Sources& sources,
               const std::vector<LearnedFromSources>& learned, int trial) {
  const auto order = measuring_order(design_model(sources, s.design), task.archs->choices, s.design,
                                     std::max(s.samples.back(), 1), s.seed, static_cast<std::uint32_t>(trial));
  const auto n_features = s.features.size(), n_samples = s.samples.size();
  for (std::size_t f = 0; f < n_features; ++f) {
    const auto& feature = s.features[f];
    if (trial >= feature.trials) continue;
    const auto method = feature.method.settings().make(sources, learned[f], s.seed + static_cast<std::uint64_t>(trial));
    for (std::size_t t = 0; t < one.targets.size(); ++t) {
      const int target = one.targets[t];
      for (std::size_t k = 0; k < n_samples; ++k) {
        if (!applies(feature, task, target, s.samples[k])) continue;
        check_interrupt();
        const auto& device = task.devices[target];
        const auto adapted = method->adapt(measure(task, device, order, s.samples[k]), task.sheets[target]);
        one.srcc[((t * n_features + f) * n_samples + k) * s.trials + trial] =
            spearman(adapted->latency_ms(*task.archs), device.values, Backend::cpu).value;
      }
    }
  }
}

}  // namespace

void run_trials(Task& task, const Settings& s) {
  const FittedSources fitted(task, s);
  const auto n_cases = std::ssize(task.cases), n_features = std::ssize(s.features);
  for (auto& one : task.cases)
    one.srcc.assign(one.targets.size() * s.features.size() * s.samples.size() * s.trials, kNan);

  // Trials share what is learned from the sources, as that of the first trial.
  std::vector<std::vector<LearnedFromSources>> learned(n_cases, std::vector<LearnedFromSources>(n_features));
  {
    Progress progress("learning from the sources of " + task.settings.name, n_cases * n_features, "fits");
    parallel_for(n_cases * n_features, [&](std::int64_t job) {
      check_interrupt();
      const auto one = job / n_features, feature = job % n_features;
      learned[one][feature] = s.features[feature].method.settings().learn(fitted.of(task.cases[one], 0), s.seed);
      progress.advance();
    });
  }
  Progress progress("adapting " + task.settings.name, n_cases * s.trials, "trials");
  parallel_for(n_cases * s.trials, [&](std::int64_t job) {
    check_interrupt();
    auto& one = task.cases[job / s.trials];
    const int trial = static_cast<int>(job % s.trials);
    run_trial(one, task, s, fitted.of(one, trial), learned[job / s.trials], trial);
    progress.advance();
  });
}

}  // namespace oneproxy::device_features
