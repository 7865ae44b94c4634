#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/search/annealing.h"
#include "oneproxy/engine/search/evolutionary.h"
#include "oneproxy/engine/search/exchange.h"
#include "oneproxy/engine/search/exhaustive.h"
#include "oneproxy/engine/search/front.h"
#include "oneproxy/engine/search/neighbours.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<std::int64_t> rows_of(const Front& front) {
  std::vector<std::int64_t> rows;
  for (const auto& point : front) rows.push_back(point.row);
  return rows;
}

TEST(Front, MeasuredMembersLoseTheDominated) {
  const std::vector<double> latency = {5, 4, 3, kNan, 3}, quality = {10, 20, 5, 30, 5};
  // Predicted order was wrong: row 0 is dominated by row 1; row 3 failed; row 4 equals row 2.
  const Front members = {{4, 1, 5}, {2, 1, 5}, {0, 2, 10}, {1, 3, 20}, {3, 4, 30}};
  EXPECT_THAT(rows_of(measured_front(members, latency, quality)), testing::ElementsAre(2, 1));
}

TEST(Front, RecallCountsEqualPointsWhateverTheirRow) {
  const Front truth = {{0, 1, 1}, {1, 2, 2}};
  EXPECT_EQ(recall({{9, 1, 1}}, truth), 0.5);
  EXPECT_EQ(recall({}, truth), 0);
  EXPECT_EQ(recall(truth, truth), 1);
}

TEST(Front, HypervolumeByHand) {
  // Reference (10, 0): (2, 3) covers 8 x 3, (5, 7) adds 5 x 4.
  EXPECT_DOUBLE_EQ(hypervolume(Front{{0, 2, 3}, {1, 5, 7}}, {10, 0}), 8 * 3 + 5 * 4);
}

TEST(Front, RegretAndInfeasible) {
  const Front truth = {{0, 1, 10}, {1, 2, 20}}, found = {{1, 2, 19}};
  EXPECT_EQ(regret(found, truth, 2, 5).points, 1);
  EXPECT_TRUE(regret(found, truth, 2, 5).feasible);
  EXPECT_EQ(regret(found, truth, 1.5, 5).points, 5);  // to the smallest quality
  EXPECT_FALSE(regret(found, truth, 1.5, 5).feasible);
}

TEST(Front, ReferenceIsTheWorstOfWhatHasBoth) {
  const auto reference = reference_point(std::vector<double>{1, 9, 3}, std::vector<double>{5, kNan, 7});
  EXPECT_EQ(reference.latency_ms, 3);
  EXPECT_EQ(reference.quality, 5);
}

class SearchTest : public testing::Test {
 protected:
  SearchTest()
      : store_(shipped_store()),
        space_(SearchSpace::load("nasbench201")),
        part_(space_),
        data_(store_, space_, "help") {}
  Objective objective(const std::string& name) {
    return make_objective({space_, &data_, store_.path(), "", Backend::cpu}, name, "latency");
  }
  SearchProblem problem(const std::string& latency, const std::string& quality) {
    return {part_, &data_, objective(latency), objective(quality)};
  }
  Store store_;
  SearchSpace space_;
  SubSpace part_;
  Measurements data_;
};

TEST_F(SearchTest, ExhaustiveIsTheBruteForceBest) {
  const auto p = problem("device:pixel3", "metric:natsbench:cifar10");
  const std::vector<double> limits = {1e-9, 5, 12, 1e9};
  const auto result = search_exhaustively(p, limits, {}, Backend::cpu);
  const auto latency = data_.device("pixel3").values, quality = data_.quality("metric:natsbench:cifar10").values;
  for (std::size_t l = 0; l < limits.size(); ++l) {
    double best = -1;
    for (std::size_t i = 0; i < latency.size(); ++i)
      if (latency[i] <= limits[l]) best = std::max(best, quality[i]);
    if (best < 0)
      EXPECT_TRUE(result.best[l].choices.empty());
    else
      EXPECT_EQ(result.best[l].quality, best);
  }
  EXPECT_EQ(result.n_evaluated, 15625);
  EXPECT_GT(result.front.size(), 10u);
}

TEST_F(SearchTest, TheSetAndTheWholeSpaceAgreeWhereBothAreTheSpace) {
  // The proxy's predictor and MACs cover the space by index, the rows of the set are the space in another order.
  const auto p = problem("proxy:pixel3", "model:macs");
  ASSERT_TRUE(p.covers_space());
  const std::vector<double> limits = {5, 12};
  const auto whole = search_exhaustively(p, limits, {}, Backend::cpu);
  std::vector<double> latency(data_.n()), quality(data_.n());
  p.latency.evaluate(data_.rows().choices, latency);
  p.quality.evaluate(data_.rows().choices, quality);
  const auto front = exact_front(latency, quality, Backend::cpu);
  ASSERT_EQ(front.size(), whole.front.size());
  for (std::size_t i = 0; i < front.size(); ++i) {
    EXPECT_EQ(front[i].latency_ms, whole.front[i].latency_ms);
    EXPECT_EQ(front[i].quality, whole.front[i].quality);
  }
}

TEST_F(SearchTest, EvolutionIsRepeatableAndNeverBeatsTheTruth) {
  const auto p = problem("device:pixel3", "metric:natsbench:cifar100");
  const std::vector<double> limits = {5, 10, 15};
  EvolutionSettings settings;
  settings.generations = 30;
  const auto truth = search_exhaustively(p, limits, {}, Backend::cpu);
  const auto first = search_evolutionarily(p, limits, settings, Backend::cpu);
  set_thread_count(1);
  const auto second = search_evolutionarily(p, limits, settings, Backend::cpu);
  set_thread_count(0);
  for (std::size_t i = 0; i < limits.size(); ++i) {
    EXPECT_EQ(first.best[i].choices, second.best[i].choices);
    EXPECT_LE(first.best[i].latency_ms, limits[i]);
    EXPECT_LE(first.best[i].quality, truth.best[i].quality);
    EXPECT_GT(first.best[i].quality, truth.best[i].quality - 2) << "a search that learns nothing is no search";
  }
  settings.seed = 2;
  EXPECT_NE(search_evolutionarily(p, limits, settings, Backend::cpu).n_evaluated, 0);
}

TEST_F(SearchTest, ImpossibleLimitIsSaid) {
  const auto p = problem("device:pixel3", "metric:natsbench:cifar10");
  EvolutionSettings settings;
  settings.patience = 3;
  const auto result = search_evolutionarily(p, std::vector<double>{0.0}, settings, Backend::cpu);
  EXPECT_TRUE(result.best[0].choices.empty());
}

// A space with what a search needs to run over it.
struct World {
  explicit World(const std::string& name) : store(shipped_store()), space(SearchSpace::load(name)), part(space) {
    data.emplace(store, space, "help");
  }
  Objective objective(const std::string& name) const {
    return make_objective({space, &*data, store.path(), "", Backend::cpu}, name, "quality");
  }
  SearchProblem problem(const std::string& latency, const std::string& quality) const {
    return {part, &*data, objective(latency), objective(quality)};
  }
  Store store;
  SearchSpace space;
  SubSpace part;
  std::optional<Measurements> data;
};

// An MLP as training would leave it, with weights drawn.
Objective random_mlp(const SearchSpace& space, int width, std::uint64_t seed) {
  MlpPredictor mlp;
  mlp.space = space.name();
  mlp.radices.assign(space.radices().begin(), space.radices().end());
  mlp.target = "drawn";
  mlp.first_width = width;
  const Philox random{seed, 77};
  std::uint64_t draw = 0;
  const auto fill = [&](std::vector<double>& values, std::size_t n, double size) {
    for (std::size_t i = 0; i < n; ++i) values.push_back((2 * random.uniform(draw++) - 1) * size);
  };
  const int rows = std::accumulate(mlp.radices.begin(), mlp.radices.end(), 0);
  fill(mlp.rows, static_cast<std::size_t>(rows) * width, 0.5);
  fill(mlp.first_bias, width, 0.3);
  for (const int outputs : {width, 1}) {
    Dense layer{width, outputs, {}, {}};
    fill(layer.weights, static_cast<std::size_t>(width) * outputs, std::sqrt(3.0 / width));
    fill(layer.bias, outputs, 0.1);
    mlp.layers.push_back(layer);
  }
  auto model = std::make_shared<const SpaceModel>(mlp);
  return {"drawn", "points", false, model,
          [mlp](std::span<const std::uint8_t> choices, std::span<double> values) { mlp.predict(choices, values); }};
}

TEST(Search, HugeSpaceIsRefusedWithARemedy) {
  const World world("fbnet");
  const auto problem = world.problem("proxy:pixel3", "model:macs");
  try {
    search_exhaustively(problem, std::vector<double>{10.0}, {}, Backend::cpu);
    FAIL() << "9^22 architectures were scored";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("evolutionary"), HasSubstr("annealing"), HasSubstr("exact")));
  }
  EvolutionSettings settings;
  settings.generations = 5;
  const auto found = search_evolutionarily(problem, std::vector<double>{18.0}, settings, Backend::cpu);
  EXPECT_LE(found.best[0].latency_ms, 18.0);
  EXPECT_GT(found.best[0].quality, 0);
}

// Objectives by kernels and objectives by the parts of the engine that they come from.
TEST(Objective, IsWhatItsSourceSays) {
  for (const auto* name : {"fbnet", "nasbench201", "ofa_mbv3"}) {
    const World world(name);
    const SearchProblem drawn{world.part, nullptr, world.objective("model:macs"), world.objective("model:parameters")};
    const auto choices = random_architectures(drawn, 50, 3);
    std::vector<double> macs(50), parameters(50);
    drawn.latency.evaluate(choices, macs);
    drawn.quality.evaluate(choices, parameters);
    const std::size_t width = world.space.n_decisions();
    for (int i = 0; i < 50; ++i) {
      const auto cost = world.space.cost(std::span(choices).subspan(i * width, width));
      EXPECT_EQ(macs[i], cost.macs) << name;
      EXPECT_EQ(parameters[i], cost.parameters) << name;
    }
  }
  const World ofa("ofa_mbv3");
  const auto note10 = ofa.objective("table:note10");
  const auto at = [&](const std::string& text) {
    double value = 0;
    note10.evaluate(ofa.space.parse(text), std::span(&value, 1));
    return value;
  };
  const std::string blocks = "|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3";
  EXPECT_TRUE(std::isnan(at("r=128" + blocks))) << "no table below 160 pixels";
  EXPECT_GT(at("r=224" + blocks), at("r=160" + blocks));
  EXPECT_THROW(ofa.objective("table:note11"), Error);
  EXPECT_THROW(ofa.objective("predictor:nothing"), Error);
  EXPECT_THROW(ofa.objective("guess"), Error);
}

TEST(Search, PartsAreSearchedExhaustively) {
  const World world("fbnet");
  auto problem = world.problem("proxy:pixel3", "model:macs");
  problem.quality = random_mlp(world.space, 24, 5);
  SubSpace part(world.space);
  for (int layer = 0; layer < 17; ++layer) part.fix("layer " + std::to_string(layer) + "=k3_e6");
  const SearchProblem small{part, problem.data, problem.latency, problem.quality};
  ASSERT_EQ(part.size(), ArchIndex{59049});
  std::vector<std::uint8_t> all;
  for (ArchIndex i = 0; i < part.size(); ++i) {
    const auto choices = part.choices(i);
    all.insert(all.end(), choices.begin(), choices.end());
  }
  std::vector<double> latency(59049), quality(59049);
  small.latency.evaluate(all, latency);
  small.quality.evaluate(all, quality);
  const auto truth = exact_front(latency, quality, Backend::cpu);
  const double limit = quantile(latency, 0.4);
  for (const auto precision : {Precision::fp64, Precision::fp32}) {
    ExhaustiveSettings settings;
    settings.precision = precision;
    const auto found = search_exhaustively(small, std::vector<double>{limit, 0.0}, settings, Backend::cpu);
    EXPECT_THAT(found.certainty, HasSubstr("exact: 59049 architectures, all of them"));
    ASSERT_EQ(found.front.size(), truth.size());
    for (std::size_t i = 0; i < truth.size(); ++i) {
      EXPECT_EQ(found.front[i].choices, part.choices(static_cast<ArchIndex>(truth[i].row)));
      EXPECT_EQ(found.front[i].latency_ms, truth[i].latency_ms);
    }
    EXPECT_EQ(found.best[0].quality, best_within(truth, limit)->quality);
    EXPECT_TRUE(found.best[1].choices.empty());
  }
  // bf16 scores may be anything near: it is said, or it is exact.
  ExhaustiveSettings fast;
  fast.precision = Precision::bf16;
  const auto found = search_exhaustively(small, std::vector<double>{limit}, fast, Backend::cpu);
  if (found.certainty.rfind("exact", 0) == 0) {
    EXPECT_EQ(found.best[0].quality, best_within(truth, limit)->quality);
  } else {
    EXPECT_THAT(found.certainty, HasSubstr("best found"));
  }

  // A random part of a huge space: distinct, and the same for the same seed.
  ExhaustiveSettings sample;
  sample.count = 20000;
  sample.shuffled = true;
  const auto some = search_exhaustively(problem, std::vector<double>{limit}, sample, Backend::cpu);
  EXPECT_EQ(some.n_evaluated, 20000);
  EXPECT_EQ(search_exhaustively(problem, std::vector<double>{limit}, sample, Backend::cpu).best[0].choices,
            some.best[0].choices);
  sample.seed = 2;
  EXPECT_NE(search_exhaustively(problem, std::vector<double>{limit}, sample, Backend::cpu).front[0].choices,
            some.front[0].choices);
}

TEST(Annealing, FindsTheOptimumOfAPartAndIsRepeatable) {
  const World world("fbnet");
  SubSpace part(world.space);
  for (int layer = 0; layer < 16; ++layer) part.fix("layer " + std::to_string(layer) + "=k5_e3");
  const SearchProblem problem{part, &*world.data, world.objective("proxy:pixel3"), random_mlp(world.space, 16, 9)};
  const std::vector<double> limits = {17.0, 19.0, 1.0};
  const auto truth = search_exhaustively(problem, limits, {}, Backend::cpu);
  AnnealingSettings settings;
  settings.chains = 16;
  settings.steps = 400;
  const auto found = search_by_annealing(problem, limits, settings, Backend::cpu);
  set_thread_count(1);
  const auto again = search_by_annealing(problem, limits, settings, Backend::cpu);
  set_thread_count(0);
  for (int l = 0; l < 3; ++l) {
    EXPECT_EQ(found.best[l].choices, truth.best[l].choices) << "limit " << limits[l];
    EXPECT_EQ(found.best[l].choices, again.best[l].choices);
  }
  EXPECT_TRUE(found.best[2].choices.empty()) << "no network is that fast";
  EXPECT_EQ(found.n_evaluated, again.n_evaluated);
  EXPECT_THAT(found.certainty, HasSubstr("best found"));
}

// By brute force: among all pairs of decisions no change improves.
TEST(Exchange, ImprovesUntilNoPairDoes) {
  const World world("nasbench201");
  const SearchProblem problem{world.part, &*world.data, world.objective("proxy:pixel3"), random_mlp(world.space, 8, 2)};
  const double limit = 8;
  Solution start{world.space.choices(0), 0, 0};
  problem.latency.evaluate(start.choices, std::span(&start.latency_ms, 1));
  problem.quality.evaluate(start.choices, std::span(&start.quality, 1));
  ASSERT_LE(start.latency_ms, limit);
  double before = start.quality;
  for (const int digits : {1, 2}) {
    const auto result = improve_by_exchange(problem, start, limit, digits, Precision::fp32, Backend::cpu);
    EXPECT_TRUE(result.exact);
    EXPECT_EQ(result.digits, digits);
    EXPECT_GT(result.improvements, 0);
    EXPECT_GE(result.solution.quality, before);
    before = result.solution.quality;
    for (ArchIndex i = 0; i < world.space.size(); ++i) {
      const auto other = world.space.choices(i);
      int changed = 0;
      for (int d = 0; d < 6; ++d) changed += other[d] != result.solution.choices[d];
      if (changed > digits) continue;
      double latency, quality;
      problem.latency.evaluate(other, std::span(&latency, 1));
      problem.quality.evaluate(other, std::span(&quality, 1));
      if (latency <= limit) {
        EXPECT_LE(quality, result.solution.quality);
      }
    }
    // 15 pairs of 25, or 6 of 5.
    EXPECT_EQ(result.n_certificate, digits == 1 ? 30 : 375);
  }
}

TEST(Neighbours, DifferInOneDecision) {
  const auto space = SearchSpace::load("ofa_mbv3");
  SubSpace part(space);
  const Neighbours neighbours(part);
  EXPECT_EQ(neighbours.free_digits().size(), 6u);
  for (const std::uint32_t value : {0u, 80u, 81u, 810u, 7370u}) {
    const auto& digit = space.digits()[2];
    int expected = 0;
    for (std::uint32_t other = 0; other < digit.radix; ++other) {
      int changed = 0;
      for (int i = 0; i < 4; ++i) changed += digit.values[4 * value + i] != digit.values[4 * other + i];
      expected += changed == 1;
    }
    EXPECT_EQ(neighbours.of(2, value).size(), static_cast<std::size_t>(expected)) << value;
    for (const auto other : neighbours.of(2, value)) {
      int changed = 0;
      for (int i = 0; i < 4; ++i) changed += digit.values[4 * value + i] != digit.values[4 * other + i];
      EXPECT_EQ(changed, 1);
    }
  }
}

}  // namespace
}  // namespace oneproxy
