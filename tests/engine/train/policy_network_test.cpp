// The network's gradients against differences of the loss, AdamW against its definition, and its state.
#include "oneproxy/engine/train/policy_network.h"

#include <gtest/gtest.h>

#include <cmath>

#include "oneproxy/kernels/base/random.h"

namespace oneproxy {
namespace {

std::vector<double> random_values(std::int64_t n, std::uint64_t seed) {
  const Philox random{seed, 0};
  std::vector<double> values;
  for (std::int64_t i = 0; i < n; ++i) values.push_back(2 * random.uniform(i) - 1);
  return values;
}

// A loss that weighs every logit differently, and is not linear.
double made_up_loss(std::span<const double> logits, std::span<double> by_logits) {
  double loss = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    loss += std::sin(logits[i] * (1 + 0.1 * static_cast<double>(i)));
    by_logits[i] = std::cos(logits[i] * (1 + 0.1 * static_cast<double>(i))) * (1 + 0.1 * static_cast<double>(i));
  }
  return loss;
}

class PolicyNetworkTest : public testing::TestWithParam<PolicyShape> {
 protected:
  void SetUp() override {
    if (!torch_compiled()) GTEST_SKIP() << "built without LibTorch";
  }
  static constexpr int kExamples = 4;
  const PolicyShape shape_ = GetParam();
  const std::vector<double> context_ = random_values(kExamples * shape_.n_context, 1);
  const std::vector<double> steps_ = random_values(kExamples * shape_.n_decisions * shape_.n_step_inputs, 2);
  NetworkState start() const {
    const auto n = n_parameters(shape_);
    return {random_values(n, 3), std::vector<double>(n), std::vector<double>(n), 0};
  }
};

TEST_P(PolicyNetworkTest, GradientsAgreeWithDifferences) {
  const auto network = make_policy_network({shape_, 0.1, true});
  auto state = start();
  network->set_state(state);
  const auto gradient = network->gradient(context_, steps_, made_up_loss);
  ASSERT_EQ(std::ssize(gradient), n_parameters(shape_));
  std::vector<double> logits(kExamples * shape_.n_decisions * shape_.n_choices), ignored(logits.size());
  const auto loss_at = [&](std::size_t i, double shift) {
    auto moved = state;
    moved.parameters[i] += shift;
    network->set_state(moved);
    network->forward(context_, steps_, logits);
    return made_up_loss(logits, ignored);
  };
  for (std::size_t i = 0; i < gradient.size(); ++i)
    EXPECT_NEAR(gradient[i], (loss_at(i, 1e-6) - loss_at(i, -1e-6)) / 2e-6, 1e-6) << i;
}

TEST_P(PolicyNetworkTest, StepsAreAdamWAndGoOnFromAState) {
  constexpr double kRate = 0.01, kDecay = 0.1;
  const auto network = make_policy_network({shape_, kDecay, true});
  const auto first = start();
  network->set_state(first);
  const auto gradient = network->gradient(context_, steps_, made_up_loss);
  network->step(context_, steps_, made_up_loss, kRate);
  const auto second = network->state();
  EXPECT_EQ(second.steps, 1);
  int decayed = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    // The first step: moments are the gradient and its square once the bias is taken out.
    const double move = kRate * gradient[i] / (std::abs(gradient[i]) + 1e-8);
    const double bias = first.parameters[i] - move, weight = first.parameters[i] * (1 - kRate * kDecay) - move;
    EXPECT_TRUE(std::abs(second.parameters[i] - bias) < 1e-12 || std::abs(second.parameters[i] - weight) < 1e-12) << i;
    decayed += std::abs(second.parameters[i] - weight) < 1e-12;
  }
  std::int64_t biases = shape_.n_heads() * shape_.n_choices;
  for (const int width : shape_.trunk) biases += width;
  for (const int width : shape_.head) biases += shape_.n_heads() * width;
  EXPECT_EQ(decayed, n_parameters(shape_) - biases);

  network->step(context_, steps_, made_up_loss, kRate);
  const auto third = network->state();
  const auto other = make_policy_network({shape_, kDecay, true});
  other->set_state(second);
  other->step(context_, steps_, made_up_loss, kRate);
  EXPECT_EQ(other->state().parameters, third.parameters);
  EXPECT_EQ(other->state().second_moment, third.second_moment);
}

PolicyShape shape(int step_inputs, std::vector<int> head, bool shared) {
  return {3, 4, step_inputs, 5, {6, 4}, std::move(head), shared};
}

INSTANTIATE_TEST_SUITE_P(Shapes, PolicyNetworkTest,
                         testing::Values(shape(2, {3}, false), shape(2, {3, 4}, true), shape(0, {3}, false),
                                         shape(0, {}, false), shape(2, {}, true), shape(2, {}, false)));

TEST(PolicyParameters, StartAtEvenOddsAndFollowTheSeed) {
  const auto one = shape(2, {3, 4}, true);
  const auto parameters = random_parameters(one, 2, 1);
  EXPECT_EQ(std::ssize(parameters), n_parameters(one));
  EXPECT_EQ(parameters, random_parameters(one, 2, 1));
  EXPECT_NE(parameters, random_parameters(one, 2, 2));
  for (std::size_t i = parameters.size() - 5; i < parameters.size(); ++i) EXPECT_EQ(parameters[i], 0);  // last bias
  for (std::size_t i = parameters.size() - 25; i < parameters.size(); ++i) EXPECT_LT(std::abs(parameters[i]), 0.13);
}

}  // namespace
}  // namespace oneproxy
