// Training on exact optima: how near new devices' answers come, same bits, going on, bad examples.
#include "oneproxy/engine/optimizer/train_policy.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "oneproxy/engine/optimizer/context_scale.h"
#include "oneproxy/engine/optimizer/example_steps.h"
#include "oneproxy/engine/optimizer/policy.h"
#include "oneproxy/kernels/base/parallel.h"
#include "tests/engine/error_of.h"
#include "tests/engine/optimizer/made_up_devices.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

struct TrainingData {
  std::vector<OptimizerDevice> devices;
  std::vector<TrainingExample> examples;
};

const test::MadeUpCells& cells() {
  static const test::MadeUpCells cells;
  return cells;
}
const test::MadeUpLayers& layers() {
  static const test::MadeUpLayers layers;
  return layers;
}

TrainingData cell_data(int n_devices, int n_queries) {
  TrainingData data;
  for (int d = 0; d < n_devices; ++d) {
    data.devices.push_back(cells().device(d));
    cells().add_examples(data.devices.back(), d, n_queries, data.examples);
    data.devices.back().latency = nullptr;  // its coordinates are enough
  }
  return data;
}

TrainingData layer_data(int n_devices, int n_queries) {
  TrainingData data;
  for (int d = 0; d < n_devices; ++d) {
    data.devices.push_back(layers().device(d));
    std::vector<double> shares;
    for (int q = 0; q < n_queries; ++q)
      shares.push_back(0.03 + 0.9 * Philox{static_cast<std::uint64_t>(d), 7}.uniform(q));
    for (auto& example : layers().examples(data.devices.back(), d, shares)) data.examples.push_back(std::move(example));
  }
  return data;
}

PolicyTrainSettings quick() {
  PolicyTrainSettings s;
  s.trunk = {32};
  s.head = {16};
  s.steps = 12;
  s.batch = 32;
  s.validation_every = 5;
  s.validation_share = 0.25;
  return s;
}

class TrainPolicyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!torch_compiled()) GTEST_SKIP() << "built without LibTorch";
  }
};

// Mean shortfall in quality to the best within the limit, over devices that training has not seen; of 10 proposals the
// best within the limit. 3: nothing was within.
double shortfall_of_cells(const Policy& policy, int proposals) {
  double sum = 0;
  int n = 0;
  for (int d = 0; d < 25; ++d) {
    const auto device = cells().device(1000 + d);
    const DeviceCosts costs(policy.steps(), device);
    for (const double share : {0.1, 0.3, 0.5, 0.7, 0.9}) {
      OptimizerQuery query;
      query.limit = cells().limit(device, share);
      const double best = cells().quality()[cells().best(device, *query.limit)];
      double found = best - 3;
      for (const auto& proposal : policy.propose(device, costs, query, proposals, 1)) {
        const auto i = cells().index(proposal.choices);
        if (cells().values(device)[i] <= *query.limit) found = std::max(found, cells().quality()[i]);
      }
      sum += best - found;
      ++n;
    }
  }
  return sum / n;
}

// The same of as many random cells within the limit.
double shortfall_of_random_cells(int draws) {
  double sum = 0;
  int n = 0;
  for (int d = 0; d < 25; ++d) {
    const auto device = cells().device(1000 + d);
    for (const double share : {0.1, 0.3, 0.5, 0.7, 0.9}) {
      const double limit = cells().limit(device, share);
      const Philox random{static_cast<std::uint64_t>(d), static_cast<std::uint64_t>(100 * share)};
      double found = -1e9;
      for (std::uint64_t i = 0, within = 0; within < static_cast<std::uint64_t>(draws); ++i) {
        const auto cell = random.below(i, 15625);
        if (cells().values(device)[cell] > limit) continue;
        ++within;
        found = std::max(found, cells().quality()[cell]);
      }
      sum += cells().quality()[cells().best(device, limit)] - found;
      ++n;
    }
  }
  return sum / n;
}

TEST_F(TrainPolicyTest, AnswersOfNewDevicesComeNearTheBestCells) {
  const auto data = cell_data(150, 16);
  PolicyTrainSettings s;
  s.trunk = {96, 96};
  s.head = {48};
  s.steps = 1200;
  s.batch = 128;
  s.learning_rate = 4e-3;
  const auto trained = train_policy(cells().space(), data.devices, data.examples, 1, false, s);
  EXPECT_LT(trained.train_loss.back(), 0.7 * trained.train_loss.front());
  EXPECT_EQ(trained.n_examples + trained.n_validation, 150 * 16);
  EXPECT_EQ(trained.n_validation, 3 * 16);
  const Policy policy(cells().space(), {true, 5, 1, false}, trained.shape, trained.parameters);
  auto factorised_settings = s;
  factorised_settings.autoregressive = false;
  const auto other = train_policy(cells().space(), data.devices, data.examples, 1, false, factorised_settings);
  const Policy factorised(cells().space(), {false, 5, 1, false}, other.shape, other.parameters);
  const double one = shortfall_of_cells(policy, 1), ten = shortfall_of_cells(policy, 10);
  const double factorised_one = shortfall_of_cells(factorised, 1), factorised_ten = shortfall_of_cells(factorised, 10);
  const double random = shortfall_of_random_cells(10);
  EXPECT_LT(one, 0.3 * random);
  EXPECT_LT(ten, 0.05 * random);
  EXPECT_LT(one, 0.5 * factorised_one);
  EXPECT_LT(ten, 0.3 * factorised_ten);
}

TEST_F(TrainPolicyTest, AnswersOfNewDevicesComeNearTheBestLayers) {
  const auto data = layer_data(60, 12);
  PolicyTrainSettings s;
  s.trunk = {32};
  s.head = {48};
  s.steps = 300;
  s.batch = 64;
  s.learning_rate = 5e-3;
  const auto trained = train_policy(layers().space(), data.devices, data.examples, 1, false, s);
  const Policy policy(layers().space(), {true, 4, 1, false}, trained.shape, trained.parameters);
  double worth = 0, of_one = 0, of_many = 0;
  for (int d = 0; d < 10; ++d) {
    const auto device = layers().device(1000 + d);
    const std::vector<double> shares = {0.1, 0.2, 0.3, 0.5, 0.7};
    for (const auto& example : layers().examples(device, 0, shares)) {
      const double best = layers().quality(example.choices);
      const auto answer = policy.answer(device, example.query);
      EXPECT_LE(layers().latency(device, answer), *example.query.limit);
      double of_proposals = 0;
      for (const auto& proposal : policy.propose(device, example.query, 30, 1)) {
        EXPECT_LE(layers().latency(device, proposal.choices), *example.query.limit);
        of_proposals = std::max(of_proposals, layers().quality(proposal.choices));
      }
      const std::vector<std::uint8_t> cheapest = DeviceCosts(policy.steps(), device).latency->cheapest().choices;
      worth += best - layers().quality(cheapest);
      of_one += best - layers().quality(answer);
      of_many += best - of_proposals;
    }
  }
  EXPECT_LT(of_one, 0.05 * worth);
  EXPECT_LT(of_many, 0.02 * worth);
}

TEST_F(TrainPolicyTest, SameSeedSameBitsOnAnyNumberOfThreads) {
  const auto data = layer_data(8, 4);
  const auto train = [&](const PolicyTrainSettings& s) {
    return train_policy(layers().space(), data.devices, data.examples, 1, false, s);
  };
  const auto one = train(quick());
  EXPECT_EQ(one.train_loss.size(), 3u);  // after 5, 10 and 12 steps
  EXPECT_EQ(one.validation_loss.size(), 3u);
  EXPECT_EQ(one.n_validation, 2 * 4);
  set_thread_count(1);
  const auto two = train(quick());
  set_thread_count(0);
  EXPECT_EQ(one.parameters, two.parameters);
  EXPECT_EQ(one.validation_loss, two.validation_loss);
  auto other = quick();
  other.seed = 2;
  EXPECT_NE(one.parameters, train(other).parameters);
}

TEST_F(TrainPolicyTest, GoesOnFromACheckpointToTheSameBits) {
  const TemporaryFolder folder;
  const auto data = cell_data(8, 8);
  const auto train = [&](const PolicyTrainSettings& s) {
    return train_policy(cells().space(), data.devices, data.examples, 1, false, s);
  };
  auto s = quick();
  const auto whole = train(s);
  s.checkpoint = folder / "state";
  s.checkpoint_seconds = 0;
  s.steps = 7;  // the rate falls over all steps: a state of 7 steps is of another training
  train(s);
  s.steps = quick().steps;
  EXPECT_THAT(error_of([&] { train(s); }), HasSubstr("other settings"));
  s.checkpoint = folder / "second";
  EXPECT_EQ(train(s).parameters, whole.parameters);
  const auto resumed = train(s);
  EXPECT_TRUE(resumed.resumed);
  EXPECT_EQ(resumed.parameters, whole.parameters);
  EXPECT_EQ(resumed.train_loss, whole.train_loss);
  auto fewer = data;
  fewer.examples.pop_back();
  EXPECT_THAT(error_of([&] { train_policy(cells().space(), fewer.devices, fewer.examples, 1, false, s); }),
              HasSubstr("other settings"));
}

// Sums of 1 / n are not 1: a constant that got a spread from rounding would be divided by it.
TEST_F(TrainPolicyTest, AnInputThatNeverVariesStaysAsItIs) {
  const auto space = SearchSpace::load("nasbench201");
  const PolicySteps steps(space, {true, 2, 1, false});
  std::vector<OptimizerDevice> devices = {{{0.1, 1}, nullptr, nullptr}, {{0.1, 2}, nullptr, nullptr}};
  std::vector<TrainingExample> examples(72000, TrainingExample{0, {0, 0.3, {}}, std::vector<std::uint8_t>(6, 1), {}});
  for (std::size_t i = 0; i < examples.size(); i += 2) examples[i].device = 1;
  const ContextScale scale(steps, devices, examples);
  EXPECT_EQ(scale.deviation()[0], 1);
  EXPECT_NEAR(scale.deviation()[1], 0.5, 1e-9);
  EXPECT_EQ(scale.deviation()[2], 1);  // the limit
  EXPECT_EQ(scale.deviation()[9], 1);  // one-hot of the only quality: its mean here is 1 + 1.04e-12
  EXPECT_NEAR(scale.mean()[2], 0.3, 1e-9);
}

// A layer on contexts as they are gives what the trained one gave on standardised ones.
TEST_F(TrainPolicyTest, FoldedParametersSayTheSame) {
  const auto data = cell_data(6, 8);
  const PolicySteps steps(cells().space(), {true, 5, 1, false});
  const auto shape = steps.shape({7, 4}, {3});
  const ContextScale scale(steps, data.devices, data.examples);
  const auto trained = random_parameters(shape, 3, 5);
  const Policy as_trained(cells().space(), steps.inputs(), shape, trained);
  const Policy folded(cells().space(), steps.inputs(), shape, scale.folded(shape, trained));
  std::vector<double> context(steps.n_context()), inputs(6 * steps.n_step_inputs()), expected(30), found(30);
  for (const auto& example : data.examples) {
    scale.write(example, context);
    as_trained.logits(context, inputs, expected);
    steps.context(data.devices[example.device].coordinates, example.query, context);
    folded.logits(context, inputs, found);
    for (int i = 0; i < 30; ++i) EXPECT_NEAR(found[i], expected[i], 1e-5);
  }
}

TEST_F(TrainPolicyTest, LabelsAreDrawnByTheirShares) {
  const auto space = SearchSpace::load("nasbench201");
  const PolicySteps steps(space, {true, 1, 1, false});
  const std::vector<OptimizerDevice> devices = {{{0.5}, nullptr, nullptr}};
  TrainingExample example{0, {0, 0.3, {}}, std::vector<std::uint8_t>(18, 1), {1, 2, 1}};
  std::fill_n(example.choices.begin() + 6, 6, 2);
  std::fill_n(example.choices.begin() + 12, 6, 3);
  const std::vector<TrainingExample> examples = {example};
  const ExampleSteps labelled(space, steps, devices, examples);
  ExampleLabels labels;
  std::vector<double> inputs;
  labelled.write(std::vector<std::int64_t>(5, 0), std::vector{0.0, 0.2, 0.3, 0.7, 0.8}, inputs, labels);
  EXPECT_EQ(labels.choices, (std::vector<std::uint8_t>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                                       2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3}));
  // The second head sees what the first was told: one-hot of earlier decisions.
  for (int d = 0; d < 6; ++d)
    for (int i = 0; i < 25; ++i) EXPECT_EQ(inputs[d * 25 + i], i / 5 < d && i % 5 == 1) << d << ' ' << i;
}

TEST_F(TrainPolicyTest, BadSettingsAreRefused) {
  const auto data = cell_data(4, 4);
  const std::vector<std::pair<std::function<void(PolicyTrainSettings&)>, std::string>> cases = {
      {[](auto& s) { s.steps = 0; }, "steps = 0"},
      {[](auto& s) { s.batch = 0; }, "batch = 0"},
      {[](auto& s) { s.trunk = {0}; }, "width = 0"},
      {[](auto& s) { s.trunk.assign(17, 8); }, "number of layers = 17"},
      {[](auto& s) { s.head = {-1}; }, "width = -1"},
      {[](auto& s) { s.learning_rate = 0; }, "learning_rate = 0"},
      {[](auto& s) { s.learning_rate = std::nan(""); }, "learning_rate = nan"},
      {[](auto& s) { s.learning_rate = 1e30; }, "smaller"},
      {[](auto& s) { s.weight_decay = -1; }, "weight_decay = -1"},
      {[](auto& s) { s.validation_share = 0.6; }, "validation_share = 0.6"},
      {[](auto& s) { s.validation_every = 0; }, "validation_every = 0"},
  };
  for (const auto& [change, says] : cases) {
    auto s = quick();
    change(s);
    EXPECT_THAT(error_of([&] { train_policy(cells().space(), data.devices, data.examples, 1, false, s); }),
                HasSubstr(says));
  }
}

TEST_F(TrainPolicyTest, BadExamplesAreRefused) {
  const std::vector<std::pair<std::function<void(TrainingData&)>, std::string>> cases = {
      {[](auto& d) { d.examples.clear(); }, "no examples"},
      {[](auto& d) { d.devices.clear(); }, "no examples"},
      {[](auto& d) { d.examples[3].device = 9; }, "example 3 is of device 9, there are 4"},
      {[](auto& d) { d.examples[2].choices.pop_back(); }, "example 2 has 43 choices"},
      {[](auto& d) { d.examples[2].choices[1] = 9; }, "example 2 is no architecture of fbnet"},
      {[](auto& d) { d.examples[2].shares = {1}; }, "example 2 has 1 shares of 2 labels"},
      {[](auto& d) {
         d.examples[2].shares = {1, 0};
       },
       "share 0"},
      {[](auto& d) { *d.examples[1].query.limit -= 1; }, "example 1 has the latency"},
      {[](auto& d) { *d.examples[1].query.limit = NAN; }, "limit is nan"},
      {[](auto& d) { d.devices[1].coordinates[2] = NAN; }, "training device 1 is nan"},
      {[](auto& d) { d.devices[1].coordinates.pop_back(); }, "3 coordinates, the optimizer takes 4"},
      {[](auto& d) { d.devices[1].latency = nullptr; }, "needs the latency"},
  };
  for (const auto& [change, says] : cases) {
    auto data = layer_data(4, 2);
    for (auto& example : data.examples) {
      const auto label = example.choices;
      example.choices.insert(example.choices.end(), label.begin(), label.end());  // two labels, the same
    }
    change(data);
    EXPECT_THAT(error_of([&] { train_policy(layers().space(), data.devices, data.examples, 1, false, quick()); }),
                HasSubstr(says));
  }
}

TEST(TrainPolicyWithoutTorch, SaysHowToGetIt) {
  if (torch_compiled()) GTEST_SKIP() << "built with LibTorch";
  const auto data = cell_data(2, 2);
  EXPECT_THAT(error_of([&] { train_policy(cells().space(), data.devices, data.examples, 1, false, quick()); }),
              HasSubstr("tools/fetch_torch.py"));
}

}  // namespace
}  // namespace oneproxy
