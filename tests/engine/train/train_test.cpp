#include "oneproxy/engine/train/train.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/engine/train/prediction_quality.h"
#include "oneproxy/engine/train/training_checkpoint.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"
#include "tests/support/compare.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

const SearchSpace& space() {
  static const SearchSpace space = SearchSpace::load("nasbench201");
  return space;
}

std::vector<std::uint8_t> random_choices(std::int64_t n, std::uint64_t seed) {
  const Philox random{seed, 0};
  std::vector<std::uint8_t> choices;
  for (std::int64_t i = 0; i < n * 6; ++i) choices.push_back(static_cast<std::uint8_t>(random.below(i, 5)));
  return choices;
}

// Not additive: the first two decisions interact.
double truth(std::span<const std::uint8_t> c) {
  return 3 + c[0] * c[1] * 0.5 + (c[2] == 3) * 2 + 0.3 * c[3] + std::sin(c[4] + c[5]);
}

template <class Rows>
Rows rows(std::int64_t n, std::uint64_t seed) {
  Rows result{random_choices(n, seed), {}};
  for (std::int64_t i = 0; i < n; ++i) result.values.push_back(truth(std::span(result.choices).subspan(6 * i, 6)));
  return result;
}

TrainSettings quick() {
  TrainSettings s;
  s.target = "latency on test";
  s.unit = "ms";
  s.hidden = {16, 8};
  s.batch = 32;
  s.epochs = 6;
  s.learning_rate = 0.01;
  return s;
}

std::vector<double> all_numbers(const MlpPredictor& p) {
  std::vector<double> all = p.rows;
  all.insert(all.end(), p.first_bias.begin(), p.first_bias.end());
  for (const auto& layer : p.layers) {
    all.insert(all.end(), layer.weights.begin(), layer.weights.end());
    all.insert(all.end(), layer.bias.begin(), layer.bias.end());
  }
  all.push_back(p.output_offset);
  all.push_back(p.output_scale);
  return all;
}

class TrainTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!torch_compiled()) GTEST_SKIP() << "built without LibTorch";
  }
  const TrainingSamples fitting_ = rows<TrainingSamples>(300, 1);
  const StoppingSamples stopping_ = rows<StoppingSamples>(80, 2);
  TrainingResult train(const TrainSettings& s) const { return train_mlp(space(), fitting_, stopping_, s); }
  std::vector<double> predictions(const MlpPredictor& p, const std::vector<std::uint8_t>& choices) const {
    std::vector<double> values(choices.size() / 6);
    p.predict(choices, values);
    return values;
  }
};

TEST_F(TrainTest, LearnsWhatIsNotAdditive) {
  auto s = quick();
  s.hidden = {32, 32};
  s.epochs = 40;
  s.batch = 64;
  const auto fitting = rows<TrainingSamples>(1000, 6), test = rows<TrainingSamples>(300, 3);
  const auto result = train_mlp(space(), fitting, stopping_, s);
  const auto quality = prediction_quality(predictions(result.predictor, test.choices), test.values, Backend::cpu);
  std::vector<double> linear(300);
  fit_linear(space(), fitting.choices, fitting.values).predict(test.choices, linear);
  EXPECT_LT(quality.rmse, 0.6 * prediction_quality(linear, test.values, Backend::cpu).rmse);
  EXPECT_GT(quality.srcc.value, 0.95);
  EXPECT_EQ(result.predictor.space, "nasbench201");
  EXPECT_EQ(std::get<std::int64_t>(result.predictor.record.at("samples_train")), 1000);
  EXPECT_EQ(std::get<std::string>(result.predictor.record.at("layers")), "30-32-32-1");
}

TEST_F(TrainTest, SameSeedSameBitsOnAnyNumberOfThreads) {
  const auto s = quick();
  const auto one = train(s);
  set_thread_count(1);
  const auto two = train(s);
  set_thread_count(0);
  EXPECT_EQ(all_numbers(one.predictor), all_numbers(two.predictor));
  EXPECT_EQ(one.validation_loss, two.validation_loss);
  auto other = s;
  other.seed = 2;
  EXPECT_NE(all_numbers(one.predictor), all_numbers(train(other).predictor));
}

// The network before folding is in the checkpoint: its forward pass on standardised features is what the predictor
// says.
TEST_F(TrainTest, FoldedFeaturesPredictWhatTheNetworkSays) {
  for (const bool fp64 : {true, false}) {
    for (const bool log_target : {true, false}) {
      const TemporaryFolder folder;
      auto s = quick();
      s.features = {"macs", "parameters"};
      s.log_target = log_target;
      s.fp64 = fp64;
      s.epochs = 3;
      s.checkpoint = folder / "state";
      s.checkpoint_seconds = 0;
      const auto result = train_mlp(space(), fitting_, {}, s);  // the last parameters count
      const H5File file(s.checkpoint, H5Mode::read);
      const auto parameters = file.read_doubles("parameters");

      NetworkSettings network_settings;
      network_settings.widths = {32, 16, 8, 1};
      network_settings.fp64 = fp64;
      const auto network = make_network(network_settings);
      const std::vector<double> zeros(parameters.size());
      network->set_state({parameters, zeros, zeros, 0});

      auto feature = [](const std::vector<std::uint8_t>& choices, std::int64_t i, int which) {
        const Cost cost = space().cost(std::span(choices).subspan(6 * i, 6));
        return which == 0 ? cost.macs : cost.parameters;
      };
      double mean[2] = {}, deviation[2] = {}, target_mean = 0, target_deviation = 0;
      auto t = fitting_.values;
      if (log_target)
        for (double& v : t) v = std::log(v);
      for (int i = 0; i < 300; ++i) {
        for (int k = 0; k < 2; ++k) mean[k] += feature(fitting_.choices, i, k) / 300;
        target_mean += t[i] / 300;
      }
      for (int i = 0; i < 300; ++i) {
        for (int k = 0; k < 2; ++k) deviation[k] += std::pow(feature(fitting_.choices, i, k) - mean[k], 2) / 300;
        target_deviation += std::pow(t[i] - target_mean, 2) / 300;
      }
      const auto fresh = random_choices(50, 9);
      std::vector<double> x, expected(50);
      for (int i = 0; i < 50; ++i) {
        for (int j = 0; j < 6; ++j)
          for (int c = 0; c < 5; ++c) x.push_back(fresh[6 * i + j] == c);
        for (int k = 0; k < 2; ++k) x.push_back((feature(fresh, i, k) - mean[k]) / std::sqrt(deviation[k]));
      }
      network->forward(x, expected);
      for (double& v : expected) {
        v = target_mean + std::sqrt(target_deviation) * v;
        if (log_target) v = std::exp(v);
      }
      EXPECT_TRUE(test::close_values(predictions(result.predictor, fresh), expected, fp64 ? 1e-10 : 2e-5));
    }
  }
}

TEST_F(TrainTest, EarlyStoppingKeepsTheBestEpoch) {
  auto s = quick();
  s.hidden = {64};
  s.epochs = 400;
  s.patience = 5;
  s.constant_rate = true;
  auto noise = fitting_;
  for (std::size_t i = 0; i < noise.values.size(); ++i) noise.values[i] = Philox{4, 0}.uniform(i);
  auto other_noise = stopping_;
  for (std::size_t i = 0; i < other_noise.values.size(); ++i) other_noise.values[i] = Philox{5, 0}.uniform(i);
  const auto result = train_mlp(space(), noise, other_noise, s);
  const auto n = static_cast<std::int64_t>(result.validation_loss.size());
  EXPECT_TRUE(result.stopped_early);
  EXPECT_LT(n, 400);
  EXPECT_EQ(n, result.best_epoch + 1 + s.patience);
  EXPECT_EQ(*std::min_element(result.validation_loss.begin(), result.validation_loss.end()),
            result.validation_loss[result.best_epoch]);
  // The predictor is that epoch's: its loss is the one that was noted.
  const auto predicted = predictions(result.predictor, other_noise.choices);
  double loss = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i)
    loss += std::pow((predicted[i] - other_noise.values[i]) / result.predictor.output_scale, 2) / predicted.size();
  EXPECT_NEAR(loss, result.validation_loss[result.best_epoch], 1e-5);
}

TEST_F(TrainTest, MissingValuesAreLeftOut) {
  auto s = quick();
  s.epochs = 2;
  auto with = fitting_;
  const auto extra = random_choices(3, 8);
  with.choices.insert(with.choices.begin(), extra.begin(), extra.end());
  with.values.insert(with.values.begin(), 3, std::nan(""));
  const auto one = train(s), two = train_mlp(space(), with, stopping_, s);
  EXPECT_EQ(all_numbers(one.predictor), all_numbers(two.predictor));
  EXPECT_EQ(two.n_dropped, 3);
  EXPECT_EQ(two.n_fitting, 300);
}

TEST_F(TrainTest, PairwiseLossesRankAndAreBroughtToScale) {
  for (const Loss loss : {Loss::hinge, Loss::logistic}) {
    for (const bool log_target : {false, true}) {
      auto s = quick();
      s.loss = loss;
      s.epochs = 40;
      s.log_target = log_target;
      const auto result = train(s);
      auto predicted = predictions(result.predictor, fitting_.choices);
      EXPECT_GT(spearman(predicted, fitting_.values, Backend::cpu).value, 0.95) << to_string(loss);
      // Least squares: the residual is orthogonal to the constant and to the prediction.
      double sum = 0, product = 0;
      for (std::size_t i = 0; i < predicted.size(); ++i) {
        const double p = log_target ? std::log(predicted[i]) : predicted[i];
        const double r = (log_target ? std::log(fitting_.values[i]) : fitting_.values[i]) - p;
        sum += r;
        product += r * p;
      }
      EXPECT_NEAR(sum, 0, 1e-9);
      EXPECT_NEAR(product, 0, 1e-8);
    }
  }
}

TEST_F(TrainTest, GoesOnFromACheckpointToTheSameBits) {
  const TemporaryFolder folder;
  auto s = quick();
  const auto whole = train(s);
  EXPECT_FALSE(whole.resumed);
  s.checkpoint = folder / "state";
  s.checkpoint_seconds = 0;
  EXPECT_EQ(all_numbers(train(s).predictor), all_numbers(whole.predictor));
  const auto resumed = train(s);  // from the last batch
  EXPECT_TRUE(resumed.resumed);
  EXPECT_EQ(all_numbers(resumed.predictor), all_numbers(whole.predictor));
  EXPECT_EQ(resumed.validation_loss, whole.validation_loss);
  EXPECT_EQ(folder.n_files(), 1u);
}

TEST_F(TrainTest, AForeignCheckpointIsRefused) {
  const TemporaryFolder folder;
  auto s = quick();
  s.epochs = 2;
  s.checkpoint = folder / "state";
  s.checkpoint_seconds = 0;
  train(s);
  const std::vector<std::function<void(TrainSettings&)>> changes = {
      [](TrainSettings& o) { o.seed = 2; },          [](TrainSettings& o) { o.learning_rate *= 2; },
      [](TrainSettings& o) { o.hidden = {8, 16}; },  [](TrainSettings& o) { o.loss = Loss::huber; },
      [](TrainSettings& o) { o.log_target = true; }, [](TrainSettings& o) { o.features = {"macs"}; }};
  for (const auto& change : changes) {
    auto other = s;
    change(other);
    EXPECT_THAT(error_of([&] { train(other); }), HasSubstr("other settings"));
  }
  auto doubled = fitting_;
  for (double& v : doubled.values) v *= 2;  // the same after standardisation
  EXPECT_THAT(error_of([&] { train_mlp(space(), doubled, stopping_, s); }), HasSubstr("other settings"));
  s.checkpoint = folder.write("text", "not HDF5");
  EXPECT_THAT(error_of([&] { train(s); }), HasSubstr("not an HDF5 file"));
  s.checkpoint = folder / "foreign.h5";
  H5File(s.checkpoint, H5Mode::create).close();
  EXPECT_THAT(error_of([&] { train(s); }), HasSubstr("is no checkpoint of this work"));
}

TEST_F(TrainTest, BadSettingsAreRefused) {
  const std::vector<std::pair<std::function<void(TrainSettings&)>, std::string>> cases = {
      {[](TrainSettings& s) { s.epochs = 0; }, "epochs = 0"},
      {[](TrainSettings& s) { s.batch = 0; }, "batch = 0"},
      {[](TrainSettings& s) { s.batch = 1, s.loss = Loss::hinge; }, "pairwise"},
      {[](TrainSettings& s) { s.patience = 0; }, "patience = 0"},
      {[](TrainSettings& s) { s.hidden = {}; }, "hidden"},
      {[](TrainSettings& s) {
         s.hidden = {8, 0};
       },
       "hidden width = 0"},
      {[](TrainSettings& s) { s.learning_rate = 0; }, "learning_rate = 0"},
      {[](TrainSettings& s) { s.learning_rate = std::nan(""); }, "learning_rate = nan"},
      {[](TrainSettings& s) { s.weight_decay = -1; }, "weight_decay = -1"},
      {[](TrainSettings& s) { s.features = {"mac"}; }, "macs"},
      {[](TrainSettings& s) { s.learning_rate = 1e18; }, "learning_rate"},
  };
  for (const auto& [change, says] : cases) {
    auto s = quick();
    change(s);
    EXPECT_THAT(error_of([&] { train(s); }), HasSubstr(says));
  }
}

TEST_F(TrainTest, BadRowsAreRefused) {
  const std::vector<std::pair<std::function<void(TrainingSamples&, TrainSettings&)>, std::string>> cases = {
      {[](TrainingSamples& f, TrainSettings&) { f.values.assign(f.values.size(), 2.5); }, "nothing to learn"},
      {[](TrainingSamples& f, TrainSettings&) { f.values.assign(f.values.size(), std::nan("")); }, "0 fitting rows"},
      {[](TrainingSamples& f, TrainSettings&) { f.values[7] = INFINITY; }, "fitting row 7"},
      {[](TrainingSamples& f, TrainSettings& s) { f.values[7] = 0, s.log_target = true; }, "log_target"},
      {[](TrainingSamples& f, TrainSettings&) { f.choices[6 * 9 + 2] = 5; }, "row 9 is no architecture of nasbench201"},
      {[](TrainingSamples& f, TrainSettings&) { f.values.pop_back(); }, "299 fitting values"},
  };
  for (const auto& [change, says] : cases) {
    auto s = quick();
    auto f = fitting_;
    change(f, s);
    EXPECT_THAT(error_of([&] { train_mlp(space(), f, stopping_, s); }), HasSubstr(says));
  }
  auto s = quick();
  s.batch = 100000;  // larger than the data: one batch
  s.epochs = 2;
  EXPECT_EQ(train(s).train_loss.size(), 2u);
}

class FineTuningTest : public TrainTest {
 protected:
  void SetUp() override {
    TrainTest::SetUp();
    if (IsSkipped()) return;
    auto s = quick();
    s.epochs = 30;
    start_ = train(s).predictor;
  }
  TrainSettings tuning() const {
    auto s = quick();
    s.epochs = 10;
    s.batch = 16;
    s.fine_tuning.emplace();
    s.fine_tuning->start = start_;
    return s;
  }
  // Another device: monotonic in the first, with a twist, few samples.
  TrainingSamples few() const {
    auto f = rows<TrainingSamples>(40, 21);
    for (std::size_t i = 0; i < f.values.size(); ++i) f.values[i] = 2 * f.values[i] + 0.5 * f.choices[6 * i + 3];
    return f;
  }
  MlpPredictor tuned(const TrainSettings& s) const { return train_mlp(space(), few(), {}, s).predictor; }
  double distance(const MlpPredictor& p) const {
    const auto a = all_numbers(p), b = all_numbers(start_);
    double sum = 0;
    for (std::size_t i = 0; i + 2 < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
  }
  MlpPredictor start_;
};

TEST_F(FineTuningTest, FrozenLayersStay) {
  auto s = tuning();
  s.fine_tuning->frozen_layers = {0, 1};
  auto p = tuned(s);
  EXPECT_EQ(p.rows, start_.rows);
  EXPECT_EQ(p.first_bias, start_.first_bias);
  EXPECT_EQ(p.layers[0].weights, start_.layers[0].weights);
  EXPECT_NE(p.layers[1].weights, start_.layers[1].weights);
  auto last = tuning();
  last.fine_tuning->last_layer_only = true;
  EXPECT_EQ(all_numbers(tuned(last)), all_numbers(p));
  s.fine_tuning->frozen_layers = {2};
  p = tuned(s);
  EXPECT_NE(p.rows, start_.rows);
  EXPECT_NE(p.layers[0].bias, start_.layers[0].bias);
  EXPECT_EQ(p.layers[1].weights, start_.layers[1].weights);
  EXPECT_EQ(p.layers[1].bias, start_.layers[1].bias);
}

TEST_F(FineTuningTest, ThePenaltyHoldsTheWeightsAtTheStart) {
  std::vector<double> distances;
  for (const double l2_sp : {0.0, 1.0, 100.0}) {
    auto s = tuning();
    s.weight_decay = 0;
    s.epochs = 60;
    s.fine_tuning->l2_sp = l2_sp;
    distances.push_back(distance(tuned(s)));
  }
  EXPECT_LT(distances[1], 0.7 * distances[0]);
  EXPECT_LT(distances[2], 0.2 * distances[1]);
}

TEST_F(FineTuningTest, AdaptsWithFewSamples) {
  auto s = tuning();
  s.epochs = 60;
  s.learning_rate = 3e-3;
  const auto p = tuned(s);
  auto test = rows<TrainingSamples>(300, 31);
  for (std::size_t i = 0; i < test.values.size(); ++i)
    test.values[i] = 2 * test.values[i] + 0.5 * test.choices[6 * i + 3];
  const auto quality = prediction_quality(predictions(p, test.choices), test.values, Backend::cpu);
  auto scratch = quick();
  scratch.epochs = 60;
  scratch.batch = 16;
  const auto alone = prediction_quality(predictions(tuned(scratch), test.choices), test.values, Backend::cpu);
  EXPECT_GT(quality.srcc.value, alone.srcc.value + 0.02);
  EXPECT_LT(quality.mape, alone.mape);
}

TEST_F(FineTuningTest, KeepsTheScaleWhereAsked) {
  auto s = tuning();
  s.fine_tuning->keep_scale = true;
  EXPECT_EQ(tuned(s).output_offset, start_.output_offset);
  EXPECT_EQ(tuned(s).output_scale, start_.output_scale);
  EXPECT_NE(tuned(tuning()).output_scale, start_.output_scale);
}

TEST_F(FineTuningTest, BadRequestsAreRefused) {
  auto says = [&](const std::function<void(TrainSettings&)>& change) {
    auto s = tuning();
    change(s);
    return error_of([&] { tuned(s); });
  };
  EXPECT_THAT(says([](TrainSettings& s) { s.fine_tuning->frozen_layers = {3}; }), HasSubstr("frozen layer = 3"));
  EXPECT_THAT(says([](TrainSettings& s) { s.fine_tuning->frozen_layers = {0, 1, 2}; }), HasSubstr("all layers"));
  EXPECT_THAT(says([](TrainSettings& s) { s.fine_tuning->l2_sp = -1; }), HasSubstr("l2_sp = -1"));
  EXPECT_THAT(says([](TrainSettings& s) { s.features = {"macs"}; }), HasSubstr("features"));
  EXPECT_THAT(says([](TrainSettings& s) { s.fine_tuning->start.space = "fbnet"; }), HasSubstr("fbnet"));
  EXPECT_THAT(says([](TrainSettings& s) { s.fine_tuning->start.radices[0] = 4; }), HasSubstr("start"));
}

TEST(TrainWithoutTorch, SaysWhatIsMissing) {
  if (torch_compiled()) GTEST_SKIP() << "built with LibTorch";
  EXPECT_THAT(error_of([] { train_mlp(space(), rows<TrainingSamples>(9, 1), {}, quick()); }), HasSubstr("fetch_torch"));
}

}  // namespace
}  // namespace oneproxy
