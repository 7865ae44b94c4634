#include "oneproxy/engine/front_loop/candidates.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;
using Network = std::vector<std::uint8_t>;

class SearchedCandidatesTest : public testing::Test {
 protected:
  SearchedCandidatesTest() : part_(SubSpace::of(space_)) {
    part_.fix("layer 1*=k3*|skip");  // layers 10 to 19
    quality_ = make_objective({space_, nullptr, "", "", Backend::cpu}, "model:macs", "quality", Direction::maximise);
  }
  Predictor drawn(std::uint64_t seed) const {
    AdditivePredictor made{space_.name(), {space_.radices().begin(), space_.radices().end()}, "", "ms", {}, {1.0}, {}};
    const Philox random{seed, 0};
    for (const auto radix : made.radices)
      for (int c = 0; c < radix; ++c) made.weights.push_back(random.uniform(made.weights.size()));
    return made;
  }
  std::vector<Network> search(const std::vector<std::vector<Predictor>>& predictors) const {
    const auto choices = searched_candidates(part_, quality_, 1)->search(predictors);
    const std::size_t width = space_.radices().size();
    std::vector<Network> networks;
    for (std::size_t i = 0; i < choices.size(); i += width) networks.emplace_back(&choices[i], &choices[i] + width);
    return networks;
  }
  double value(const Predictor& predictor, const Network& network) const {
    double value = 0;
    predict(predictor, network, std::span(&value, 1));
    return value;
  }
  double quality(const Network& network) const {
    double value = 0;
    quality_.evaluate(network, std::span(&value, 1));
    return value;
  }

  SearchSpace space_ = SearchSpace::load("fbnet");
  SubSpace part_;
  Objective quality_;
};

TEST_F(SearchedCandidatesTest, LieOnTheFrontOfEachPredictorWithinThePart) {
  const auto predictor = drawn(1);
  const auto networks = search({{predictor}});
  ASSERT_GT(networks.size(), 20u);
  EXPECT_EQ(std::set<Network>(networks.begin(), networks.end()).size(), networks.size());
  for (const auto& a : networks) {
    EXPECT_FALSE(part_.digits(a).empty());
    for (const auto& b : networks) EXPECT_FALSE(quality(b) > quality(a) && value(predictor, b) < value(predictor, a));
  }
  // Its ends: the best quality of the part, and the fastest network of it.
  double best = 0, fastest = 1e9;
  Network largest(space_.radices().size()), smallest = largest;
  for (int d = 0; d < space_.n_decisions(); ++d) {
    Network one(space_.radices().size());
    double most = -1e18, least = 1e18;
    for (const auto choice : part_.choices_of_decision(d)) {
      one[d] = choice;
      if (const double q = quality(one); q > most) most = q, largest[d] = choice;
      if (const double v = value(predictor, one); v < least) least = v, smallest[d] = choice;
    }
  }
  for (const auto& network : networks) {
    best = std::max(best, quality(network));
    fastest = std::min(fastest, value(predictor, network));
  }
  EXPECT_DOUBLE_EQ(best, quality(largest));
  EXPECT_NEAR(fastest, value(predictor, smallest), 1e-9);
}

TEST_F(SearchedCandidatesTest, AreThoseOfAllDrawsAndOfSumsOfTwoQuantities) {
  const auto of = [&](const std::vector<std::vector<Predictor>>& predictors) {
    const auto networks = search(predictors);
    return std::set<Network>(networks.begin(), networks.end());
  };
  const auto first = of({{drawn(1)}}), second = of({{drawn(2)}}), both = of({{drawn(1)}, {drawn(2)}});
  EXPECT_TRUE(std::includes(both.begin(), both.end(), first.begin(), first.end()));
  EXPECT_TRUE(std::includes(both.begin(), both.end(), second.begin(), second.end()));
  // Sums have the fronts of either quantity, and networks between them.
  const auto sums = of({{drawn(1), drawn(2)}});
  EXPECT_TRUE(std::includes(sums.begin(), sums.end(), first.begin(), first.end()));
  EXPECT_GT(sums.size(), both.size());
}

TEST_F(SearchedCandidatesTest, OfAQualityThatIsNoSumAreFoundByEvaluations) {
  const auto cells = SearchSpace::load("nasbench201");
  const std::vector<std::uint8_t> radices(cells.radices().begin(), cells.radices().end());
  const Philox random{4, 0};
  IndexTable quality{cells.name(), radices, "", "%", std::vector<double>(static_cast<std::size_t>(cells.size())), {}};
  auto latency = quality;
  for (std::size_t i = 0; i < quality.values.size(); ++i) {
    quality.values[i] = random.uniform(2 * i);
    latency.values[i] = 1 + random.uniform(2 * i + 1);
  }
  auto objective = predicted_objective(quality, cells, "accuracy", "%");
  objective.direction = Direction::maximise;
  const auto found = searched_candidates(SubSpace(cells), objective, 1)->search({{Predictor(latency)}});
  ASSERT_FALSE(found.empty());
  double best = 0;
  for (std::size_t i = 0; i < found.size(); i += radices.size()) {
    double value = 0;
    quality.predict(std::span(found).subspan(i, radices.size()), std::span(&value, 1));
    best = std::max(best, value);
  }
  EXPECT_EQ(best, *std::max_element(quality.values.begin(), quality.values.end()));
}

TEST_F(SearchedCandidatesTest, NeedAQualityThatCoversTheSpace) {
  auto measured = quality_;
  measured.model = nullptr;
  EXPECT_THAT(error_of([&] { searched_candidates(part_, measured, 1); }), HasSubstr("name one that covers the space"));
}

}  // namespace
}  // namespace oneproxy
