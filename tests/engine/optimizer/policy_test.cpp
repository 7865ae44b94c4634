// A policy as plain numbers: what LibTorch computes, limits that hold by construction, proposals, bad questions.
#include "oneproxy/engine/optimizer/policy.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "oneproxy/engine/optimizer/policy_loss.h"
#include "oneproxy/engine/predictor/cost_table.h"
#include "tests/engine/error_of.h"
#include "tests/engine/optimizer/made_up_devices.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

std::vector<double> random_values(std::size_t n, std::uint64_t seed) {
  const Philox random{seed, 8};
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(2 * random.uniform(i) - 1);
  return values;
}

// A network of random numbers: it prefers choices for no reason, so that only rules and limits keep it in bounds.
Policy random_policy(const SearchSpace& space, const PolicyInputs& inputs, std::uint64_t seed) {
  const auto shape = PolicySteps(space, inputs).shape({24, 16}, {20});
  auto parameters = random_values(n_parameters(shape), seed);
  for (double& p : parameters) p *= 0.5;
  return Policy(space, inputs, shape, parameters);
}

// A cost of the space as a device, in standard units of random architectures.
OptimizerDevice cost_device(const SearchSpace& space, const std::string& name, int n_coordinates) {
  AdditivePredictor table = cost_table(space, name);
  std::vector<double> values;
  const Philox random{5, 9};
  for (int i = 0; i < 500; ++i) {
    const auto choices = space.choices(random.bits(i) % space.size());
    values.emplace_back();
    table.predict(choices, std::span(&values.back(), 1));
  }
  double mean = 0, square = 0;
  for (const double v : values) mean += v / 500;
  for (const double v : values) square += (v - mean) * (v - mean) / 500;
  for (double& w : table.weights) w /= std::sqrt(square);
  for (double& b : table.bias) b = (b - mean) / std::sqrt(square);
  OptimizerDevice device{random_values(n_coordinates, 6), std::make_shared<const Predictor>(std::move(table)), nullptr};
  return device;
}

double value_of(const OptimizerDevice& device, std::span<const std::uint8_t> choices) {
  double value = 0;
  predict(*device.latency, choices, std::span(&value, 1));
  return value;
}

TEST(Policy, ComputesWhatLibTorchComputes) {
  if (!torch_compiled()) GTEST_SKIP() << "built without LibTorch";
  for (const bool shared : {false, true})
    for (const bool steps : {false, true})
      for (const bool hidden : {false, true}) {
        // Cells have a head a decision, layers a shared one.
        const auto space = SearchSpace::load(shared ? "fbnet" : "nasbench201");
        const PolicyInputs inputs{steps, 4, 2, false};
        const auto shape = PolicySteps(space, inputs).shape({12, 9}, hidden ? std::vector{8, 7} : std::vector<int>{});
        const auto parameters = random_values(n_parameters(shape), 1);
        const auto network = make_policy_network({shape, 0, false});
        const std::vector<double> zeros(parameters.size());
        network->set_state({parameters, zeros, zeros, 0});
        const int n = 3, s = shape.n_decisions * shape.n_step_inputs, r = shape.n_decisions * shape.n_choices;
        const auto context = random_values(n * shape.n_context, 2), step_inputs = random_values(n * s, 3);
        std::vector<double> expected(n * r), found(n * r);
        network->forward(context, step_inputs, expected);
        const Policy policy(space, inputs, shape, parameters);
        for (int i = 0; i < n; ++i)
          policy.logits(std::span(context).subspan(i * shape.n_context, shape.n_context),
                        std::span(step_inputs).subspan(i * s, s), std::span(found).subspan(i * r, r));
        for (int i = 0; i < n * r; ++i) ASSERT_NEAR(found[i], expected[i], 1e-5) << shared << steps << hidden << i;
      }
}

TEST(Policy, KeepsLimitsOfLayersByConstruction) {
  for (const char* name : {"fbnet", "ofa_mbv3"}) {
    const auto space = SearchSpace::load(name);
    const auto device = cost_device(space, "model:macs", 3);
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const Policy policy = random_policy(space, {true, 3, 1, false}, seed);
      const DeviceCosts costs(policy.steps(), device);
      const auto cheapest = costs.latency->cheapest();
      EXPECT_TRUE(space.valid(cheapest.choices));
      EXPECT_EQ(cheapest.value, value_of(device, cheapest.choices));
      double free = 0;
      for (const double room : {0.0, 1e-13, 0.01, 0.3, 1.0, 4.0}) {
        OptimizerQuery query;
        query.limit = cheapest.value + room;
        for (const auto& proposal : policy.propose(device, costs, query, 20, seed)) {
          EXPECT_TRUE(space.valid(proposal.choices)) << space.fault(proposal.choices);
          EXPECT_LE(value_of(device, proposal.choices), *query.limit) << name << ' ' << room;
          free = std::max(free, value_of(device, proposal.choices));
        }
        EXPECT_LE(value_of(device, policy.answer(device, costs, query)), *query.limit);
      }
      EXPECT_GT(free, cheapest.value + 1);  // room is made use of: it is the limit that holds answers down
    }
  }
}

TEST(Policy, KeepsLimitsOfCells) {
  const test::MadeUpCells cells;
  const auto device = cells.device(1);
  const Policy policy = random_policy(cells.space(), {true, 5, 1, false}, 3);
  OptimizerQuery query;
  int over = 0;
  for (const double share : {0.0, 0.1, 0.3, 0.6}) {
    query.limit = cells.limit(device, share);
    const auto answer = policy.answer(device, query);
    EXPECT_LE(value_of(device, answer), *query.limit);
    auto blind = device;
    blind.latency = nullptr;  // nothing is known of its latencies: the limit is a wish
    over += value_of(device, policy.answer(blind, query)) > *query.limit;
  }
  EXPECT_GT(over, 0);
}

TEST(Policy, KeepsTheRulesOfStagesWithoutALimit) {
  const auto space = SearchSpace::load("ofa_mbv3");
  const auto device = cost_device(space, "model:macs", 3);
  for (const bool autoregressive : {true, false}) {
    const Policy policy = random_policy(space, {autoregressive, 3, 1, false}, 1);
    OptimizerQuery query;
    query.preference = {1, 1, 0};
    std::set<std::vector<std::uint8_t>> distinct;
    for (const auto& proposal : policy.propose(device, query, 50, 2)) {
      EXPECT_TRUE(space.valid(proposal.choices)) << space.fault(proposal.choices);
      distinct.insert(proposal.choices);
    }
    EXPECT_EQ(distinct.size(), 50u);
  }
}

TEST(Policy, ProposesDistinctArchitecturesMostProbableFirst) {
  const test::MadeUpCells cells;
  const auto device = cells.device(1);
  const Policy policy = random_policy(cells.space(), {true, 5, 1, false}, 3);
  OptimizerQuery query;
  query.limit = cells.limit(device, 0.5);
  const auto answer = policy.answer(device, query);
  const auto found = policy.propose(device, query, 30, 7);
  ASSERT_EQ(found.size(), 30u);
  std::set<std::vector<std::uint8_t>> distinct;
  for (std::size_t i = 0; i < found.size(); ++i) {
    distinct.insert(found[i].choices);
    EXPECT_LE(found[i].log_probability, found[i > 0 ? i - 1 : 0].log_probability);
  }
  EXPECT_EQ(distinct.size(), 30u);
  EXPECT_TRUE(distinct.count(answer));
  const auto again = policy.propose(device, query, 30, 7), other = policy.propose(device, query, 30, 8);
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(found[i].choices, again[i].choices);
    EXPECT_EQ(found[i].log_probability, again[i].log_probability);
  }
  std::set<std::vector<std::uint8_t>> of_other;
  for (const auto& proposal : other) of_other.insert(proposal.choices);
  EXPECT_NE(distinct, of_other);
}

// Of all 15,625 cells a proposal of every one: the probabilities are a distribution, and drawing ends.
TEST(Policy, ProbabilitiesSumToOne) {
  const test::MadeUpCells cells;
  auto device = cells.device(1);
  device.latency = nullptr;
  const Policy policy = random_policy(cells.space(), {true, 5, 1, false}, 3);
  OptimizerQuery query;
  query.preference = {1, 0, 0};
  const auto all = policy.propose(device, query, 20000, 1);
  EXPECT_EQ(all.size(), 15625u);
  double sum = 0;
  for (const auto& proposal : all) sum += std::exp(proposal.log_probability);
  EXPECT_NEAR(sum, 1, 1e-9);
}

// Drawn without replacement: the first draw alone has the policy's own probabilities.
TEST(Policy, DrawsInProportionToProbability) {
  const test::MadeUpCells cells;
  auto device = cells.device(1);
  device.latency = nullptr;
  const Policy policy = random_policy(cells.space(), {true, 5, 1, false}, 3);
  OptimizerQuery query;
  query.preference = {1, 0, 0};
  const auto all = policy.propose(device, query, 20000, 1);
  const auto answer = policy.answer(device, query);
  // Of two proposals one is the answer; the other is the largest draw, or the second where the first was the answer.
  double expected = 0, found = 0;
  const double p_answer = std::exp(
      std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.choices == answer; })->log_probability);
  const auto first = [&](const auto& p) { return p.choices[0] == answer[0] && p.choices != answer; };
  for (const auto& p : all)
    if (first(p)) expected += std::exp(p.log_probability) / (1 - p_answer);
  constexpr int kDraws = 3000;
  for (int i = 0; i < kDraws; ++i)
    for (const auto& p : policy.propose(device, query, 2, 100 + i)) found += first(p) / double{kDraws};
  EXPECT_NEAR(found, expected, 4 * std::sqrt(expected * (1 - expected) / kDraws));
}

TEST(Policy, RefusesBadQuestions) {
  const auto space = SearchSpace::load("fbnet");
  const Policy policy = random_policy(space, {true, 3, 2, false}, 1);
  const auto device = cost_device(space, "model:macs", 3);
  const auto says = [&](OptimizerQuery query, OptimizerDevice of) {
    return error_of([&] { policy.answer(of, query); });
  };
  OptimizerQuery query;
  query.preference = {1, -0.5, 0};
  EXPECT_THAT(says(query, device), HasSubstr("weight of latency is -0.5"));
  query.preference = {0, 0, 0};
  EXPECT_THAT(says(query, device), HasSubstr("all 0"));
  query.preference = {1, 0, 1};
  EXPECT_THAT(says(query, device), HasSubstr("trained without energy"));
  query.preference = {1, 1, 0};
  query.quality = 2;
  EXPECT_THAT(says(query, device), HasSubstr("quality 2 is asked for, the optimizer knows 0 to 1"));
  query.quality = 1;
  EXPECT_EQ(says(query, device), "no error");
  query.limit = std::nan("");
  EXPECT_THAT(says(query, device), HasSubstr("limit is nan"));
  query.limit = -100;
  EXPECT_THAT(says(query, device), HasSubstr("below the device's cheapest architecture, 8,8,"));
  query.limit = 0;
  auto other = device;
  other.coordinates.pop_back();
  EXPECT_THAT(says(query, other), HasSubstr("2 coordinates, the optimizer takes 3"));
  other = device;
  other.latency = nullptr;
  EXPECT_THAT(says(query, other), HasSubstr("needs the latency"));
  other.latency = std::make_shared<const Predictor>(MlpPredictor{});
  EXPECT_THAT(says(query, other), HasSubstr("tells nothing about a part"));
  EXPECT_THAT(error_of([&] { policy.propose(device, query, 0, 1); }), HasSubstr("0 proposals"));
  const std::vector<std::string> names = {"cifar10", "imagenet"};
  EXPECT_EQ(quality_index(names, "imagenet", "here"), 1);
  EXPECT_THAT(error_of([&] { quality_index(names, "cifar", "here"); }), HasSubstr("nearest: cifar10"));
}

TEST(PolicyLoss, GradientsAgreeWithDifferences) {
  const int n = 4, decisions = 3, choices = 5;
  auto logits = random_values(n * decisions * choices, 4);
  for (double& x : logits) x *= 3;
  std::vector<Opening> open(logits.size(), Opening::open);
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < n * decisions; ++i) {
    labels.push_back(static_cast<std::uint8_t>(i % choices));
    open[i * choices + (i + 2) % choices] = Opening::closed;
    open[i * choices + (i + 3) % choices] = Opening::beyond;  // counts
  }
  const LabelledSteps steps{decisions, choices, open, labels};
  std::vector<double> gradient(logits.size()), ignored(logits.size());
  const double loss = cross_entropy(steps, logits, gradient);
  double by_hand = 0;
  for (int i = 0; i < n * decisions; ++i) {
    double sum = 0;
    for (int c = 0; c < choices; ++c)
      if (c != (i + 2) % choices) sum += std::exp(logits[i * choices + c]);
    by_hand -= std::log(std::exp(logits[i * choices + labels[i]]) / sum) / n;
  }
  EXPECT_NEAR(loss, by_hand, 1e-12);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double h = 1e-6, at = logits[i];
    logits[i] = at + h;
    const double above = cross_entropy(steps, logits, ignored);
    logits[i] = at - h;
    const double below = cross_entropy(steps, logits, ignored);
    logits[i] = at;
    EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-8) << i;
  }
}

}  // namespace
}  // namespace oneproxy
