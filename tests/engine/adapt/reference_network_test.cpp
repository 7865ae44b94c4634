#include "oneproxy/engine/adapt/reference_network.h"

#include <gmock/gmock.h>

#include <cmath>

#include "oneproxy/engine/train/torch_module.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class References : public testing::Test {
 protected:
  void SetUp() override {
    if (!torch_compiled()) GTEST_SKIP() << "built without LibTorch";
  }
  static ReferenceNetworkSettings settings() { return {{16, 8}, 40, 5e-3, 3}; }
  std::vector<std::uint8_t> references(int k) const {
    return {fleet_.choices.begin(), fleet_.choices.begin() + k * static_cast<int>(fleet_.space().radices().size())};
  }

  const Fleet fleet_{"nasbench201"};
  const Sources sources_{fleet_.shared_features, fleet_.sources(4)};
};

// A device's own network is the whole one with its references put in.
TEST_F(References, ADeviceIsFoldedIntoTheFirstBias) {
  const int k = 6;
  const ReferenceNetwork network(sources_, references(k), settings());
  const auto latency = fleet_.latency(4, first(k));
  double mean = 0, squares = 0;
  for (const double v : latency) mean += v / k;
  for (const double v : latency) squares += (v - mean) * (v - mean) / k;
  std::vector<double> standardised;
  for (const double v : latency) standardised.push_back((v - mean) / std::sqrt(squares));
  const auto scores = network.scores(fleet_.choices, standardised);
  std::vector<double> predicted(scores.size());
  network.of_device(latency).predict(fleet_.choices, predicted);
  for (std::size_t i = 0; i < scores.size(); ++i)
    EXPECT_NEAR(predicted[i], mean + std::sqrt(squares) * scores[i], 1e-9 * mean);
}

TEST_F(References, LearnsWhatTheReferencesSayOfADevice) {
  const ReferenceNetwork network(sources_, references(12), settings());
  std::vector<double> own(fleet_.devices[1].size()), fresh(own.size());
  network.of_device(fleet_.latency(1, first(12))).predict(fleet_.choices, own);
  network.of_device(fleet_.latency(4, first(12))).predict(fleet_.choices, fresh);
  EXPECT_GT(spearman(own, fleet_.devices[1], Backend::cpu).value, 0.92);
  EXPECT_GT(spearman(fresh, fleet_.devices[4], Backend::cpu).value, 0.8);
  // Another device's references give another ranking.
  EXPECT_GT(spearman(own, fleet_.devices[1], Backend::cpu).value,
            spearman(fresh, fleet_.devices[1], Backend::cpu).value + 0.02);
}

TEST_F(References, TheSameSeedGivesTheSameNetwork) {
  const auto latency = fleet_.latency(4, first(5));
  const auto rows = [&](std::uint64_t seed) {
    auto s = settings();
    s.epochs = 2;
    s.seed = seed;
    return ReferenceNetwork(sources_, references(5), s).of_device(latency).rows;
  };
  EXPECT_EQ(rows(3), rows(3));
  EXPECT_NE(rows(3), rows(4));
}

// A source that was not measured there says what its predictor says.
TEST_F(References, AnUnmeasuredReferenceIsPredicted) {
  auto devices = fleet_.sources(4);
  for (auto& device : devices) device.samples.values[2] = std::nan("");
  const Sources some(fleet_.shared_features, devices);
  auto s = settings();
  s.epochs = 1;
  const auto predicted = ReferenceNetwork(some, references(5), s).of_device(fleet_.latency(4, first(5)));
  for (const double row : predicted.rows) ASSERT_TRUE(std::isfinite(row));
}

TEST_F(References, WithoutSpreadThereIsNoScale) {
  auto devices = fleet_.sources(4);
  for (int i = 0; i < 4; ++i) devices[2].samples.values[i] = 7;
  const Sources flat(fleet_.shared_features, devices);
  EXPECT_THAT(error_of([&] { ReferenceNetwork(flat, references(4), settings()); }),
              AllOf(HasSubstr("source device2"), HasSubstr("are equal")));
  const ReferenceNetwork network(sources_, references(4), {{4}, 1, 1e-3, 1});
  EXPECT_THAT(error_of([&] { network.of_device(std::vector<double>(4, 5.0)); }), HasSubstr("the target are equal"));
}

}  // namespace
}  // namespace oneproxy
