// A multilayer perceptron trained on the measurements of one device (or a metric), and how well it predicts
// architectures that it has not seen, beside the linear predictor fitted on the same rows.
#include <cmath>

#include "experiments/experiment.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/train/prediction_quality.h"
#include "oneproxy/engine/train/split.h"
#include "oneproxy/engine/train/train.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

class TrainPredictor : public Experiment {
 public:
  TrainPredictor(Config& config, std::uint64_t seed) : seed_(seed), data_settings_(DataSettings::read(config)) {
    target_ = config.text("target", std::nullopt, "what to predict: device:NAME, metric:NAME or metric:SET:NAME");
    split_.share_test = config.number("share_test", 0.2, 0, 1, "of the measured architectures, for the test");
    split_.share_validation = config.number("share_validation", 0.1, 0, 1, "of them, to stop early; 0: never stops");
    split_.samples_train = config.integer("samples_train", 0, 0, std::int64_t{1} << 40, "to fit on; 0: all the rest");
    train_.hidden.clear();
    for (const auto width : config.integers("hidden", {128, 128}, 1, 1 << 16, "widths of the hidden layers"))
      train_.hidden.push_back(static_cast<int>(width));
    if (train_.hidden.empty()) throw Error(config.location("hidden") + ": hidden = [] has no layer; try [128, 128]");
    train_.loss = parse_loss(config.one_of("loss", "mse", {"mse", "huber", "hinge", "logistic"},
                                           "hinge and logistic compare pairs of a batch: they rank"));
    train_.huber_delta = config.number("huber_delta", 1.0, 1e-9, 1e9, "huber: where it turns linear, in deviations");
    train_.margin = config.number("margin", 1.0, 1e-9, 1e9, "hinge: how far apart a pair should be, in deviations");
    train_.log_target = config.flag("log_target", false, "learn the logarithm: relative errors count");
    train_.features = config.texts("features", {}, "beside the one-hot code: macs, parameters, activation_bytes");
    train_.learning_rate = config.number("learning_rate", 1e-3, 1e-12, 1e3, "of AdamW");
    train_.constant_rate = config.one_of("schedule", "cosine", {"cosine", "constant"}, "of the rate") == "constant";
    train_.weight_decay = config.number("weight_decay", 1e-4, 0, 1e3, "of AdamW, on weights and not on biases");
    train_.batch = config.integer("batch", 256, 2, 1 << 24, "architectures a step, at most");
    train_.epochs = config.integer("epochs", 200, 1, 1000000000, "passes over the data, at most");
    train_.patience = config.integer("patience", 30, 1, 1000000000, "epochs without progress before it stops");
    train_.backend =
        config.one_of_outside_identity("train_on", "cpu", {"cpu", "cuda"}, "where LibTorch trains") == "cuda"
            ? Backend::cuda
            : Backend::cpu;
    train_.checkpoint_seconds =
        config.number_outside_identity("checkpoint_seconds", 10, 0, 1e9, "between two checkpoints of the training");
    train_.seed = seed;
  }

  std::vector<std::string> spaces() const override { return {data_settings_.space}; }

  void prepare(const Store& store) override {
    loaded_ = data_settings_.open(store, seed_);
    constexpr std::string_view device = "device:", metric = "metric:";
    if (target_.rfind(device, 0) == 0) {
      series_ = loaded_->data.device(target_.substr(device.size()));
      train_.target = "latency on " + series_.label;
    } else if (target_.rfind(metric, 0) == 0) {
      series_ = loaded_->data.metric(target_);
      train_.target = series_.label;
    } else {
      throw Error("target = " + target_ + " should be device:NAME or metric:NAME");
    }
    train_.unit = series_.unit;
    std::vector<std::int64_t> known;
    for (std::int64_t row = 0; row < loaded_->data.n(); ++row)
      if (!std::isnan(series_.values[row])) known.push_back(row);
    rows_ = split_rows(known, split_, seed_);
  }

  void run(Workspace& work) override {
    require_torch();
    loaded_->label(*work.arrays);
    train_.checkpoint = work.sharing.state;
    TrainingResult trained;
    const auto fitting = rows<TrainingSamples>(rows_.fitting);
    {
      Timer timer(work.timings, "training");
      trained = train_mlp(loaded_->space, fitting, rows<StoppingSamples>(rows_.stopping), train_);
    }
    const auto linear = fit_linear(loaded_->space, fitting.choices, fitting.values);
    const auto test = rows<TestSamples>(rows_.test);
    std::vector<double> predicted(test.values.size()), linear_predicted(test.values.size());
    trained.predictor.predict(test.choices, predicted);
    linear.predict(test.choices, linear_predicted, work.backend);
    const auto quality = prediction_quality(predicted, test.values, work.backend);
    const auto linear_quality = prediction_quality(linear_predicted, test.values, work.backend);

    auto& record = trained.predictor.record;
    record["set"] = data_settings_.set;
    record["source"] = target_;
    record["direction"] = to_string(series_.direction);
    record["samples_test"] = quality.n;
    record["test_srcc"] = quality.srcc.value;
    record["test_kendall"] = quality.kendall.value;
    record["test_mape"] = quality.mape;
    save_predictor(work.folder + "/predictor.h5", trained.predictor);

    auto& arrays = *work.arrays;
    const std::string unit = train_.unit.empty() ? "1" : train_.unit;
    arrays.axis("test/row", rows_.test, {"row of the set, not seen in training", "1"});
    arrays.write("test/architecture", architecture_strings(loaded_->space, test.choices), "row", {"architecture", ""});
    arrays.write("test/measured", test.values, {"row"}, {"measured " + train_.target, unit});
    arrays.write("test/predicted", predicted, {"row"}, {"predicted " + train_.target, unit});
    arrays.write("test/linear_predicted", linear_predicted, {"row"},
                 {train_.target + " as the linear predictor has it", unit});
    arrays.numbered_axis("epoch", std::ssize(trained.train_loss), "pass over the training data", 1);
    arrays.write("train_loss", trained.train_loss, {"epoch"}, {"loss on the training data", "1"});
    if (!trained.validation_loss.empty())
      arrays.write("validation_loss", trained.validation_loss, {"epoch"}, {"loss on the validation data", "1"});
    arrays.set_attribute("/", "target", train_.target);
    arrays.set_attribute("/", "unit", train_.unit);
    summarise(work, trained, quality, linear_quality);
  }

 private:
  template <class Rows>
  Rows rows(const std::vector<std::int64_t>& numbers) const {
    Rows result;
    for (const auto number : numbers) result.add(loaded_->data.rows().row(number), series_.values[number]);
    return result;
  }

  void summarise(Workspace& work, const TrainingResult& trained, const PredictionQuality& quality,
                 const PredictionQuality& linear) const {
    auto& summary = work.summary;
    summary.set("target", target_);
    summary.set("samples_train", trained.n_fitting);
    summary.set("samples_validation", trained.n_stopping);
    summary.set("samples_test", quality.n);
    summary.set("samples_missing", loaded_->data.n() - series_.n_known());
    Table table(
        {"on the test rows", "SRCC", "Kendall", "MAPE", "within 5 %", "within 10 %", "RMSE [" + series_.unit + "]"});
    auto add = [&](const std::string& name, const std::string& prefix, const PredictionQuality& q) {
      summary.set(prefix + "srcc", q.srcc.value);
      if (std::isnan(q.srcc.value)) summary.set_reason(prefix + "srcc", to_string(q.srcc.reason));
      summary.set(prefix + "kendall", q.kendall.value);
      if (std::isnan(q.kendall.value)) summary.set_reason(prefix + "kendall", to_string(q.kendall.reason));
      const std::pair<const char*, double> errors[] = {
          {"mape", q.mape}, {"within_5", q.within_5}, {"within_10", q.within_10}, {"rmse", q.rmse}};
      for (const auto& [key, value] : errors) {
        summary.set(prefix + key, value);
        if (std::isnan(value))
          summary.set_reason(prefix + key, q.n ? "a measured value is 0" : "there are no test rows");
      }
      table.row({name, fixed(q.srcc.value, 4), fixed(q.kendall.value, 4), fixed(100 * q.mape, 2) + " %",
                 fixed(100 * q.within_5, 1) + " %", fixed(100 * q.within_10, 1) + " %", plain(q.rmse)});
    };
    add("multilayer perceptron", "", quality);
    add("linear predictor", "linear.", linear);
    const auto& layers = std::get<std::string>(trained.predictor.record.at("layers"));
    summary.set("layers", layers);
    summary.set("epochs", static_cast<std::int64_t>(trained.train_loss.size()));
    summary.set("best_epoch", trained.best_epoch);
    summary.set("stopped_early", trained.stopped_early);
    summary.set("train_loss", trained.train_loss[trained.best_epoch]);
    if (!trained.validation_loss.empty()) summary.set("validation_loss", trained.validation_loss[trained.best_epoch]);
    work.report += "A multilayer perceptron " + layers + " for " + train_.target + " on " + data_settings_.space +
                   " (set " + data_settings_.set + "), trained on " + std::to_string(trained.n_fitting) +
                   " architectures (loss " + to_string(train_.loss) + "), stopped by " +
                   std::to_string(trained.n_stopping) + " others after " + std::to_string(trained.train_loss.size()) +
                   " epochs (best: " + std::to_string(trained.best_epoch + 1) + "), tested on " +
                   std::to_string(quality.n) + ". It is in predictor.h5.\n\n" + table.markdown();
  }

  std::uint64_t seed_;
  DataSettings data_settings_;
  std::string target_;
  SplitPlan split_;
  TrainSettings train_;
  std::unique_ptr<SpaceData> loaded_;
  Series series_;
  Split rows_;
};

}  // namespace

std::unique_ptr<Experiment> read_train_predictor(Config& config, std::uint64_t seed) {
  return std::make_unique<TrainPredictor>(config, seed);
}

}  // namespace oneproxy
