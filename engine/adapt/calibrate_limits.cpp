#include "oneproxy/engine/adapt/calibrate_limits.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/adapt/front_answers.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/predictor/tabulation.h"
#include "oneproxy/kernels/base/parallel.h"

namespace oneproxy {
namespace {

constexpr std::size_t kLeastSources = 3, kMostHeldOut = 10;
constexpr std::int64_t kDraws = 2;                         // of what is measured, of each device
constexpr int kGoals = 4;                                  // of each of them
constexpr double kLimits[] = {0.1, 0.25, 0.5, 0.75, 0.9};  // quantiles of the device's latencies
constexpr double kKeptFrom[] = {0, 0.84, 1.28, 1.64};      // spreads: normal quantiles of .5, .8, .9, .95

// The sum of what P_mac says of rows, [n].
std::vector<double> macs_of(const ArchitectureFeatures& features, const ArchitectureFeatures::Rows& rows) {
  const auto& layout = features.layout();
  std::vector<double> macs(rows.n, 0.0);
  for (int c = 0; c < layout.n_blocks(); ++c)
    if (layout.names[c] == "P_mac")
      for (std::int64_t i = 0; i < rows.n; ++i)
        for (int j = layout.begin[c]; j < layout.begin[c + 1]; ++j) macs[i] += rows.blocks[i * layout.n_columns() + j];
  return macs;
}

double deviation_of(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean) / static_cast<double>(values.size());
  return squares > 0 ? std::sqrt(squares) : 1;
}

// What a search might maximise: MACs and random weights of the choices, of equal deviation over some architectures.
class MadeUpGoal {
 public:
  MadeUpGoal(const Architectures& archs, RandomDraws& random) : features_(*archs.features) {
    for (const auto radix : features_.space().radices()) {
      weights_.emplace_back(radix);
      for (double& weight : weights_.back()) weight = random.normal();
    }
    macs_deviation_ = deviation_of(macs_of(features_, archs.rows));
    weights_deviation_ = deviation_of(weighed(archs.choices));
  }

  std::vector<double> of(const ArchitectureFeatures::Rows& rows, std::span<const std::uint8_t> choices) const {
    auto goal = macs_of(features_, rows);
    const auto other = weighed(choices);
    for (std::size_t i = 0; i < goal.size(); ++i) goal[i] = goal[i] / macs_deviation_ + other[i] / weights_deviation_;
    return goal;
  }

 private:
  std::vector<double> weighed(std::span<const std::uint8_t> choices) const {
    std::vector<double> sums(choices.size() / weights_.size(), 0.0);
    for (std::size_t i = 0; i < choices.size(); ++i)
      sums[i / weights_.size()] += weights_[i % weights_.size()][choices[i]];
    return sums;
  }

  const ArchitectureFeatures& features_;
  std::vector<std::vector<double>> weights_;  // [n_decisions][radix]
  double macs_deviation_ = 1, weights_deviation_ = 1;
};

// A space whose predictors add up over decisions, for searches of all of it.
struct WholeSpace {
  explicit WholeSpace(const ArchitectureFeatures& features)
      : tabulation(features.space(), true), rows(features.rows(tabulation.choices())) {}
  AdditivePredictor table(std::span<const double> values) const {
    return std::get<AdditivePredictor>(tabulation.predictor(values, ""));
  }
  Tabulation tabulation;
  ArchitectureFeatures::Rows rows;  // of the tabulation
};

std::vector<double> spreads(const AdaptedPredictor& adapted, const MeasurementNoise& noise, const Architectures& archs,
                            const std::vector<double>& predicted) {
  auto spread = adapted.deviation_ms(archs);
  for (std::size_t i = 0; i < spread.size(); ++i)
    spread[i] = std::sqrt(spread[i] * spread[i] + noise.variance(predicted[i]));
  return spread;
}

// One source as the target.
class Play {
 public:
  Play(const Sources& sources, std::size_t target, const std::optional<WholeSpace>& whole)
      : sources_(sources),
        target_(target),
        whole_(whole),
        archs_(*sources.features, known_choices(sources.devices[target].samples)) {
    for (const double latency : sources.devices[target].samples.values)
      if (!std::isnan(latency)) truth_.push_back(latency);
  }

  // Errors at answers; none where the device can not be adapted to.
  struct Errors {
    std::vector<double> over_rows, over_space;
  };
  Errors run(const MethodSettings& settings, const LearnedFromSources& learned, int n_measured, std::uint64_t seed,
             std::int64_t draw) const {
    Sources others = sources_;
    auto of_each = learned.of_each;
    const auto at = static_cast<std::ptrdiff_t>(target_);
    others.devices.erase(others.devices.begin() + at);
    others.predictors.erase(others.predictors.begin() + at);
    if (!of_each.empty()) of_each.erase(of_each.begin() + at);
    const auto method = settings.make(others, {std::move(of_each), learned.of_all}, seed);
    const int k = std::min(n_measured, kMostPlayed);
    if (!method->model() || archs_.n() < 2 * std::int64_t{k}) return {};  // without a model: no posterior either
    const auto order = measuring_order(*method->model(), archs_.choices, {}, k, seed, static_cast<std::uint32_t>(draw));
    TargetSamples samples;
    std::vector<char> measured(archs_.n(), 0);
    for (int i = 0; i < k; ++i) {
      samples.add(archs_.row(order[i]), truth_[order[i]]);
      measured[order[i]] = 1;
    }
    const auto& sheet = sources_.devices[target_].data_sheet;
    const auto adapted = method->adapt(samples, sheet ? &*sheet : nullptr);
    const auto noise = adapted->noise();
    if (!adapted->adapted() || !noise) return {};
    const auto number = static_cast<std::uint32_t>(static_cast<std::int64_t>(target_) * kDraws + draw);
    RandomDraws random(random_stream(seed, Draws::made_up_goals, number));
    Errors errors;
    for (int repeat = 0; repeat < kGoals; ++repeat) {
      const MadeUpGoal goal(archs_, random);
      over_measurements(*adapted, *noise, goal, measured, errors.over_rows);
      if (whole_) over_the_space(*adapted, *noise, goal, random, errors.over_space);
    }
    return errors;
  }

 private:
  static std::vector<std::uint8_t> known_choices(const SourceSamples& samples) {
    std::vector<std::uint8_t> choices;
    const std::size_t n = samples.values.size(), width = samples.choices.size() / n;
    for (std::size_t i = 0; i < n; ++i)
      if (!std::isnan(samples.values[i]))
        choices.insert(choices.end(), &samples.choices[i * width], &samples.choices[i * width] + width);
    return choices;
  }

  void over_measurements(const AdaptedPredictor& adapted, const MeasurementNoise& noise, const MadeUpGoal& goal,
                         const std::vector<char>& measured, std::vector<double>& errors) const {
    const auto predicted = adapted.latency_ms(archs_), spread = spreads(adapted, noise, archs_, predicted);
    const auto value = goal.of(archs_.rows, archs_.choices);
    std::vector<std::int64_t> order;
    for (std::int64_t i = 0; i < archs_.n(); ++i)
      if (!measured[i] && spread[i] > 0) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return value[a] > value[b]; });
    for (const double share : kLimits) {
      const double limit = quantile(truth_, share);
      for (const double kept : kKeptFrom) {
        const auto answer =
            std::find_if(order.begin(), order.end(), [&](auto i) { return predicted[i] + kept * spread[i] <= limit; });
        if (answer != order.end()) errors.push_back((truth_[*answer] - predicted[*answer]) / spread[*answer]);
      }
    }
  }

  void over_the_space(const AdaptedPredictor& adapted, const MeasurementNoise& noise, const MadeUpGoal& goal,
                      RandomDraws& random, std::vector<double>& errors) const {
    std::vector<double> limits;
    for (const double share : kLimits) limits.push_back(quantile(truth_, share));
    const Architectures answers(*sources_.features,
                                front_answers(whole_->table(goal.of(whole_->rows, whole_->tabulation.choices())),
                                              std::get<AdditivePredictor>(adapted.predictor()), limits));
    const auto predicted = adapted.latency_ms(answers), spread = spreads(adapted, noise, answers, predicted);
    const auto& fit = sources_.predictors[target_];
    const auto at_answers = fit.predict(answers.rows), at_measured = fit.predict(archs_.rows);  // over the median
    for (std::int64_t i = 0; i < answers.n(); ++i) {
      const auto row = random.below(static_cast<std::uint64_t>(archs_.n()));
      const double residual = truth_[row] / (fit.median_ms * at_measured[row]);
      if (spread[i] > 0 && at_measured[row] > 0)
        errors.push_back((fit.median_ms * at_answers[i] * residual - predicted[i]) / spread[i]);
    }
  }

  const Sources& sources_;
  std::size_t target_;
  const std::optional<WholeSpace>& whole_;
  Architectures archs_;
  std::vector<double> truth_;  // [n] of archs_
};

// Of one kind of errors of all plays: kDraws a device.
LimitCalibration calibration_of_plays(const std::vector<Play::Errors>& played,
                                      std::vector<double> Play::Errors::*which) {
  std::vector<double> errors;
  std::int64_t n_devices = 0;
  for (std::size_t first = 0; first < played.size(); first += kDraws) {
    const auto before = errors.size();
    for (std::size_t i = first; i < first + kDraws; ++i)
      errors.insert(errors.end(), (played[i].*which).begin(), (played[i].*which).end());
    n_devices += errors.size() > before;
  }
  return calibration_of(std::move(errors), n_devices);
}

}  // namespace

LimitCalibrations calibrate_limits(const Sources& sources, const MethodSettings& settings,
                                   const LearnedFromSources& learned, int n_measured, std::uint64_t seed) {
  const std::size_t d = sources.devices.size();
  const auto count = d < kLeastSources ? 0 : static_cast<std::int64_t>(std::min(d, kMostHeldOut));
  std::optional<WholeSpace> whole;
  if (count > 0 && sources.features->physics().additive()) whole.emplace(*sources.features);
  std::vector<Play::Errors> played(count * kDraws);
  std::optional<Progress> progress;
  if (count > 0)
    progress.emplace("learning how far to stay from a limit", count * kDraws, "searches on source devices");
  parallel_for(count * kDraws, [&](std::int64_t job) {
    check_interrupt();
    const Play play(sources, static_cast<std::size_t>(job / kDraws) * d / count, whole);
    played[job] = play.run(settings, learned, n_measured, seed, job % kDraws);
    progress->advance();
  });
  progress.reset();
  LimitCalibrations calibrations{calibration_of_plays(played, &Play::Errors::over_rows), {}};
  if (whole) calibrations.over_space = calibration_of_plays(played, &Play::Errors::over_space);
  return calibrations;
}

}  // namespace oneproxy
