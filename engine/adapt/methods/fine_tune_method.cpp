#include <algorithm>
#include <cmath>
#include <utility>

#include "oneproxy/engine/adapt/methods/fine_tune.h"
#include "oneproxy/engine/adapt/methods/methods.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/engine/train/train.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

constexpr double kMinCorrelation = 0.3;  // in the slope that brings a source to the target's scale
constexpr double kPretrainingRate = 2e-3;
constexpr std::int64_t kHoldOut = 10, kMinToHoldOut = 50;  // every tenth measurement stops the pretraining

// The source on the target's scale: log latency = offset + scale * score, fitted on the samples.
void bring_to_scale(MlpPredictor& predictor, const TrainingSamples& samples) {
  const auto& [choices, latency_ms] = static_cast<const Samples&>(samples);
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
      ranks ? std::max(xy / xx, kMinCorrelation * std::sqrt(yy / xx)) : std::sqrt(yy / static_cast<double>(n));
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
  Predictor predictor() const override { return predictor_; }

 private:
  MlpPredictor predictor_;
};

class FineTuneMethod : public AdaptationMethod {
 public:
  FineTuneMethod(std::shared_ptr<const ArchitectureFeatures> features, std::vector<MlpPredictor> networks,
                 FineTuneSettings settings)
      : features_(std::move(features)), networks_(std::move(networks)), settings_(std::move(settings)) {
    require_torch();
    if (networks_.empty()) throw Error("finetune needs a source device whose predictor it fine-tunes; name one");
  }

  std::unique_ptr<AdaptedPredictor> adapt(const TargetSamples& measured,
                                          const DataSheet* /*data_sheet*/) const override {
    const std::size_t decisions = features_->space().radices().size();
    TrainingSamples samples;
    for (std::int64_t i = 0; i < measured.n(); ++i) {
      const double latency_ms = measured.values[i];
      if (std::isnan(latency_ms)) continue;
      check_value(latency_ms, "", "finetune: the value of target sample " + std::to_string(i));
      samples.add(std::span(measured.choices).subspan(i * decisions, decisions), latency_ms);
    }
    FineTuning tuning;
    tuning.start = best_network(samples);
    bring_to_scale(tuning.start, samples);
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
    return std::make_unique<AdaptedNetwork>(train_mlp(features_->space(), samples, {}, train).predictor);
  }

 private:
  const MlpPredictor& best_network(const TrainingSamples& samples) const {
    const MlpPredictor* best = &networks_.front();
    double best_srcc = -2;
    for (const auto& network : networks_) {
      if (networks_.size() == 1) break;
      std::vector<double> predicted(samples.values.size());
      network.predict(samples.choices, predicted);
      const double srcc = spearman(predicted, samples.values, Backend::cpu).value;
      if (srcc > best_srcc) best_srcc = srcc, best = &network;
    }
    return *best;
  }

  std::shared_ptr<const ArchitectureFeatures> features_;
  std::vector<MlpPredictor> networks_;
  FineTuneSettings settings_;
};

struct PretrainedNetwork : SourceKnowledge {
  MlpPredictor network;
};

class FineTuneMethodSettings : public MethodSettings {
 public:
  std::unique_ptr<MethodSettings> clone() const override { return std::make_unique<FineTuneMethodSettings>(*this); }

  void read(Config& config) override {
    auto whole = [&](const char* key, std::vector<int>& values, std::int64_t low, std::int64_t high, const char* help) {
      const auto read = config.integers(key, {values.begin(), values.end()}, low, high, help);
      values.assign(read.begin(), read.end());
    };
    auto& s = settings_;
    whole("hidden", s.hidden, 1, 1 << 16, "finetune: widths of the hidden layers");
    s.pretraining_epochs =
        config.integer("pretraining_epochs", s.pretraining_epochs, 1, 1000000, "finetune: on each source, at most");
    s.epochs = config.integer("epochs", s.epochs, 1, 1000000, "finetune: on the target, one step each");
    s.learning_rate = config.number("learning_rate", s.learning_rate, 1e-12, 1e3, "finetune: of AdamW on the target");
    whole("frozen_layers", s.frozen_layers, 0, 100, "finetune: layers kept as pretrained, from 0");
    s.last_layer_only = config.flag("last_layer_only", s.last_layer_only, "finetune: keeps all layers but the last");
    s.l2_sp = config.number("l2_sp", s.l2_sp, 0, 1e9, "finetune: pull towards the pretrained weights");
    check_layers(config);
  }

  std::shared_ptr<const SourceKnowledge> learn_from(const ArchitectureFeatures& features, const SourceDevice& device,
                                                    std::uint64_t seed) const override {
    auto learned = std::make_shared<PretrainedNetwork>();
    learned->network = pretrain(features.space(), device, seeded(seed));
    return learned;
  }

  std::unique_ptr<AdaptationMethod> make(const Sources& sources, const LearnedFromSources& learned,
                                         std::uint64_t seed) const override {
    std::vector<MlpPredictor> networks;
    for (const auto& one : learned.of_each) networks.push_back(static_cast<const PretrainedNetwork&>(*one).network);
    return make_finetune(sources.features, std::move(networks), seeded(seed));
  }

 private:
  void check_layers(const Config& config) const {
    const auto& s = settings_;
    if (s.hidden.empty()) throw Error(config.location("hidden") + ": hidden = [] has no layer; try [64, 64]");
    std::vector<char> frozen(s.hidden.size() + 1, s.last_layer_only);
    frozen.back() = 0;
    for (const int layer : s.frozen_layers) {
      if (layer >= static_cast<int>(frozen.size()))
        throw Error(config.location("frozen_layers") + ": frozen_layers names layer " + std::to_string(layer) +
                    ", the last is " + std::to_string(frozen.size() - 1));
      frozen[layer] = 1;
    }
    if (std::count(frozen.begin(), frozen.end(), 0) == 0)
      throw Error(config.location("frozen_layers") + ": all layers are frozen; leave one to train");
  }
  FineTuneSettings seeded(std::uint64_t seed) const {
    auto settings = settings_;
    settings.seed = seed;
    return settings;
  }

  FineTuneSettings settings_;
};

}  // namespace

MlpPredictor pretrain(const SearchSpace& space, const SourceDevice& device, const FineTuneSettings& settings) {
  const std::size_t decisions = space.radices().size();
  const auto& samples = device.samples;
  const auto n = samples.n();
  TrainingSamples training;
  StoppingSamples stopping;
  for (std::int64_t i = 0; i < n; ++i) {
    const bool held_out = n >= kMinToHoldOut && i % kHoldOut == kHoldOut - 1;
    Samples& to = held_out ? static_cast<Samples&>(stopping) : training;
    if (!std::isnan(samples.values[i]))
      check_value(samples.values[i], "",
                  "source device " + device.name + ": the value of measurement " + std::to_string(i));
    to.add(std::span(samples.choices).subspan(i * decisions, decisions), samples.values[i]);
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
    return train_mlp(space, training, stopping, train).predictor;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw Error("source device " + device.name + ": " + error.what());
  }
}

std::unique_ptr<AdaptationMethod> make_finetune(std::shared_ptr<const ArchitectureFeatures> features,
                                                std::vector<MlpPredictor> networks, const FineTuneSettings& settings) {
  return std::make_unique<FineTuneMethod>(std::move(features), std::move(networks), settings);
}

AdaptationMethodKind finetune_method() {
  return {"finetune", "a neural predictor of one source device, fine-tuned", 1, true,
          [] { return std::make_unique<FineTuneMethodSettings>(); }};
}

}  // namespace oneproxy
