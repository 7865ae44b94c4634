#include <algorithm>
#include <cmath>
#include <optional>

#include "experiments/kinds/limits_kept/task.h"
#include "experiments/kinds/lookup_trial.h"
#include "oneproxy/engine/adapt/calibrate_limits.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/predictor/tabulation.h"
#include "oneproxy/engine/search/confidence.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy::limits_kept {
namespace {

// As if the posterior's deviation were all that is unknown, and normal.
LimitCalibration normal_errors() {
  constexpr int kErrors = 999;
  LimitCalibration calibration;
  for (int i = 1; i <= kErrors; ++i)
    calibration.errors.push_back(normal_quantile(static_cast<double>(i) / (kErrors + 1)));
  return calibration;
}

// What the target truly takes, and the best that truly keeps a limit.
class Truth {
 public:
  Truth(const Task& task, const Target& target, int trial)
      : task_(task),
        known_(target.latency.values),
        random_(random_stream(task.settings.seed, Draws::later_measurement, static_cast<std::uint32_t>(trial))) {
    for (std::int64_t i = 0; i < task.archs->n(); ++i)
      if (!std::isnan(known_[i])) rows_.push_back(i);
    if (task.settings.over == Over::rows) {
      quality_.resize(task.archs->n());
      task.goal->evaluate(task.archs->choices, quality_);
      return;
    }
    const auto all = draw_source(task.loaded->data, target.latency, 0, task.settings.seed, 0);
    fit_ = fit_source(*task.features, all);
    at_rows_ = fit_->predict(task.archs->rows);
    const Tabulation tabulation(task.loaded->space, true);
    table_ = tabulation.predictor(
        [&](std::span<const std::uint8_t> choices) { return fitted(task.features->rows(choices)); }, "ms");
  }

  // One later measurement.
  double latency_ms(const std::vector<std::uint8_t>& choices) {
    if (task_.settings.over == Over::space) {
      const auto row = rows_[random_.below(draw_++, rows_.size())];
      return fitted(task_.features->rows(choices))[0] * known_[row] / (fit_->median_ms * at_rows_[row]);
    }
    for (const auto row : rows_)
      if (std::ranges::equal(task_.archs->row(row), choices)) return known_[row];
    return Answer::kNan;
  }

  std::vector<double> best_qualities(const std::vector<double>& limits) {
    std::vector<double> best(limits.size(), Answer::kNan);
    if (task_.settings.over == Over::space) {
      const SubSpace part = SubSpace::of(task_.loaded->space);
      const SearchProblem problem{
          part, nullptr, {*task_.goal, predicted_objective(*table_, part.space(), "truth", "ms")}};
      Evaluator evaluator(problem, question_for(limits));
      const auto found = ExactSearch().search(evaluator);
      for (std::size_t l = 0; l < limits.size(); ++l)
        if (const auto* one = found.best_of(l)) best[l] = one->values[0];
      return best;
    }
    for (std::size_t l = 0; l < limits.size(); ++l)
      for (const auto row : rows_)
        if (known_[row] <= limits[l] && !(quality_[row] <= best[l])) best[l] = quality_[row];
    return best;
  }

  static SearchQuestion question_for(const std::vector<double>& limits) {
    SearchQuestion question;
    for (const double limit : limits) question.limits.push_back({{std::nan(""), limit}});
    return question;
  }

 private:
  std::vector<double> fitted(const ArchitectureFeatures::Rows& rows) const {
    auto latency = fit_->predict(rows);
    for (double& value : latency) value *= fit_->median_ms;
    return latency;
  }

  const Task& task_;
  const std::vector<double>& known_;
  std::vector<std::int64_t> rows_;
  std::vector<double> quality_, at_rows_;
  std::optional<SourcePredictor> fit_;
  std::optional<Predictor> table_;
  Philox random_;
  std::uint64_t draw_ = 0;
};

std::vector<Answer> search(const Task& task, const Objective& latency, double confidence,
                           const std::vector<double>& limits, const std::vector<double>& best, Truth& truth) {
  const SubSpace part = SubSpace::of(task.loaded->space);
  const SearchProblem problem{part, &task.loaded->data, {*task.goal, latency}};
  Evaluator evaluator(problem, Truth::question_for(limits));
  const ExactSearch exact;
  const ExhaustiveSearch exhaustive;
  const SearchMethod& method = task.settings.over == Over::space ? static_cast<const SearchMethod&>(exact) : exhaustive;
  const auto found = search_with_confidence(method, evaluator, confidence);
  std::vector<Answer> answers(limits.size());
  for (std::size_t l = 0; l < limits.size(); ++l) {
    auto& answer = answers[l];
    answer.limit_ms = limits[l];
    answer.best_quality = best[l];
    const auto* one = found.best_of(l);
    if (!one) continue;
    const auto kept = kept_limit(latency, one->choices, one->values[1], limits[l]);
    answer.predicted_ms = one->values[1];
    answer.deviation_ms = kept.deviation;
    answer.probability = kept.probability;
    answer.quality = one->values[0];
    answer.latency_ms = truth.latency_ms(one->choices);
  }
  return answers;
}

void run_target(Task& task, std::size_t number) {
  const auto& s = task.settings;
  Target& target = task.targets[number];
  std::vector<double> limits;
  for (const double share : s.limits) limits.push_back(quantile(target.latency.values, share));
  std::optional<LearnedFromSources> learned;
  std::optional<LimitCalibration> calibration;
  for (int trial = 0; trial < s.trials; ++trial) {
    check_interrupt();
    std::vector<SourceDevice> drawn;
    for (std::size_t i = 0; i < task.sources.size(); ++i)
      if (task.sources[i].name != target.latency.name)
        drawn.push_back(draw_source(task.loaded->data, task.sources[i], s.samples_source, s.seed,
                                    static_cast<std::uint32_t>(trial * 1000 + static_cast<int>(i))));
    const Sources sources(task.features, std::move(drawn));
    const auto& settings = s.method.settings();
    if (!learned) {  // once: of the first trial's measurements of the sources
      learned = settings.learn(sources, s.seed);
      auto both = calibrate_limits(sources, settings, *learned, s.samples_target, s.seed);
      calibration = std::move(s.over == Over::space ? both.over_space : both.over_rows);
      target.n_calibrating = calibration->n_devices;
    }
    const LookupTrial lookup(*task.archs, sources, settings, *learned, {}, s.seed, trial);
    const auto adapted = lookup.adapt(target.latency, lookup.measuring_order(s.samples_target), s.samples_target);
    auto posterior = adapted.predictor->posterior();
    if (!posterior)
      throw Error("task " + s.name + ": method " + s.method.kind().name +
                  " knows no posterior; use method = \"bayes\"");
    auto latency = predicted_objective(adapted.predictor->predictor(), task.loaded->space, "predicted latency", "ms");
    latency.name = "latency_ms";
    Truth truth(task, target, trial);
    const auto best = truth.best_qualities(limits);
    const auto all_confidences = [&](const LimitCalibration& by, bool noise) {
      posterior->calibration = by;
      auto own = *posterior;
      if (!noise) own.noise.deviation = 0;
      latency.posterior = std::make_shared<const Posterior>(std::move(own));
      std::vector<std::vector<Answer>> answers = {search(task, latency, 0, limits, best, truth)};
      for (const double confidence : s.confidences)
        answers.push_back(search(task, latency, confidence, limits, best, truth));
      return answers;
    };
    target.calibrated.push_back(all_confidences(*calibration, true));
    if (s.over == Over::rows) target.uncalibrated.push_back(all_confidences(normal_errors(), false));
  }
}

}  // namespace

void run_trials(Task& task) {
  const auto n = std::ssize(task.targets);
  Progress progress("limits of " + task.settings.name, n, "targets");
  parallel_for(n, [&](std::int64_t i) {
    run_target(task, static_cast<std::size_t>(i));
    progress.advance();
  });
}

}  // namespace oneproxy::limits_kept
