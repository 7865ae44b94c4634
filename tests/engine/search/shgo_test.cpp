#include "oneproxy/engine/search/methods/shgo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "oneproxy/engine/base/random_draws.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/search/coordinates.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/engine/search/simplicial_complex.h"
#include "oneproxy/engine/search/sobol.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "tests/engine/error_of.h"
#include "tests/engine/search/small_problem.h"
#include "tests/fixtures/shgo_cases.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;
constexpr double kNone = SmallProblem::kNoLimit;

TEST(SobolPoints, AreSciPys) {
  SobolPoints sobol(64);
  std::vector<std::vector<double>> points;
  for (int i = 0; i < 1024; ++i) points.push_back(sobol.next());
  EXPECT_EQ(points[0], std::vector<double>(64, 0.0));
  EXPECT_EQ(points[5], kSobolPoint5);
  EXPECT_EQ(points[100], kSobolPoint100);
  EXPECT_EQ(points[1023], kSobolPoint1023);
}

TEST(SobolPoints, FillEveryAxisEvenlyWhateverTheShift) {
  std::set<double> first;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    SobolPoints sobol(5, Philox{seed, 1});
    std::vector<std::vector<int>> counts(5, std::vector<int>(32, 0));
    for (int i = 0; i < 32; ++i) {
      const auto point = sobol.next();
      if (i == 0) first.insert(point[0]);
      for (int d = 0; d < 5; ++d) ++counts[d][static_cast<int>(point[d] * 32)];
    }
    for (const auto& axis : counts) EXPECT_THAT(axis, testing::Each(1)) << "one point in each of 32 parts";
  }
  EXPECT_EQ(first.size(), 4u);
  for (const int bad : {0, 65})
    EXPECT_THAT(error_of([&] { SobolPoints{bad}; }), AllOf(HasSubstr("64"), HasSubstr(std::to_string(bad))));
}

TEST(SimplicialComplex, HasSciPysMinimisers) {
  for (const auto& fixture : pool_fixtures()) {
    const SimplicialComplex complex(fixture.points, fixture.dimensions);
    EXPECT_THAT(complex.minimisers(fixture.values), testing::ElementsAreArray(fixture.minimisers))
        << fixture.dimensions << " dimensions, " << complex.n() << " points";
  }
}

TEST(SimplicialComplex, JoinsWhatEveryTriangulationJoins) {
  // A square and a point far to the right: the diagonals are a matter of choice, so neither is there.
  const SimplicialComplex square({0, 0, 1, 0, 1, 1, 0, 1, 9, 0.5}, 2);
  EXPECT_TRUE(square.joined(0, 1));
  EXPECT_TRUE(square.joined(3, 0));
  EXPECT_TRUE(square.joined(2, 4));
  EXPECT_FALSE(square.joined(0, 2));
  EXPECT_FALSE(square.joined(1, 3));
  const SimplicialComplex line({5, 1, 3, 2}, 1);
  EXPECT_TRUE(line.joined(1, 3));
  EXPECT_FALSE(line.joined(1, 2)) << "2 lies between 1 and 3";
  // Joined, though a third point lies in the smallest sphere through both: the centre is far below.
  const SimplicialComplex flat({-2, 0, 2, 0, 0, 1}, 2);
  EXPECT_TRUE(flat.joined(0, 1));
}

TEST(SimplicialComplex, PlateausHaveOneMinimiserAndWhatIsUnknownHasNone) {
  const SimplicialComplex line({0, 1, 2, 3, 4, 5}, 1);
  constexpr double inf = std::numeric_limits<double>::infinity();
  const auto minimisers = [&](std::vector<double> values) { return line.minimisers(values); };
  EXPECT_THAT(minimisers({1, 1, 1, 1, 1, 1}), testing::ElementsAre(0));
  EXPECT_THAT(minimisers({3, 2, 3, 1, 1, 2}), testing::ElementsAre(3, 1));
  EXPECT_THAT(minimisers({inf, inf, 7, inf, inf, inf}), testing::ElementsAre(2));
  EXPECT_THAT(minimisers(std::vector<double>(6, inf)), testing::IsEmpty());
  const SimplicialComplex single({4, 2}, 2);
  EXPECT_THAT(single.minimisers(std::vector<double>{1}), testing::ElementsAre(0));
}

TEST(Coordinates, AreArchitecturesAndBack) {
  const auto space = SearchSpace::load("ofa_mbv3");
  SubSpace part(space);
  part.fix("resolution=160|176");
  const DigitChoices choices(part);
  const auto fine = Coordinates::fine(choices), coarse = Coordinates::coarse(choices, 8);
  EXPECT_EQ(fine.n_axes(), 1 + 5 * (1 + 4));
  EXPECT_EQ(coarse.n_axes(), 1 + 5 * 2);
  RandomDraws draws(Philox{1, 2});
  for (int i = 0; i < 100; ++i) {
    std::vector<std::uint32_t> digits;
    for (const auto radix : part.radices()) digits.push_back(static_cast<std::uint32_t>(draws.below(radix)));
    EXPECT_EQ(fine.digits(fine.point(digits)), digits);
    Coordinates::Point point;
    for (const int size : coarse.sizes()) point.push_back(static_cast<int>(draws.below(size)));
    const auto alike = coarse.digits(point);
    ASSERT_TRUE(alike.has_value());
    EXPECT_EQ(coarse.point(*alike), point);
    const auto blocks = part.choices(*alike);
    for (const auto& stage : space.stages())
      for (int b = 1; b < stage.n_decisions; ++b)
        EXPECT_TRUE(blocks[stage.first_decision + b] == 0 ||
                    blocks[stage.first_decision + b] == blocks[stage.first_decision]);
  }
}

TEST(Coordinates, FollowTheSizeOfAnOperationAndTakeLayersTogether) {
  const auto space = SearchSpace::load("fbnet");
  SubSpace part(space);
  const DigitChoices choices(part);
  const auto coarse = Coordinates::coarse(choices, 8);
  EXPECT_LE(coarse.n_axes(), 11);  // 22 layers by threes, but for runs that a layer with other choices ends
  EXPECT_GE(coarse.n_axes(), 8);
  double before = -1;
  for (int c = 0; c < coarse.sizes()[0]; ++c) {
    Coordinates::Point point(coarse.n_axes(), 0);
    point[0] = c;
    const auto network = part.choices(*coarse.digits(point));
    EXPECT_EQ(network[0], network[1]);
    const double macs = space.decisions()[0].choices[network[0]].cost.macs;
    EXPECT_GE(macs, before);
    before = macs;
  }
  // What a part has not is no point of it.
  const auto stages = SearchSpace::load("ofa_mbv3");
  SubSpace uniform(stages);
  uniform.keep_uniform_stages();
  const DigitChoices of_uniform(uniform);
  const auto fine = Coordinates::fine(of_uniform);
  Coordinates::Point point(fine.n_axes(), 0);
  EXPECT_TRUE(fine.digits(point).has_value());
  point[2] = 1;  // the first block of the first stage differs from the others
  EXPECT_FALSE(fine.digits(point).has_value());
}

// SciPy's one iteration on the same functions of integers is no better than one round here.
TEST(Shgo, IsAsGoodAsSciPyOnIntegers) {
  for (const auto& fixture : integer_fixtures()) {
    SmallProblem world(fixture.sizes);
    world.add(Direction::minimise, fixture.values);
    world.add_function(Direction::minimise, [](const std::vector<std::uint8_t>& c) { return 1.0 + c[0]; });
    const Limits none{{kNone, kNone}};
    ShgoSettings settings;
    settings.points = fixture.points;
    settings.rounds = 1;
    for (const bool hierarchical : {false, true}) {
      settings.hierarchical = hierarchical;
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const auto once = search_with(ShgoSearch(settings), world.problem(), {none}, 0, seed);
        EXPECT_LE(once.result.best_of(0)->values[0], fixture.found) << "seed " << seed;
      }
    }
    EXPECT_EQ(search_with(ShgoSearch(), world.problem(), {none}).result.best_of(0)->values[0], world.optimum(none));
  }
}

double bumpy(const std::vector<std::uint8_t>& c) {
  double sum = 0;
  for (std::size_t d = 0; d < c.size(); ++d)
    sum += std::sqrt(1.0 + c[d]) * (1 + 0.1 * d) + 0.3 * ((c[d] + c[(d + 1) % c.size()]) % 3);
  return sum;
}

struct Bumpy : SmallProblem {
  explicit Bumpy(const std::vector<int>& sizes) : SmallProblem(sizes) {
    add_function(Direction::maximise, bumpy);
    for (const double slope : {0.17, -0.15})
      add_function(Direction::minimise, [slope](const std::vector<std::uint8_t>& c) {
        double sum = 2;
        for (std::size_t d = 0; d < c.size(); ++d) sum += c[d] * (1 + slope * d);
        return sum;
      });
  }
};

TEST(Shgo, FindsTheOptimumUnderSeveralLimits) {
  const Bumpy world({5, 4, 6, 3, 5});
  const std::vector<Limits> limits = {{{kNone, 4, kNone}}, {{kNone, 9, 8}},     {{kNone, 14, kNone}},
                                      {{kNone, kNone, 9}}, {{kNone, 1, kNone}}, {{kNone, kNone, kNone}}};
  const auto found = search_with(ShgoSearch(), world.problem(), limits);
  for (std::size_t l = 0; l < limits.size(); ++l) {
    if (l == 4) {
      EXPECT_EQ(found.result.best_of(l), nullptr) << "below the cheapest";
      continue;
    }
    ASSERT_NE(found.result.best_of(l), nullptr) << l;
    EXPECT_EQ(found.result.best_of(l)->values[0], world.optimum(limits[l])) << l;
  }
  EXPECT_LT(found.n_evaluated, world.size());
}

TEST(Shgo, KeepsItsBudgetToTheLastEvaluation) {
  const Bumpy world({5, 4, 6, 3, 5});
  const std::vector<Limits> limits = {{{kNone, 4, kNone}}, {{kNone, 9, kNone}}, {{kNone, 14, kNone}}};
  for (const std::int64_t budget : {1, 2, 17, 300}) {
    const auto found = search_with(ShgoSearch(), world.problem(), limits, budget);
    EXPECT_EQ(found.n_evaluated, budget);
    for (std::size_t l = 0; l < limits.size(); ++l) EXPECT_NE(found.result.best_of(l), nullptr) << "the cheapest one";
  }
  const auto all = search_with(ShgoSearch(), world.problem(), limits, 100 * world.size());
  EXPECT_LE(all.n_evaluated, world.size()) << "it ends where nothing new comes";
}

TEST(Shgo, WhatIsNotKnownIsNotFound) {
  Bumpy world({5, 4, 6, 3});
  // Cheap networks have no goal, then no network has a cost.
  auto& goal = world.objective(0);
  goal.evaluate = [evaluate = goal.evaluate](std::span<const std::uint8_t> choices, std::span<double> values) {
    evaluate(choices, values);
    for (std::size_t i = 0; i < values.size(); ++i)
      if (choices[4 * i] == 0) values[i] = kNone;
  };
  const Limits limits{{kNone, 8, kNone}};
  const auto found = search_with(ShgoSearch(), world.problem(), {limits});
  ASSERT_NE(found.result.best_of(0), nullptr);
  EXPECT_EQ(found.result.best_of(0)->values[0], world.optimum(limits));
  world.objective(1).evaluate = [](std::span<const std::uint8_t>, std::span<double> values) {
    std::fill(values.begin(), values.end(), kNone);
  };
  for (const std::int64_t budget : {0, 50}) {
    const auto nothing = search_with(ShgoSearch(), world.problem(), {limits}, budget);
    EXPECT_EQ(nothing.result.best_of(0), nullptr);
    EXPECT_EQ(nothing.n_evaluated, 0);
  }
}

TEST(Shgo, AFixedPartIsItsOwnAnswerAndTooManyDecisionsAreRefused) {
  Bumpy world({3, 2, 3});
  for (int d = 0; d < 3; ++d)
    world.part().restrict_digit(
        d, [](std::uint32_t value) { return value == 1; }, "test");
  const auto found = search_with(ShgoSearch(), world.problem(), {{{kNone, 100, kNone}}});
  EXPECT_EQ(found.n_evaluated, 1);
  EXPECT_EQ(found.result.best_of(0)->values[0], bumpy({1, 1, 1}));

  SmallProblem wide(std::vector<int>(65, 2));
  auto additive = [&](double step) {
    AdditivePredictor table;
    table.space = wide.part().space().name();
    table.radices.assign(65, 2);
    for (int d = 0; d < 65; ++d) table.weights.insert(table.weights.end(), {0.0, step * (d + 1)});
    table.bias = {1.0};
    const auto model = std::make_shared<const Predictor>(table);
    return Objective{
        "sum",
        "sum",
        "",
        Direction::minimise,
        false,
        model,
        [model](std::span<const std::uint8_t> choices, std::span<double> values) { predict(*model, choices, values); }};
  };
  const SearchProblem problem{wide.part(), nullptr, {additive(-1), additive(2)}};
  EXPECT_THAT(error_of([&] {
                search_with(ShgoSearch(), problem, {{{kNone, 100}}});
              }),
              AllOf(HasSubstr("65"), HasSubstr("64"), HasSubstr("coordinate_descent")));
}

TEST(Shgo, LearnsOnTheRowsOfASetOnAnyNumberOfThreads) {
  const Store store(shipped_store());
  const auto space = SearchSpace::load("nasbench201");
  const SubSpace part(space);
  const Measurements data(store, space, "help");
  const ObjectiveSources sources{space, &data, store.path(), "", Backend::cpu};
  const SearchProblem problem{part,
                              &data,
                              {make_objective(sources, "metric:natsbench:cifar10", "quality", Direction::maximise),
                               make_objective(sources, "device:pixel3", "latency", Direction::minimise)}};
  const std::vector<Limits> limits = {{{kNone, 5}}, {{kNone, 10}}, {{kNone, 15}}};
  const auto truth = search_with(ExhaustiveSearch(), problem, limits).result;
  set_thread_count(1);
  const auto found = search_with(ShgoSearch(), problem, limits, 1000);
  set_thread_count(4);
  const auto again = search_with(ShgoSearch(), problem, limits, 1000);
  set_thread_count(0);
  EXPECT_EQ(found.n_evaluated, 1000);
  EXPECT_EQ(again.n_evaluated, 1000);
  ASSERT_EQ(found.result.front.size(), again.result.front.size());
  for (std::size_t i = 0; i < found.result.front.size(); ++i)
    EXPECT_EQ(found.result.front[i].choices, again.result.front[i].choices);
  for (std::size_t l = 0; l < limits.size(); ++l) {
    EXPECT_LE(found.result.best_of(l)->values[1], limits[l].bounds[1]);
    EXPECT_GT(found.result.best_of(l)->values[0], truth.best_of(l)->values[0] - 0.5);
  }
}

TEST(Shgo, NearsTheExactOptimumOfAHugeSpace) {
  const Store store(shipped_store());
  const auto space = SearchSpace::load("fbnet");
  const SubSpace part(space);
  const Measurements data(store, space, "help");
  const ObjectiveSources sources{space, &data, store.path(), "", Backend::cpu};
  const SearchProblem problem{part,
                              &data,
                              {make_objective(sources, "model:macs", "quality", Direction::maximise),
                               make_objective(sources, "proxy:pixel3", "latency", Direction::minimise)}};
  const std::vector<Limits> limits = {{{kNone, 14}}, {{kNone, 18}}};
  const auto truth = search_with(ExactSearch(), problem, limits).result;
  const auto found = search_with(ShgoSearch(), problem, limits, 4000);
  for (std::size_t l = 0; l < limits.size(); ++l)
    EXPECT_GT(found.result.best_of(l)->values[0], 0.93 * truth.best_of(l)->values[0]);
}

}  // namespace
}  // namespace oneproxy
