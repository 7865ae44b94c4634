#include "oneproxy/engine/adapt/methods/fine_tune.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "oneproxy/engine/train/network.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/rank/rank.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

const SearchSpace& space() {
  static const SearchSpace space = SearchSpace::load("nasbench201");
  return space;
}

// Made-up devices that share how operations interact; `twist` is what is the device's own.
double latency(std::span<const std::uint8_t> c, double twist) {
  static const double cost[] = {0, 0.1, 1, 3, 1.5};
  double sum = 2;
  for (int d = 0; d < 6; ++d) sum += cost[c[d]] * (1 + twist * (c[d] == 4 ? 2.5 : -0.1 * d));
  return sum + 0.4 * cost[c[0]] * cost[c[5]] / 3;
}

class FineTuneTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!torch_compiled()) GTEST_SKIP() << "built without LibTorch";
    settings_.hidden = {24, 16};
    settings_.pretraining_epochs = 40;
    for (std::int64_t i = 0; i < 20; ++i) measured_.push_back(i), samples_.push_back(target_[i]);
  }

  FineTuneTest() {
    const Philox random{3, 0};
    std::vector<std::uint8_t> choices;
    for (std::int64_t i = 0; i < 600 * 6; ++i) choices.push_back(static_cast<std::uint8_t>(random.below(i, 5)));
    all_ = std::make_unique<Architectures>(*features_, std::move(choices));
    for (std::int64_t i = 0; i < all_->n(); ++i) target_.push_back(latency(all_->row(i), 0.8));
  }

  SourceDevice source(double twist) const {
    SourceDevice device{"made-up", {}};
    for (std::int64_t i = 300; i < all_->n(); ++i) device.samples.add(all_->row(i), latency(all_->row(i), twist));
    return device;
  }
  std::unique_ptr<AdaptedPredictor> adapt(std::vector<MlpPredictor> sources) const {
    TargetSamples samples;
    for (std::size_t i = 0; i < measured_.size(); ++i) samples.add(all_->row(measured_[i]), samples_[i]);
    return make_finetune(features_, std::move(sources), settings_)->adapt(samples);
  }
  // Over the architectures that were not measured.
  double srcc(std::vector<double> predicted) const {
    for (const auto row : measured_) predicted[row] = std::numeric_limits<double>::quiet_NaN();
    return spearman(predicted, target_, Backend::cpu).value;
  }
  std::vector<double> predictions(const MlpPredictor& predictor) const {
    std::vector<double> values(all_->n());
    predictor.predict(all_->choices, values);
    return values;
  }

  std::shared_ptr<const ArchitectureFeatures> features_ = std::make_shared<ArchitectureFeatures>(space());
  std::unique_ptr<Architectures> all_;
  std::vector<double> target_, samples_;
  std::vector<std::int64_t> measured_;
  FineTuneSettings settings_;
};

TEST_F(FineTuneTest, RanksBetterThanTheProxyAndOnTheTargetsScale) {
  const auto proxy = pretrain(space(), source(0), settings_);
  for (double& ms : samples_) ms *= 100;
  const auto adapted = adapt({proxy});
  const double before = srcc(predictions(proxy)), after = srcc(adapted->latency_ms(*all_));
  EXPECT_GT(before, 0.5);
  EXPECT_GT(after, before + 0.02);
  const auto predicted = adapted->latency_ms(*all_);
  double error = 0;
  for (std::size_t i = 300; i < 600; ++i) error += std::abs(predicted[i] / (100 * target_[i]) - 1) / 300;
  EXPECT_LT(error, 0.25);
  EXPECT_EQ(predictions(std::get<MlpPredictor>(adapted->space_model())), predicted);
}

TEST_F(FineTuneTest, TheSourceThatRanksTheSamplesBestIsTheStart) {
  const auto far = pretrain(space(), source(0), settings_), near = pretrain(space(), source(0.8), settings_);
  EXPECT_GT(srcc(predictions(near)), srcc(predictions(far)));
  EXPECT_EQ(adapt({far, near})->latency_ms(*all_), adapt({near})->latency_ms(*all_));
}

TEST_F(FineTuneTest, WhatIsFrozenStaysAndL2SpHoldsTheRest) {
  const auto proxy = pretrain(space(), source(0), settings_);
  settings_.last_layer_only = true;
  const auto last = std::get<MlpPredictor>(adapt({proxy})->space_model());
  EXPECT_EQ(last.rows, proxy.rows);
  EXPECT_EQ(last.layers[0].weights, proxy.layers[0].weights);
  EXPECT_NE(last.layers[1].weights, proxy.layers[1].weights);
  settings_.last_layer_only = false;
  settings_.frozen_layers = {0};
  const auto rest = std::get<MlpPredictor>(adapt({proxy})->space_model());
  EXPECT_EQ(rest.rows, proxy.rows);
  EXPECT_NE(rest.layers[0].weights, proxy.layers[0].weights);
  settings_.frozen_layers = {};
  auto moved = [&](double l2_sp) {
    settings_.l2_sp = l2_sp;
    const auto rows = std::get<MlpPredictor>(adapt({proxy})->space_model()).rows;
    double squares = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) squares += std::pow(rows[i] - proxy.rows[i], 2);
    return squares;
  };
  EXPECT_LT(moved(10), 0.5 * moved(0));
}

TEST_F(FineTuneTest, SaysWhatItCanNotAdaptTo) {
  const auto proxy = pretrain(space(), source(0), settings_);
  samples_.assign(20, 3.0);
  EXPECT_THAT(error_of([&] { adapt({proxy}); }), HasSubstr("are equal"));
  samples_.assign(20, std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(error_of([&] { adapt({proxy}); }), HasSubstr("two are needed"));
  samples_[3] = -1;
  EXPECT_THAT(error_of([&] { adapt({proxy}); }), HasSubstr("sample 3"));
  EXPECT_THAT(error_of([&] { make_finetune(features_, {}, settings_); }), HasSubstr("source device"));
  auto broken = source(0);
  broken.samples.values.assign(broken.samples.values.size(), 1.0);
  EXPECT_THAT(error_of([&] { pretrain(space(), broken, settings_); }), HasSubstr("made-up"));
}

TEST(FineTuneWithoutTorch, SaysWhatIsMissing) {
  if (torch_compiled()) GTEST_SKIP() << "built with LibTorch";
  EXPECT_THAT(error_of([] { make_finetune(nullptr, {}, {}); }), HasSubstr("LibTorch"));
}

}  // namespace
}  // namespace oneproxy
