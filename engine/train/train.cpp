#include "oneproxy/engine/train/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>
#include <sstream>

#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/predictor/cost_table.h"
#include "oneproxy/engine/train/training_checkpoint.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kMaxWidth = 1 << 16;

template <class T>
[[noreturn]] void refuse(const std::string& name, T value, const std::string& expected) {
  std::ostringstream text;
  text << "training: " << name << " = " << value << " should be " << expected;
  throw Error(text.str());
}

void check_settings(const TrainSettings& s) {
  if (s.hidden.empty() && !s.fine_tuning)
    throw Error("training: hidden is empty; name the width of one hidden layer at least, for example [128]");
  for (const int width : s.hidden)
    if (width < 1 || width > kMaxWidth) refuse("hidden width", width, "between 1 and " + std::to_string(kMaxWidth));
  auto positive = [](const char* name, double value) {
    if (!(value > 0 && std::isfinite(value))) refuse(name, value, "a number above 0");
  };
  auto not_negative = [](const char* name, double value) {
    if (!(value >= 0 && std::isfinite(value))) refuse(name, value, "0 or a number above");
  };
  positive("learning_rate", s.learning_rate);
  positive("huber_delta", s.huber_delta);
  positive("margin", s.margin);
  not_negative("weight_decay", s.weight_decay);
  not_negative("checkpoint_seconds", s.checkpoint_seconds);
  if (s.batch < 1) refuse("batch", s.batch, "1 or more");
  if (is_pairwise(s.loss) && s.batch < 2) refuse("batch", s.batch, "2 or more with a pairwise loss");
  if (s.epochs < 1) refuse("epochs", s.epochs, "1 or more");
  if (s.patience < 1) refuse("patience", s.patience, "1 or more");
  if (!s.fine_tuning) return;
  not_negative("l2_sp", s.fine_tuning->l2_sp);
  if (!s.features.empty())
    throw Error("training: features can not be added to a trained predictor; leave them out when fine-tuning");
}

// Rows with a value, as the network is given them.
class Rows {
 public:
  Rows(const SearchSpace& space, const std::vector<std::uint8_t>& choices, const std::vector<double>& values,
       bool log_target, const char* what)
      : radices_(space.radices().begin(), space.radices().end()) {
    const auto d = radices_.size();
    if (choices.size() != values.size() * d)
      throw Error("training: " + std::to_string(values.size()) + " " + what + " values, but " +
                  std::to_string(choices.size()) + " choices of " + std::to_string(d) + " decisions each");
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) {
        ++n_dropped;
        continue;
      }
      auto row_text = [&] { return std::string(what) + " row " + std::to_string(i); };
      if (!std::isfinite(values[i]) || (log_target && values[i] <= 0))
        throw Error("training: the value of " + row_text() + " is " + std::to_string(values[i]) +
                    (log_target ? "; log_target wants values above 0" : "; values should be finite"));
      const auto row = std::span(choices).subspan(i * d, d);
      if (const auto fault = space.fault(row); !fault.empty())
        throw Error("training: " + row_text() + " is no architecture of " + space.name() + ": " + fault);
      this->choices.insert(this->choices.end(), row.begin(), row.end());
      targets.push_back(log_target ? std::log(values[i]) : values[i]);
    }
  }

  std::int64_t n() const { return static_cast<std::int64_t>(targets.size()); }

  // Network inputs of the rows begin .. end of `order`, [end - begin, width].
  void inputs(std::span<const std::int64_t> order, std::size_t width, std::vector<double>& all) const {
    const auto d = radices_.size();
    all.assign(order.size() * width, 0.0);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto row = static_cast<std::size_t>(order[i]);
      double* x = all.data() + i * width;
      for (std::size_t j = 0; j < d; x += radices_[j++]) x[choices[row * d + j]] = 1;
      for (const auto& feature : features) *x++ = feature[row];
    }
  }

  std::vector<std::uint8_t> choices;          // [n, n_decisions]
  std::vector<double> targets;                // [n]; logarithms with log_target
  std::vector<std::vector<double>> features;  // standardised, [n_features][n]
  std::int64_t n_dropped = 0;

 private:
  std::vector<std::uint8_t> radices_;
};

struct Scale {
  double mean = 0, deviation = 0;
};

Scale scale_of(std::span<const double> values) {
  Scale scale;
  const auto n = static_cast<double>(values.size());
  for (const double v : values) scale.mean += v / n;
  for (const double v : values) scale.deviation += (v - scale.mean) * (v - scale.mean) / n;
  scale.deviation = std::sqrt(scale.deviation);
  // What rounding leaves of equal values is no spread.
  if (scale.deviation <= 1e-12 * std::abs(scale.mean)) scale.deviation = 0;
  return scale;
}

// The parameters of a predictor as a network has them: its rows are the columns of the first layer.
std::vector<double> parameters_of(const MlpPredictor& predictor) {
  const auto width = static_cast<std::size_t>(predictor.first_width);
  const auto n_rows = predictor.rows.size() / width;
  std::vector<double> all;
  for (std::size_t j = 0; j < width; ++j)
    for (std::size_t r = 0; r < n_rows; ++r) all.push_back(predictor.rows[r * width + j]);
  all.insert(all.end(), predictor.first_bias.begin(), predictor.first_bias.end());
  for (const auto& layer : predictor.layers) {
    all.insert(all.end(), layer.weights.begin(), layer.weights.end());
    all.insert(all.end(), layer.bias.begin(), layer.bias.end());
  }
  return all;
}

class Training {
 public:
  Training(const SearchSpace& space, const TrainingSamples& fitting, const StoppingSamples& stopping,
           const TrainSettings& settings)
      : space_(space),
        settings_(settings),
        fitting_(space, fitting.choices, fitting.values, settings.log_target, "fitting"),
        stopping_(space, stopping.choices, stopping.values, settings.log_target, "stopping") {
    if (fitting_.n() < 2)
      throw Error("training: " + std::to_string(fitting_.n()) + " fitting rows with a value; two are needed at least");
    const auto& tuning = settings_.fine_tuning;
    if (tuning) check_predictor(tuning->start, space_, "the predictor to start from");
    make_features();
    for (const auto radix : space.radices()) n_rows_ += radix;
    make_network_settings();
    scale_ = scale_of(fitting_.targets);
    if (scale_.deviation == 0)
      throw Error("training: all " + std::to_string(fitting_.n()) +
                  " fitting values are equal; there is nothing to learn");
    if (tuning && tuning->keep_scale) scale_ = {tuning->start.output_offset, tuning->start.output_scale};
    if (!(std::abs(scale_.deviation) > 0))
      throw Error("training: the predictor to start from has the output scale 0; standardise anew (keep_scale)");
    for (Rows* rows : {&fitting_, &stopping_})
      for (double& t : rows->targets) t = (t - scale_.mean) / scale_.deviation;
  }

  TrainingResult run() {
    TrainingResult result;
    const auto n = fitting_.n();
    const auto n_batches = (n + settings_.batch - 1) / settings_.batch;
    auto network = make_network(network_);
    const auto start = settings_.fine_tuning ? parameters_of(settings_.fine_tuning->start)
                                             : random_parameters(network_.widths, active_inputs(), settings_.seed);
    if (network_.l2_sp > 0) network->set_anchor(start);

    TrainingCheckpoint now;
    now.identity = settings_.checkpoint.empty() ? "" : identity();
    if (!settings_.checkpoint.empty() && file_exists(settings_.checkpoint)) {
      now = load_checkpoint(settings_.checkpoint, now.identity, n_parameters(network_.widths));
      result.resumed = true;
      log_info("training goes on from " + settings_.checkpoint + ": epoch " + std::to_string(now.epoch) + ", batch " +
               std::to_string(now.batch));
    } else {
      if (!settings_.checkpoint.empty())
        log_info("a checkpoint every " + plain(settings_.checkpoint_seconds) + " s: " + settings_.checkpoint);
      const std::vector<double> zeros(start.size());
      now.state = {start, zeros, zeros, 0};
    }
    network->set_state(now.state);

    auto saved = std::chrono::steady_clock::now();
    auto save = [&] {
      if (settings_.checkpoint.empty()) return;
      now.state = network->state();
      save_checkpoint(settings_.checkpoint, now);
      saved = std::chrono::steady_clock::now();
    };
    Progress progress("training", settings_.epochs * n_batches, "batches");
    progress.advance(now.epoch * n_batches + now.batch);
    std::vector<double> inputs, targets;
    while (now.epoch < settings_.epochs && !out_of_patience(now)) {
      const auto order = random_permutation(
          n, random_stream(settings_.seed, Draws::predictor_batches, static_cast<std::uint32_t>(now.epoch)));
      while (now.batch < n_batches) {
        stop_if_interrupted(save);
        const auto begin = n * now.batch / n_batches, end = n * (now.batch + 1) / n_batches;
        const auto rows = std::span(order).subspan(begin, end - begin);
        take(fitting_, rows, inputs, targets);
        const double loss = network->step(inputs, targets, learning_rate(now.epoch * n_batches + now.batch, n_batches));
        if (!std::isfinite(loss)) diverged(now.epoch, loss);
        now.loss_sum += loss * static_cast<double>(end - begin);
        ++now.batch;
        progress.advance();
        const std::chrono::duration<double> since = std::chrono::steady_clock::now() - saved;
        if (since.count() >= settings_.checkpoint_seconds) save();
      }
      end_epoch(*network, now);
    }
    if (stopping_.n() == 0) {
      now.best_parameters = network->state().parameters;
      now.best_epoch = now.epoch - 1;
    }
    result.stopped_early = now.epoch < settings_.epochs;
    result.best_epoch = now.best_epoch;
    result.train_loss = now.train_loss;
    result.validation_loss = now.validation_loss;
    result.n_fitting = n;
    result.n_stopping = stopping_.n();
    result.n_dropped = fitting_.n_dropped + stopping_.n_dropped;
    result.predictor = folded(now.best_parameters);
    if (is_pairwise(settings_.loss)) calibrate(result.predictor);
    record(result, now);
    return result;
  }

 private:
  void make_features() {
    for (const auto& name : settings_.features) {
      const AdditivePredictor& feature = features_.emplace_back(cost_table(space_, "model:" + name));
      if (feature.n_tables() > 1)
        throw Error("training: the feature " + name + " of " + space_.name() +
                    " is not a sum over its decisions, for the resolution scales every block, so it can not be folded "
                    "into a predictor; leave it out");
      const auto values_of = [&](std::span<const std::uint8_t> choices) {
        std::vector<double> values(choices.size() / feature.radices.size());
        feature.predict(choices, values);
        return values;
      };
      auto values = values_of(fitting_.choices);
      const Scale scale = scale_of(values);
      if (scale.deviation == 0)
        throw Error("training: the feature " + name + " is the same for all fitting rows; leave it out");
      feature_scales_.push_back(scale);
      auto stopping = values_of(stopping_.choices);
      for (auto* column : {&values, &stopping})
        for (double& v : *column) v = (v - scale.mean) / scale.deviation;
      fitting_.features.push_back(std::move(values));
      stopping_.features.push_back(std::move(stopping));
    }
  }

  void make_network_settings() {
    const auto& tuning = settings_.fine_tuning;
    network_.widths = {n_rows_ + static_cast<int>(features_.size())};
    if (tuning) {
      network_.widths.push_back(tuning->start.first_width);
      for (const auto& layer : tuning->start.layers) network_.widths.push_back(layer.outputs);
    } else {
      network_.widths.insert(network_.widths.end(), settings_.hidden.begin(), settings_.hidden.end());
      network_.widths.push_back(1);
    }
    network_.loss = settings_.loss;
    network_.huber_delta = settings_.huber_delta;
    network_.margin = settings_.margin;
    network_.weight_decay = settings_.weight_decay;
    network_.backend = settings_.backend;
    network_.fp64 = settings_.fp64;
    if (!tuning) return;
    network_.l2_sp = tuning->l2_sp;
    const int n_layers = static_cast<int>(network_.widths.size()) - 1;
    network_.frozen.assign(n_layers, 0);
    if (tuning->last_layer_only) std::fill(network_.frozen.begin(), network_.frozen.end() - 1, 1);
    for (const int layer : tuning->frozen_layers) {
      if (layer < 0 || layer >= n_layers)
        refuse("frozen layer", layer, "between 0 and " + std::to_string(n_layers - 1));
      network_.frozen[layer] = 1;
    }
    if (std::count(network_.frozen.begin(), network_.frozen.end(), 0) == 0)
      throw Error("training: all layers are frozen; leave one to train");
  }

  int active_inputs() const { return space_.n_decisions() + static_cast<int>(features_.size()); }

  // Everything that the result depends on.
  std::string identity() const {
    std::ostringstream text;
    text << std::hexfloat << "training 1\n" << space_.name() << ' ' << to_string(settings_.backend) << '\n';
    for (const int width : network_.widths) text << width << ' ';
    for (const char frozen : network_.frozen) text << int{frozen} << ' ';
    for (std::size_t k = 0; k < features_.size(); ++k)
      text << settings_.features[k] << sha256_of(std::span(features_[k].weights));
    text << '\n'
         << to_string(settings_.loss) << ' ' << settings_.huber_delta << ' ' << settings_.margin << ' '
         << settings_.log_target << ' ' << settings_.learning_rate << ' ' << settings_.constant_rate << ' '
         << settings_.weight_decay << ' ' << settings_.batch << ' ' << settings_.epochs << ' ' << settings_.patience
         << ' ' << settings_.seed << ' ' << settings_.fp64 << ' ' << network_.l2_sp << ' ' << scale_.mean << ' '
         << scale_.deviation << '\n';
    for (const Rows* rows : {&fitting_, &stopping_})
      text << sha256_of(std::span(rows->choices)) << sha256_of(std::span(rows->targets)) << '\n';
    if (settings_.fine_tuning) text << sha256_of(std::span<const double>(parameters_of(settings_.fine_tuning->start)));
    return sha256_hex(text.str());
  }

  template <class Save>
  void stop_if_interrupted(const Save& save) const {
    try {
      check_interrupt();
    } catch (const Interrupted&) {
      if (settings_.checkpoint.empty()) throw;
      save();
      throw Interrupted("interrupted: " + settings_.checkpoint +
                        " keeps the state of the training; run the same command again to go on");
    }
  }

  void take(const Rows& from, std::span<const std::int64_t> rows, std::vector<double>& inputs,
            std::vector<double>& targets) const {
    from.inputs(rows, network_.widths.front(), inputs);
    targets.clear();
    for (const auto row : rows) targets.push_back(from.targets[row]);
  }

  double learning_rate(std::int64_t step, std::int64_t n_batches) const {
    if (settings_.constant_rate) return settings_.learning_rate;
    const double done = static_cast<double>(step) / static_cast<double>(settings_.epochs * n_batches);
    return settings_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }

  [[noreturn]] void diverged(std::int64_t epoch, double loss) const {
    refuse("learning_rate", settings_.learning_rate,
           "smaller: the loss is " + std::to_string(loss) + " in epoch " + std::to_string(epoch));
  }

  bool out_of_patience(const TrainingCheckpoint& now) const {
    return stopping_.n() > 0 && now.epoch - 1 - now.best_epoch >= settings_.patience;
  }

  void end_epoch(Network& network, TrainingCheckpoint& now) const {
    now.train_loss.push_back(now.loss_sum / static_cast<double>(fitting_.n()));
    if (stopping_.n() > 0) {
      const double loss = validation_loss(network);
      if (!std::isfinite(loss)) diverged(now.epoch, loss);
      now.validation_loss.push_back(loss);
      if (now.best_parameters.empty() || loss < now.best_loss) {
        now.best_loss = loss;
        now.best_epoch = now.epoch;
        now.best_parameters = network.state().parameters;
      }
    }
    now.loss_sum = 0;
    now.batch = 0;
    ++now.epoch;
  }

  // In the stopping rows' own order, in parts as large as a batch: pairs are compared inside a part.
  double validation_loss(Network& network) const {
    const auto n = stopping_.n(), n_parts = (n + settings_.batch - 1) / settings_.batch;
    std::vector<std::int64_t> rows;
    std::vector<double> inputs, targets;
    double sum = 0;
    for (std::int64_t part = 0; part < n_parts; ++part) {
      rows.clear();
      for (auto row = n * part / n_parts; row < n * (part + 1) / n_parts; ++row) rows.push_back(row);
      take(stopping_, rows, inputs, targets);
      sum += network.loss(inputs, targets) * static_cast<double>(rows.size());
    }
    return sum / static_cast<double>(n);
  }

  MlpPredictor folded(std::span<const double> parameters) const {
    const auto& widths = network_.widths;
    MlpPredictor predictor;
    predictor.space = space_.name();
    predictor.radices.assign(space_.radices().begin(), space_.radices().end());
    predictor.target = settings_.target;
    predictor.unit = settings_.unit;
    predictor.log_target = settings_.log_target;
    predictor.output_offset = scale_.mean;
    predictor.output_scale = scale_.deviation;
    const int inputs = widths[0], width = widths[1];
    predictor.first_width = width;
    const auto bias = parameters.subspan(static_cast<std::size_t>(inputs) * width, width);
    predictor.first_bias.assign(bias.begin(), bias.end());
    predictor.rows.resize(static_cast<std::size_t>(n_rows_) * width);
    for (int j = 0; j < width; ++j) {
      const auto weights = parameters.subspan(static_cast<std::size_t>(j) * inputs, inputs);
      for (int r = 0; r < n_rows_; ++r) {
        double& value = predictor.rows[static_cast<std::size_t>(r) * width + j];
        value = weights[r];
        for (std::size_t k = 0; k < features_.size(); ++k)
          value += weights[n_rows_ + k] * features_[k].weights[r] / feature_scales_[k].deviation;
      }
      for (std::size_t k = 0; k < features_.size(); ++k)
        predictor.first_bias[j] +=
            weights[n_rows_ + k] * (features_[k].bias[0] - feature_scales_[k].mean) / feature_scales_[k].deviation;
    }
    auto rest = parameters.subspan((static_cast<std::size_t>(inputs) + 1) * width);
    for (std::size_t l = 1; l + 1 < widths.size(); ++l) {
      Dense layer{widths[l], widths[l + 1], {}, {}};
      const auto n_weights = static_cast<std::size_t>(layer.inputs) * layer.outputs;
      layer.weights.assign(rest.begin(), rest.begin() + n_weights);
      layer.bias.assign(rest.begin() + n_weights, rest.begin() + n_weights + layer.outputs);
      rest = rest.subspan(n_weights + layer.outputs);
      predictor.layers.push_back(std::move(layer));
    }
    return predictor;
  }

  // value = offset + scale * score, least squares on the fitting rows (their logarithms with log_target).
  void calibrate(MlpPredictor& predictor) const {
    predictor.output_offset = 0;
    predictor.output_scale = 1;
    predictor.log_target = false;
    const auto n = static_cast<std::size_t>(fitting_.n());
    std::vector<double> scores(n);
    predictor.predict(fitting_.choices, scores);
    const Scale spread = scale_of(scores);
    double slope = 0, mean_target = 0;
    for (std::size_t i = 0; i < n; ++i) mean_target += fitting_.targets[i] / static_cast<double>(n);
    if (spread.deviation > 0) {
      for (std::size_t i = 0; i < n; ++i) slope += (scores[i] - spread.mean) * (fitting_.targets[i] - mean_target);
      slope /= static_cast<double>(n) * spread.deviation * spread.deviation;
    }
    predictor.log_target = settings_.log_target;
    predictor.output_scale = scale_.deviation * slope;
    predictor.output_offset = scale_.mean + scale_.deviation * (mean_target - slope * spread.mean);
  }

  void record(TrainingResult& result, const TrainingCheckpoint& now) const {
    auto& record = result.predictor.record;
    std::string layers;
    for (const int width : network_.widths) layers += (layers.empty() ? "" : "-") + std::to_string(width);
    std::string features;
    for (const auto& name : settings_.features) features += (features.empty() ? "" : ", ") + name;
    record["method"] = std::string(settings_.fine_tuning ? "fine-tuned" : "trained") + ", LibTorch, AdamW";
    record["layers"] = layers;
    record["loss"] = std::string(to_string(settings_.loss));
    record["folded_features"] = features;
    record["learning_rate"] = settings_.learning_rate;
    record["weight_decay"] = settings_.weight_decay;
    record["batch"] = settings_.batch;
    record["seed"] = static_cast<std::int64_t>(settings_.seed);
    record["samples_train"] = result.n_fitting;
    record["samples_validation"] = result.n_stopping;
    record["epochs"] = now.epoch;
    record["best_epoch"] = now.best_epoch;
    record["train_loss_first"] = now.train_loss.front();
    record["train_loss_best"] = now.train_loss[now.best_epoch];
    if (stopping_.n() > 0) record["validation_loss_best"] = now.best_loss;
    if (settings_.fine_tuning) {
      record["start_target"] = settings_.fine_tuning->start.target;
      record["l2_sp"] = settings_.fine_tuning->l2_sp;
      std::string frozen;
      for (std::size_t l = 0; l < network_.frozen.size(); ++l)
        if (network_.frozen[l]) frozen += (frozen.empty() ? "" : ", ") + std::to_string(l);
      record["frozen_layers"] = frozen;
    }
  }

  const SearchSpace& space_;
  const TrainSettings& settings_;
  Rows fitting_, stopping_;
  std::vector<AdditivePredictor> features_;
  std::vector<Scale> feature_scales_;
  int n_rows_ = 0;
  NetworkSettings network_;
  Scale scale_;
};

}  // namespace

TrainingResult train_mlp(const SearchSpace& space, const TrainingSamples& fitting, const StoppingSamples& stopping,
                         const TrainSettings& settings) {
  check_settings(settings);
  require_torch();
  return Training(space, fitting, stopping, settings).run();
}

}  // namespace oneproxy
