// What LibTorch computes for us, against NumPy, differences of the loss, AdamW written out, and least squares.
#include "oneproxy/engine/train/network.h"

#include <gtest/gtest.h>

#include <cmath>

#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"
#include "tests/fixtures/loss_cases.h"
#include "tests/support/compare.h"

namespace oneproxy {
namespace {

std::vector<double> random_values(std::int64_t n, std::uint64_t seed) {
  const Philox random{seed, 0};
  std::vector<double> values;
  for (std::int64_t i = 0; i < n; ++i) values.push_back(2 * random.uniform(i) - 1);
  return values;
}

class NetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!torch_compiled()) GTEST_SKIP() << "built without LibTorch";
  }
  static NetworkSettings settings(std::vector<int> widths, Loss loss = Loss::mse) {
    NetworkSettings s;
    s.widths = std::move(widths);
    s.loss = loss;
    s.fp64 = true;
    return s;
  }
  static NetworkState state_of(const NetworkSettings& s, std::uint64_t seed) {
    const auto n = n_parameters(s.widths);
    const std::vector<double> zeros(n);
    return {random_values(n, seed), zeros, zeros, 0};
  }
};

TEST_F(NetworkTest, LossesAgreeWithNumPy) {
  for (const auto& one : test::kLossCases) {
    auto s = settings({1, 1}, parse_loss(one.loss));
    s.huber_delta = one.huber_delta;
    s.margin = one.margin;
    const auto network = make_network(s);
    network->set_state({{1, 0}, {0, 0}, {0, 0}, 0});  // the score is the input
    EXPECT_NEAR(network->loss(one.scores, one.targets), one.value, 1e-12) << one.loss << " of " << one.scores.size();
  }
}

// Two layers and a score, written out.
TEST_F(NetworkTest, ForwardIsTheNetworkOfTheHeader) {
  auto s = settings({2, 2, 1});
  const auto network = make_network(s);
  network->set_state({{1, 2, -3, 4, 0.5, -0.25, 2, -1, 0.75}, std::vector<double>(9), std::vector<double>(9), 0});
  const std::vector<double> x = {1, 1, 2, -1};
  std::vector<double> y(2);
  network->forward(x, y);
  // h = (1 + 2 + .5, -3 + 4 - .25) = (3.5, .75); 2 h_0 - h_1 + .75, and (.5, -10.25) -> (.5, 0)
  EXPECT_DOUBLE_EQ(y[0], 7.0 - 0.75 + 0.75);
  EXPECT_DOUBLE_EQ(y[1], 1.0 + 0.75);
}

TEST_F(NetworkTest, GradientsAgreeWithDifferencesOfTheLoss) {
  for (const Loss loss : {Loss::mse, Loss::huber, Loss::hinge, Loss::logistic}) {
    auto s = settings({5, 4, 3, 1}, loss);
    s.l2_sp = 0.3;
    s.frozen = {0, 1, 0};
    const auto network = make_network(s);
    auto state = state_of(s, 1);
    const auto anchor = random_values(n_parameters(s.widths), 2);
    const auto x = random_values(5 * 8, 3), t = random_values(8, 4);
    network->set_anchor(anchor);
    network->set_state(state);
    const auto gradient = network->gradient(x, t);
    const int frozen_from = 5 * 4 + 4, frozen_to = frozen_from + 4 * 3 + 3;
    for (int i = 0; i < static_cast<int>(gradient.size()); ++i) {
      if (i >= frozen_from && i < frozen_to) {
        EXPECT_EQ(gradient[i], 0);
        continue;
      }
      auto loss_at = [&](double value) {
        auto moved = state;
        moved.parameters[i] = value;
        network->set_state(moved);
        return network->loss(x, t);
      };
      const double w = state.parameters[i], h = 1e-6;
      const double expected = (loss_at(w + h) - loss_at(w - h)) / (2 * h) + s.l2_sp * (w - anchor[i]);
      EXPECT_NEAR(gradient[i], expected, 1e-7) << to_string(loss) << " parameter " << i;
    }
  }
}

TEST_F(NetworkTest, StepsAreAdamWWithoutDecayOfBiases) {
  auto s = settings({3, 2, 1});
  s.weight_decay = 0.1;
  s.frozen = {0, 0};
  const auto network = make_network(s);
  auto state = state_of(s, 5);
  network->set_state(state);
  const auto x = random_values(3 * 6, 6), t = random_values(6, 7);
  const auto is_bias = [](std::size_t i) { return i == 6 || i == 7 || i == 10; };
  for (int step = 1; step <= 4; ++step) {
    const double rate = 0.02 / step;
    const auto g = network->gradient(x, t);
    network->step(x, t, rate);
    for (std::size_t i = 0; i < g.size(); ++i) {
      double& m = state.first_moment[i];
      double& v = state.second_moment[i];
      m = 0.9 * m + 0.1 * g[i];
      v = 0.999 * v + 0.001 * g[i] * g[i];
      const double decayed = state.parameters[i] * (is_bias(i) ? 1 : 1 - rate * 0.1);
      const double m_hat = m / (1 - std::pow(0.9, step)), v_hat = v / (1 - std::pow(0.999, step));
      state.parameters[i] = decayed - rate * m_hat / (std::sqrt(v_hat) + 1e-8);
    }
    EXPECT_TRUE(test::close_values(network->state().parameters, state.parameters, 1e-13)) << "step " << step;
  }
  EXPECT_EQ(network->state().steps, 4);
}

TEST_F(NetworkTest, AStateMovesToAnotherNetworkWhole) {
  for (const bool fp64 : {false, true}) {
    auto s = settings({4, 3, 1}, Loss::huber);
    s.fp64 = fp64;
    const auto one = make_network(s), two = make_network(s);
    one->set_state(state_of(s, 8));
    const auto x = random_values(4 * 5, 9), t = random_values(5, 10);
    for (int i = 0; i < 3; ++i) one->step(x, t, 0.01);
    two->set_state(one->state());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(one->step(x, t, 0.01), two->step(x, t, 0.01));
    EXPECT_EQ(one->state().parameters, two->state().parameters);
    EXPECT_EQ(one->state().second_moment, two->state().second_moment);
  }
}

// A network without hidden layer has one optimum: least squares.
TEST_F(NetworkTest, ALinearNetworkReachesLeastSquares) {
  const std::vector<std::uint8_t> radices = {3, 2, 4};
  const Philox random{12, 0};
  std::vector<std::uint8_t> choices;
  std::vector<double> inputs, targets;
  for (std::uint64_t i = 0; i < 60; ++i) {
    for (std::size_t d = 0; d < 3; ++d) {
      choices.push_back(static_cast<std::uint8_t>(random.below(4 * i + d, radices[d])));
      for (int c = 0; c < radices[d]; ++c) inputs.push_back(c == choices.back());
    }
    targets.push_back(choices.back() + std::sin(static_cast<double>(i)) + random.uniform(4 * i + 3));
  }
  const auto fitted = fit_linear(radices, choices, targets);
  std::vector<double> expected(60), found(60);
  fitted.predict(choices, expected);
  const auto s = settings({9, 1});
  const auto network = make_network(s);
  network->set_state(state_of(s, 13));
  constexpr int kSteps = 1500;
  for (int i = 0; i < kSteps; ++i) network->step(inputs, targets, 0.05 * (1 - static_cast<double>(i) / kSteps));
  network->forward(inputs, found);
  EXPECT_TRUE(test::close_values(found, expected, 1e-5));
}

TEST_F(NetworkTest, CudaWhereThereIsNoneIsRefused) {
  auto s = settings({2, 1});
  s.backend = Backend::cuda;
  const auto message = error_of([&] { make_network(s); });
  if (message == "no error") GTEST_SKIP() << "trains on CUDA here";
  EXPECT_NE(message.find("train on the CPU"), std::string::npos) << message;
}

TEST(Loss, NamesAreReadAndTheNearestOffered) {
  for (const Loss loss : {Loss::mse, Loss::huber, Loss::hinge, Loss::logistic})
    EXPECT_EQ(parse_loss(to_string(loss)), loss);
  EXPECT_NE(error_of([] { parse_loss("hubert"); }).find("huber"), std::string::npos);
}

}  // namespace
}  // namespace oneproxy
