// Expectations over independent decisions, the loss that goes through them, and the training without labels.
#include "oneproxy/engine/optimizer/label_free.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "oneproxy/engine/optimizer/expected_value.h"
#include "oneproxy/engine/optimizer/policy.h"
#include "oneproxy/engine/predictor/cost_table.h"
#include "tests/engine/error_of.h"
#include "tests/engine/optimizer/made_up_devices.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

const test::MadeUpCells& cells() {
  static const test::MadeUpCells cells;
  return cells;
}

int width_of(const StageRules& rules) { return *std::max_element(rules.radices().begin(), rules.radices().end()); }

// Random rows over what is open while no stage is closed.
std::vector<double> random_probabilities(const StageRules& rules, std::uint64_t seed) {
  const Philox random{seed, 0};
  const int width = width_of(rules);
  std::vector<double> p(static_cast<std::size_t>(rules.n_decisions()) * width, 0.0);
  for (int d = 0; d < rules.n_decisions(); ++d) {
    double sum = 0;
    for (int c = 0; c < rules.radices()[d]; ++c)
      if (rules.open(d, false, c)) sum += p[d * width + c] = random.uniform(d * width + c) + 0.05;
    for (int c = 0; c < width; ++c) p[d * width + c] /= sum;
  }
  return p;
}

// Along the simplex: more of one choice of a row, less of another.
void expect_gradient(const StageRules& rules, std::span<const double> p, double tolerance,
                     const std::function<double(std::span<const double>, std::span<double>)>& value) {
  const int width = width_of(rules);
  std::vector<double> by(p.size()), ignored(p.size()), moved(p.begin(), p.end());
  value(p, by);
  for (int d = 0; d < rules.n_decisions(); ++d) {
    int first = -1;
    for (int c = 0; c < rules.radices()[d]; ++c) {
      if (!rules.open(d, false, c)) continue;
      if (first < 0) {
        first = c;
        continue;
      }
      const double h = 1e-5;
      moved[d * width + c] += h, moved[d * width + first] -= h;
      const double above = value(moved, ignored);
      moved[d * width + c] -= 2 * h, moved[d * width + first] += 2 * h;
      const double below = value(moved, ignored);
      moved[d * width + c] = p[d * width + c], moved[d * width + first] = p[d * width + first];
      ASSERT_NEAR(by[d * width + c] - by[d * width + first], (above - below) / (2 * h), tolerance) << d << ' ' << c;
    }
  }
}

TEST(ExpectedValue, OfATableIsTheSumOverAllArchitectures) {
  const StageRules rules(cells().space());
  const auto p = random_probabilities(rules, 1);
  std::vector<double> by(p.size());
  double by_hand = 0;
  for (std::size_t i = 0; i < 15625; ++i) {
    double probability = 1;
    for (int d = 0; d < 6; ++d) probability *= p[d * 5 + cells().choices(i)[d]];
    by_hand += probability * cells().quality()[i];
  }
  const auto expected = [&](std::span<const double> at, std::span<double> derivatives) {
    return expected_table(rules, 5, cells().quality(), at, derivatives);
  };
  EXPECT_NEAR(expected(p, by), by_hand, 1e-12);
  expect_gradient(rules, p, 1e-8, expected);
}

// Both sides are linear in each row; so they are equal everywhere where they are equal at single architectures.
TEST(ExpectedValue, OfASumIsThatOfItsArchitectures) {
  for (const char* name : {"fbnet", "ofa_mbv3"}) {
    const auto space = SearchSpace::load(name);
    const StageRules rules(space);
    const int n = rules.n_decisions(), width = width_of(rules);
    auto table = cost_table(space, "model:macs");
    for (double& w : table.weights) w *= 1e-8;
    for (double& b : table.bias) b *= 1e-8;
    for (int t = 0; t < table.n_tables(); ++t)  // a weight of a missing block counts, too
      for (std::size_t i = 0; i < table.table().width(); ++i)
        table.weights[t * table.table().width() + i] += 0.01 * static_cast<double>(i % 7);
    const auto expected = [&](std::span<const double> at, std::span<double> derivatives) {
      return expected_sum(rules, width, table, at, derivatives);
    };
    std::vector<double> by(static_cast<std::size_t>(n) * width);
    const Philox random{3, 0};
    for (int i = 0; i < 40; ++i) {
      std::vector<double> one(by.size(), 0.0);
      std::vector<std::uint8_t> choices;
      bool closed = false;
      for (int d = 0; d < n; ++d) {
        const int lowest = rules.open(d, false, 0) ? 0 : 1;
        const int drawn = lowest + static_cast<int>(random.below(i * 100 + d, rules.radices()[d] - lowest));
        one[d * width + drawn] = 1;
        choices.push_back(static_cast<std::uint8_t>(closed ? 0 : drawn));
        closed = rules.closed_after(d, choices.back());
      }
      ASSERT_TRUE(space.valid(choices)) << space.fault(choices);
      double value = 0;
      table.predict(choices, std::span(&value, 1));
      EXPECT_NEAR(expected(one, by), value, 1e-9);
    }
    const auto p = random_probabilities(rules, 2);
    const double whole = expected(p, by);
    for (int d = 0; d < n; ++d) {
      double mixed = 0;
      for (int c = 0; c < rules.radices()[d]; ++c) {
        auto sure = p;
        std::fill_n(sure.begin() + d * width, width, 0.0);
        sure[d * width + c] = 1;
        if (p[d * width + c] > 0) mixed += p[d * width + c] * expected(sure, by);
      }
      EXPECT_NEAR(mixed, whole, 1e-9) << name << ' ' << d;
    }
    expect_gradient(rules, p, 1e-7, expected);
  }
}

TEST(LabelFreeLoss, IsThatOfTheHeaderAndItsGradientsAgreeWithDifferences) {
  const std::vector<OptimizerQuery> queries = {{0, -0.4, {}}, {0, -100.0, {}}, {0, std::nullopt, {0.5, 0.3, 0.2}}};
  const test::MadeUpLayers layers;
  const IndexTable quality{"nasbench201", std::vector<std::uint8_t>(6, 5), "quality", "", cells().quality(), {}};
  struct Case {
    SearchSpace space;
    std::shared_ptr<const Predictor> latency, energy, quality;
  };
  const std::vector<Case> cases = {
      {cells().space(), cells().device(1).latency, cells().device(2).latency,
       std::make_shared<const Predictor>(quality)},
      {layers.space(), layers.device(1).latency, layers.device(2).latency, layers.device(3).latency}};
  for (const auto& one : cases) {
    const StageRules rules(one.space);
    const int width = width_of(rules);
    const auto p = random_probabilities(rules, 5);
    for (const auto& query : queries) {
      const auto loss = [&](std::span<const double> at, std::span<double> by) {
        return label_free_loss(rules, width, query, *one.quality, 2.0, *one.latency, one.energy.get(), 3.0, at, by);
      };
      expect_gradient(rules, p, 1e-7, loss);
      std::vector<double> by(p.size()), sums(p.size());
      const auto mean = [&](const Predictor& predictor) {
        if (const auto* table = std::get_if<IndexTable>(&predictor))
          return expected_table(rules, width, table->values, p, sums);
        return expected_sum(rules, width, std::get<AdditivePredictor>(predictor), p, sums);
      };
      if (!query.limit) {
        EXPECT_NEAR(loss(p, by), -0.5 * mean(*one.quality) / 2 + 0.3 * mean(*one.latency) + 0.2 * mean(*one.energy),
                    1e-9);
      } else if (*query.limit < -50) {  // all architectures are beyond
        EXPECT_NEAR(loss(p, by), -mean(*one.quality) / 2 + 3 * (mean(*one.latency) + 100), 1e-9);
      }
    }
  }
}

class LabelFreeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!torch_compiled()) GTEST_SKIP() << "built without LibTorch";
    for (int d = 0; d < 60; ++d) {
      devices_.push_back(cells().device(d));
      const Philox random{static_cast<std::uint64_t>(d), 2};
      for (int q = 0; q < 12; ++q) {
        TrainingExample example;
        example.device = d;
        example.query.limit = cells().limit(devices_.back(), random.uniform(q));
        examples_.push_back(example);
      }
    }
    quality_.name = quality_.label = "quality";
    quality_.direction = Direction::maximise;
    quality_.evaluate = [](std::span<const std::uint8_t> choices, std::span<double> values) {
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = cells().quality()[cells().index(choices.subspan(i * 6, 6))];
    };
    settings_.training.trunk = {48};
    settings_.training.head = {24};
    settings_.training.steps = 10;
    settings_.training.batch = 16;
    settings_.training.learning_rate = 1e-2;
    settings_.training.validation_share = 0;
  }
  PolicyTrainingResult train(const LabelFreeSettings& settings) const {
    return train_label_free(cells().space(), devices_, examples_, std::span(&quality_, 1), spread_, false, settings);
  }
  std::vector<OptimizerDevice> devices_;
  std::vector<TrainingExample> examples_;
  Objective quality_;
  std::vector<double> spread_ = {2};
  LabelFreeSettings settings_;
};

TEST_F(LabelFreeTest, LearnsWithoutLabels) {
  settings_.training.steps = 300;
  settings_.training.validation_every = 100;
  const auto trained = train(settings_);
  EXPECT_LT(trained.train_loss.back(), trained.train_loss.front());
  const Policy policy(cells().space(), {false, 5, 1, false}, trained.shape, trained.parameters);
  double got = 0, best = 0, excess = 0;
  int n = 0;
  for (int d = 0; d < 20; ++d) {
    const auto device = cells().device(1000 + d);
    for (const double share : {0.3, 0.5, 0.7}) {
      OptimizerQuery query;
      query.limit = cells().limit(device, share);
      const auto i = cells().index(policy.answer(device, query));
      got += cells().quality()[i];
      best += cells().quality()[cells().best(device, *query.limit)];
      excess += std::max(0.0, cells().values(device)[i] - *query.limit);
      ++n;
    }
  }
  // Random cells have the quality 0 and, at these limits, an excess of about 1.
  EXPECT_GT(got, 0.4 * best);
  EXPECT_LT(excess / n, 0.3);
}

TEST_F(LabelFreeTest, SameSeedSameBits) {
  const auto one = train(settings_);
  EXPECT_EQ(one.parameters, train(settings_).parameters);
  auto other = settings_;
  other.penalty = 6;
  EXPECT_NE(one.parameters, train(other).parameters);
}

TEST_F(LabelFreeTest, BadInputIsRefused) {
  auto bad = settings_;
  bad.penalty = 0;
  EXPECT_THAT(error_of([&] { train(bad); }), HasSubstr("penalty = 0"));
  const auto devices = devices_;
  devices_[3].latency = nullptr;
  EXPECT_THAT(error_of([&] { train(settings_); }), HasSubstr("device 3 has no table of every architecture"));
  devices_ = devices;
  devices_[3].latency = test::MadeUpLayers().device(1).latency;
  EXPECT_THAT(error_of([&] { train(settings_); }), HasSubstr("device 3 has no table of every architecture"));
  for (auto& device : devices_) device.latency = devices_[3].latency;
  EXPECT_THAT(error_of([&] { train(settings_); }), HasSubstr("quality does not add up over decisions"));
  devices_ = devices;
  examples_[2].device = 99;
  EXPECT_THAT(error_of([&] { train(settings_); }), HasSubstr("example 2 is of device 99"));
  examples_[2].device = 0;
  quality_.direction = Direction::minimise;
  EXPECT_THAT(error_of([&] { train(settings_); }), HasSubstr("is to be minimised"));
  quality_.direction = Direction::maximise;
  quality_.evaluate = [](std::span<const std::uint8_t>, std::span<double> values) {
    std::fill(values.begin(), values.end(), std::nan(""));
  };
  EXPECT_THAT(error_of([&] { train(settings_); }), HasSubstr("not known of any architecture"));
}

}  // namespace
}  // namespace oneproxy
