#include "oneproxy/engine/adapt/fine_tune.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/train/train.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

constexpr double kLeastCorrelation = 0.3;  // in the slope that brings a source to the target's scale
constexpr double kPretrainingRate = 2e-3;
constexpr std::int64_t kHoldOut = 10, kLeastToHoldOut = 50;  // every tenth measurement stops the pretraining

// The source on the target's scale: log latency = offset + scale * score, fitted on the samples.
void bring_to_scale(MlpPredictor& predictor, std::span<const std::uint8_t> choices,
                    std::span<const double> latency_ms) {
  const auto n = latency_ms.size();
  std::vector<double> scores(n);
  predictor.predict(choices, scores);
  double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    scores[i] = (std::log(scores[i]) - predictor.output_offset) / predictor.output_scale;
    mean_x += scores[i] / static_cast<double>(n);
    mean_y += std::log(latency_ms[i]) / static_cast<double>(n);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double x = scores[i] - mean_x, y = std::log(latency_ms[i]) - mean_y;
    xx += x * x, yy += y * y, xy += x * y;
  }
  if (!(yy > 0)) return;  // the training says what is wrong
  const bool ranks = xx > 1e-12 * static_cast<double>(n);
  predictor.output_scale =
      ranks ? std::max(xy / xx, kLeastCorrelation * std::sqrt(yy / xx)) : std::sqrt(yy / static_cast<double>(n));
  predictor.output_offset = mean_y - predictor.output_scale * mean_x;
}

class AdaptedNetwork : public AdaptedPredictor {
 public:
  explicit AdaptedNetwork(MlpPredictor predictor) : predictor_(std::move(predictor)) {}
  std::vector<double> latency_ms(const Architectures& at) const override {
    std::vector<double> latency(at.n());
    predictor_.predict(at.choices, latency);
    return latency;
  }
  SpaceModel space_model() const override { return predictor_; }
  ExpectedSrcc expected_srcc() const override {
    const double unknown = std::numeric_limits<double>::quiet_NaN();
    return {unknown, unknown, unknown, {}};
  }

 private:
  MlpPredictor predictor_;
};

class FineTuneMethod : public AdaptationMethod {
 public:
  FineTuneMethod(const SearchSpace& space, std::vector<MlpPredictor> sources, FineTuneSettings settings)
      : space_(space), sources_(std::move(sources)), settings_(std::move(settings)) {
    require_torch();
    if (sources_.empty()) throw Error("finetune needs a source device whose predictor it fine-tunes; name one");
  }

  std::string name() const override { return "finetune"; }

  std::unique_ptr<AdaptedPredictor> adapt(const Architectures& all, std::span<const std::int64_t> measured,
                                          std::span<const double> latency_ms) const override {
    TrainingSamples samples;
    for (std::size_t i = 0; i < measured.size(); ++i) {
      if (std::isnan(latency_ms[i])) continue;
      if (!(latency_ms[i] > 0))
        throw Error("finetune: the latency of row " + std::to_string(measured[i]) + " is " +
                    std::to_string(latency_ms[i]) + " ms; it should be above 0");
      const auto row = all.row(measured[i]);
      samples.choices.insert(samples.choices.end(), row.begin(), row.end());
      samples.values.push_back(latency_ms[i]);
    }
    FineTuning tuning;
    tuning.start = best_source(samples);
    bring_to_scale(tuning.start, samples.choices, samples.values);
    tuning.keep_scale = true;
    tuning.frozen_layers = settings_.frozen_layers;
    tuning.last_layer_only = settings_.last_layer_only;
    tuning.l2_sp = settings_.l2_sp;
    TrainSettings train;
    train.target = "latency on the target, from " + tuning.start.target;
    train.unit = "ms";
    train.log_target = true;
    train.learning_rate = settings_.learning_rate;
    train.weight_decay = 0;  // L2-SP is in its place
    train.batch = std::max<std::int64_t>(1, static_cast<std::int64_t>(samples.values.size()));
    train.epochs = settings_.epochs;
    train.seed = settings_.seed;
    train.fine_tuning = std::move(tuning);
    return std::make_unique<AdaptedNetwork>(train_mlp(space_, samples, {}, train).predictor);
  }

 private:
  const MlpPredictor& best_source(const TrainingSamples& samples) const {
    const MlpPredictor* best = &sources_.front();
    double best_srcc = -2;
    for (const auto& source : sources_) {
      if (sources_.size() == 1) break;
      std::vector<double> predicted(samples.values.size());
      source.predict(samples.choices, predicted);
      const double srcc = spearman(predicted, samples.values, Backend::cpu).value;
      if (srcc > best_srcc) best_srcc = srcc, best = &source;
    }
    return *best;
  }

  const SearchSpace& space_;
  std::vector<MlpPredictor> sources_;
  FineTuneSettings settings_;
};

}  // namespace

MlpPredictor pretrain(const SearchSpace& space, const SourceDevice& device, const FineTuneSettings& settings) {
  const std::size_t decisions = space.radices().size();
  const auto n = static_cast<std::int64_t>(device.latency_ms.size());
  TrainingSamples fitting;
  StoppingSamples stopping;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto row = std::span(device.choices).subspan(i * decisions, decisions);
    const bool held_out = n >= kLeastToHoldOut && i % kHoldOut == kHoldOut - 1;
    auto& choices = held_out ? stopping.choices : fitting.choices;
    choices.insert(choices.end(), row.begin(), row.end());
    (held_out ? stopping.values : fitting.values).push_back(device.latency_ms[i]);
  }
  TrainSettings train;
  train.target = "latency on " + device.name;
  train.unit = "ms";
  train.hidden = settings.hidden;
  train.log_target = true;
  train.learning_rate = kPretrainingRate;
  train.batch = std::clamp<std::int64_t>(n / 16, 32, 256);
  train.epochs = settings.pretraining_epochs;
  train.seed = settings.seed;
  try {
    return train_mlp(space, fitting, stopping, train).predictor;
  } catch (const Error& error) {
    throw Error("source device " + device.name + ": " + error.what());
  }
}

std::unique_ptr<AdaptationMethod> make_finetune(const SearchSpace& space, std::vector<MlpPredictor> sources,
                                                const FineTuneSettings& settings) {
  return std::make_unique<FineTuneMethod>(space, std::move(sources), settings);
}

}  // namespace oneproxy
