#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/search/exchange.h"
#include "oneproxy/engine/search/front.h"
#include "oneproxy/engine/search/methods/annealing.h"
#include "oneproxy/engine/search/methods/evolutionary.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/engine/search/neighbours.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/front/pareto.h"
#include "tests/engine/error_of.h"
#include "tests/engine/search/world.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

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

TEST(Search, ExhaustiveIsTheBruteForceBest) {
  const World world("nasbench201");
  const auto problem = world.problem("metric:natsbench:cifar10", "device:pixel3");
  const std::vector<double> limits = {1e-9, 5, 12, 1e9};
  SearchQuestion question;
  question.limits = latency_limits(limits);
  question.n_best = 3;
  Evaluator evaluator(problem, question);
  const auto result = ExhaustiveSearch().search(evaluator);
  const auto latency = world.data->device("pixel3").values,
             quality = world.data->quality("metric:natsbench:cifar10").values;
  for (std::size_t l = 0; l < limits.size(); ++l) {
    std::vector<double> within;
    for (std::size_t i = 0; i < latency.size(); ++i)
      if (latency[i] <= limits[l]) within.push_back(quality[i]);
    std::sort(within.rbegin(), within.rend());
    ASSERT_EQ(result.best[l].size(), std::min<std::size_t>(within.size(), 3));
    for (std::size_t r = 0; r < result.best[l].size(); ++r) EXPECT_EQ(result.best[l][r].values[0], within[r]);
  }
  EXPECT_EQ(result.best_of(0), nullptr);
  EXPECT_EQ(evaluator.n_evaluated(), 15625);
  EXPECT_GT(result.front.size(), 10u);
}

TEST(Search, TheSetAndTheWholeSpaceAgreeWhereBothAreTheSpace) {
  // The proxy's predictor and MACs cover the space by index, the rows of the set are the space in another order.
  const World world("nasbench201");
  const auto problem = world.problem("model:macs", "proxy:pixel3");
  ASSERT_TRUE(problem.covers_space());
  const auto whole = run(ExhaustiveSearch(), problem, latency_limits({5, 12}));
  const auto& choices = world.data->rows().choices;
  const std::size_t n = world.data->n();
  const auto front =
      exact_front(values_of(problem.objectives[1], choices, n), values_of(problem.goal(), choices, n), Backend::cpu);
  ASSERT_EQ(front.size(), whole.front.size());
  for (std::size_t i = 0; i < front.size(); ++i)
    EXPECT_THAT(whole.front[i].values, testing::ElementsAre(front[i].quality, front[i].latency_ms));
}

// Every method of the registry: repeatable on any number of threads, within the limits, never above the truth, and
// counted by the evaluator.
TEST(SearchMethods, KeepTheContract) {
  const World world("nasbench201");
  const auto problem = world.problem("model:macs", "proxy:pixel3");
  const auto limits = latency_limits({-1e9, 8, 15});
  const auto truth = run(ExhaustiveSearch(), problem, limits, 1, 4);
  for (const auto& kind : search_methods()) {
    SCOPED_TRACE(kind.name);
    Config config = Config::defaults();
    const auto method = kind.read(config);
    SearchQuestion question;
    question.limits = limits;
    question.n_best = 4;
    question.starts = random_starts(problem, limits.size());
    Evaluator evaluator(problem, question), again(problem, question);
    const auto found = method->search(evaluator);
    set_thread_count(1);
    const auto second = method->search(again);
    set_thread_count(0);
    EXPECT_GT(evaluator.n_evaluated(), 0);
    EXPECT_LE(evaluator.n_evaluated(), kind.name == "exact" ? 1 << 20 : 15625) << "distinct ones";
    EXPECT_EQ(evaluator.n_evaluated(), again.n_evaluated());
    ASSERT_EQ(found.best.size(), limits.size());
    EXPECT_TRUE(found.best[0].empty()) << "nothing is that fast";
    for (std::size_t l = 1; l < limits.size(); ++l) {
      ASSERT_EQ(found.best[l].size(), 4u);
      for (std::size_t r = 0; r < 4; ++r) {
        EXPECT_EQ(found.best[l][r].choices, second.best[l][r].choices);
        EXPECT_LE(found.best[l][r].values[1], limits[l].bounds[1]);
        EXPECT_LE(found.best[l][r].values[0], truth.best[l][r].values[0]);
        if (kind.proves) {
          EXPECT_EQ(found.best[l][r].values[0], truth.best[l][r].values[0]);
        }
      }
      EXPECT_GT(found.best[l][0].values[0], 0.5 * truth.best[l][0].values[0]) << "it searches";
    }
    EXPECT_THAT(found.certainty, HasSubstr(kind.proves || kind.name == "auto" ? "exact" : "best found"));
  }
  EXPECT_THROW(search_method("anealing"), Error);
}

TEST(SearchMethods, KeepToTheirBudget) {
  const World world("nasbench201");
  const auto problem = world.problem("model:macs", "proxy:pixel3");
  for (const auto& kind : search_methods()) {
    if (!kind.takes_evaluations || kind.name == "auto") continue;  // auto_test.cpp: here it is exact and evaluates none
    SCOPED_TRACE(kind.name);
    for (const std::int64_t evaluations : {300, 2000, 20000}) {  // the last is more than there are
      Config config = Config::defaults();
      SearchQuestion question;
      question.limits = latency_limits({8, 15});
      question.budget.evaluations = evaluations;
      question.starts = random_starts(problem, question.limits.size());
      Evaluator evaluator(problem, question);
      const auto found = kind.read(config)->search(evaluator);
      EXPECT_LE(evaluator.n_evaluated(), evaluations + 120) << "one step of all chains, or one generation";
      EXPECT_GE(evaluator.n_evaluated(), std::min<std::int64_t>(evaluations / 2, 500));
      EXPECT_NE(found.best_of(1), nullptr);
    }
  }
}

// A metric to be minimised is as good as latency, and a cost may be what is maximised.
TEST(Search, DirectionsAreTheObjectivesOwn) {
  const World world("nasbench201");
  const auto parameters = world.objective("model:parameters", Direction::minimise);
  const auto macs = world.objective("model:macs", Direction::maximise);
  // The fewest parameters at 2e7 multiply-accumulates or more.
  const SearchProblem problem{world.part, nullptr, {parameters, macs}};
  const std::vector<Limits> limits = {{{kNan, 2e7}}};
  std::vector<std::uint8_t> all;
  for (ArchIndex i = 0; i < world.space.size(); ++i) {
    const auto choices = world.space.choices(i);
    all.insert(all.end(), choices.begin(), choices.end());
  }
  const auto p = values_of(parameters, all, 15625), m = values_of(macs, all, 15625);
  double fewest = 1e18;
  for (int i = 0; i < 15625; ++i)
    if (m[i] >= 2e7) fewest = std::min(fewest, p[i]);
  for (const auto& kind : search_methods()) {
    SCOPED_TRACE(kind.name);
    Config config = Config::defaults();
    const auto found = run(*kind.read(config), problem, limits);
    ASSERT_NE(found.best_of(0), nullptr);
    EXPECT_GE(found.best_of(0)->values[0], fewest);
    if (kind.proves || kind.name == "annealing") {
      EXPECT_EQ(found.best_of(0)->values[0], fewest);
    }
    EXPECT_GE(found.best_of(0)->values[1], 2e7);
    for (std::size_t i = 1; i < found.front.size(); ++i)
      EXPECT_GT(found.front[i - 1].values[1], found.front[i].values[1]);
  }
}

// Three objectives and several limits at once, by brute force over the whole space.
TEST(Search, ThreeObjectives) {
  const World world("nasbench201");
  SearchProblem problem{world.part,
                        nullptr,
                        {random_mlp(world.space, 12, 4), world.objective("proxy:pixel3", Direction::minimise),
                         world.objective("model:parameters", Direction::minimise)}};
  const double parameters = 400000;
  const std::vector<Limits> limits = {
      {{kNan, 10, parameters}}, {{kNan, 10, kNan}}, {{kNan, kNan, parameters}}, {{kNan, -1e9, kNan}}};
  for (const bool additive : {false, true}) {
    if (additive) problem.objectives[0] = world.objective("proxy:raspi4", Direction::maximise);
    std::vector<std::uint8_t> all;
    for (ArchIndex i = 0; i < world.space.size(); ++i) {
      const auto choices = world.space.choices(i);
      all.insert(all.end(), choices.begin(), choices.end());
    }
    std::vector<std::vector<double>> v;
    for (const auto& objective : problem.objectives) v.push_back(values_of(objective, all, 15625));
    std::vector<double> best(limits.size(), -1e18);
    std::set<std::vector<double>> front;
    for (int i = 0; i < 15625; ++i) {
      for (std::size_t l = 0; l < limits.size(); ++l)
        if (!(v[1][i] > limits[l].bounds[1]) && !(v[2][i] > limits[l].bounds[2])) best[l] = std::max(best[l], v[0][i]);
    }
    for (const auto i : pareto_front(v[1], v[0], v[2])) front.insert({v[0][i], v[1][i], v[2][i]});
    for (const auto& kind : search_methods()) {
      if (kind.name == "exact" && !additive) continue;
      SCOPED_TRACE(kind.name);
      Config config = Config::defaults();
      const auto found = run(*kind.read(config), problem, limits);
      EXPECT_EQ(found.best_of(3), nullptr);
      for (std::size_t l = 0; l < 3; ++l) {
        ASSERT_NE(found.best_of(l), nullptr) << l;
        EXPECT_TRUE(limits[l].allow(problem, found.best_of(l)->values));
        EXPECT_LE(found.best_of(l)->values[0], best[l]);
        if (kind.proves || kind.name == "annealing") {
          EXPECT_EQ(found.best_of(l)->values[0], best[l]) << l;
        }
      }
      if (kind.name != "exhaustive") continue;
      std::set<std::vector<double>> points;
      for (const auto& solution : found.front) points.insert(solution.values);
      EXPECT_EQ(points, front);
    }
  }
}

TEST(Evaluator, CountsEveryArchitectureOnce) {
  const World world("nasbench201");
  const auto problem = world.problem("metric:natsbench:cifar10", "device:pixel3");
  SearchQuestion question;
  question.limits = latency_limits({8});
  question.budget.evaluations = 4;
  Evaluator evaluator(problem, question);
  const auto& choices = world.data->rows().choices;
  evaluator.evaluate(std::span(choices).first(6 * 2));
  EXPECT_EQ(evaluator.n_evaluated(), 2);
  EXPECT_DOUBLE_EQ(evaluator.spent(), 0.5);
  evaluator.evaluate(std::span(choices).first(6 * 3));
  EXPECT_EQ(evaluator.n_evaluated(), 3);
  EXPECT_EQ(evaluator.evaluations_left(1), 1);
  EXPECT_TRUE(evaluator.n_evaluated_is_exact());
  // By kernels the same architectures are the same.
  const auto covered = world.problem("model:macs", "proxy:pixel3");
  Evaluator kernels(covered, question);
  const auto digits = world.part.digits(std::span(choices).first(6));
  kernels.goal_scores(digits, {{kernels.cost_score(1, digits)}});
  kernels.evaluate(std::span(choices).first(6 * 2));
  EXPECT_EQ(kernels.n_evaluated(), 2);
}

TEST(DistinctCounter, TellsLargeIndicesApart) {
  for (const ArchIndex size : {ArchIndex{1} << 40, ArchIndex{1} << 90}) {
    DistinctCounter counter(size);
    for (int round = 0; round < 2; ++round)
      for (std::uint64_t i = 0; i < 5000; ++i) {
        const ArchIndex index = (ArchIndex{i} * i * i) << (size >> 64 ? 40 : 0);
        EXPECT_EQ(counter.add(index), round == 0) << i;
      }
    EXPECT_EQ(counter.count(), 5000);
    EXPECT_TRUE(counter.exact());
    counter.add_untracked(10);
    EXPECT_EQ(counter.count(), 5010);
    EXPECT_FALSE(counter.exact());
  }
}

TEST(ObjectiveText, IsReadAsItIsWritten) {
  const auto energy = parse_objective("min table:energy.h5 <= 40, 5e1", "--objective");
  EXPECT_EQ(energy.what, "table:energy.h5");
  EXPECT_EQ(energy.name, "energy");
  EXPECT_EQ(energy.direction, Direction::minimise);
  EXPECT_THAT(energy.limits, testing::ElementsAre(40, 50));
  const auto accuracy = parse_objective("metric:natsbench:cifar10>=.9", "x");
  EXPECT_EQ(accuracy.name, "cifar10");
  EXPECT_EQ(accuracy.direction, Direction::maximise);
  EXPECT_FALSE(parse_objective("model:macs", "x").direction.has_value());
  for (const auto* bad : {"", "min", "min <= 3", "model:macs < 3", "model:macs <= x", "model:macs <= 3,",
                          "max model:macs <= 3", "min model:macs >= 3", "model:macs <= nan"})
    EXPECT_THAT(error_of([&] { parse_objective(bad, "--objective"); }), HasSubstr("--objective: objective")) << bad;
}

TEST(Search, HugeSpaceIsRefusedWithARemedy) {
  const World world("fbnet");
  const auto problem = world.problem("model:macs", "proxy:pixel3");
  EXPECT_THAT(error_of([&] { run(ExhaustiveSearch(), problem, latency_limits({10})); }),
              AllOf(HasSubstr("evolutionary"), HasSubstr("annealing"), HasSubstr("exact")));
  EvolutionSettings settings;
  settings.generations = 5;
  const auto found = run(EvolutionarySearch(settings), problem, latency_limits({18}));
  EXPECT_LE(found.best_of(0)->values[1], 18.0);
  EXPECT_GT(found.best_of(0)->values[0], 0);
}

// Objectives by kernels and objectives by the parts of the engine that they come from.
TEST(Objective, IsWhatItsSourceSays) {
  for (const auto* name : {"fbnet", "nasbench201", "ofa_mbv3"}) {
    const World world(name);
    const SearchProblem drawn{
        world.part,
        nullptr,
        {world.objective("model:macs", Direction::maximise), world.objective("model:parameters", Direction::minimise)}};
    const auto choices = random_architectures(drawn, 50, 3);
    const auto macs = values_of(drawn.objectives[0], choices, 50);
    const auto parameters = values_of(drawn.objectives[1], choices, 50);
    const std::size_t width = world.space.n_decisions();
    for (int i = 0; i < 50; ++i) {
      const auto cost = world.space.cost(std::span(choices).subspan(i * width, width));
      EXPECT_EQ(macs[i], cost.macs) << name;
      EXPECT_EQ(parameters[i], cost.parameters) << name;
    }
  }
  const World ofa("ofa_mbv3");
  const auto note10 = ofa.objective("table:note10", Direction::minimise);
  const auto at = [&](const std::string& text) {
    double value = 0;
    note10.evaluate(ofa.space.parse(text), std::span(&value, 1));
    return value;
  };
  const std::string blocks = "|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3";
  EXPECT_TRUE(std::isnan(at("r=128" + blocks))) << "no table below 160 pixels";
  EXPECT_GT(at("r=224" + blocks), at("r=160" + blocks));
  EXPECT_THROW(ofa.objective("table:note11", Direction::minimise), Error);
  EXPECT_THROW(ofa.objective("predictor:nothing", Direction::minimise), Error);
  EXPECT_THROW(ofa.objective("guess", Direction::minimise), Error);
  // Which way is better: as the store says, as the name says, or as is said.
  const World cells("nasbench201");
  const ObjectiveSources sources{cells.space, &*cells.data, cells.store.path(), "", Backend::cpu};
  EXPECT_TRUE(make_objective(sources, "metric:natsbench:cifar10", "x", std::nullopt).maximised());
  EXPECT_FALSE(make_objective(sources, "device:pixel3", "x", std::nullopt).maximised());
  EXPECT_TRUE(make_objective(sources, "model:macs", "x", Direction::maximise).maximised());
  EXPECT_THAT(error_of([&] { make_objective(sources, "metric:natsbench:cifar10", "latency", Direction::minimise); }),
              HasSubstr("is to be maximised"));
  // A network does not know it.
  const TemporaryFolder folder;
  const auto file = folder / "net.h5";
  save_predictor(file, *random_mlp(cells.space, 4, 1).model);
  EXPECT_TRUE(make_objective(sources, "predictor:" + file, "x", Direction::maximise).maximised());
  EXPECT_THAT(error_of([&] { make_objective(sources, "predictor:" + file, "x", std::nullopt); }),
              HasSubstr("which way a predictor is better"));
}

TEST(Search, PartsAreSearchedExhaustively) {
  const World world("fbnet");
  auto problem = world.problem("model:macs", "proxy:pixel3");
  problem.objectives[0] = random_mlp(world.space, 24, 5);
  SubSpace part(world.space);
  for (int layer = 0; layer < 17; ++layer) part.fix("layer " + std::to_string(layer) + "=k3_e6");
  const SearchProblem small{part, problem.data, problem.objectives};
  ASSERT_EQ(part.size(), ArchIndex{59049});
  std::vector<std::uint8_t> all;
  for (ArchIndex i = 0; i < part.size(); ++i) {
    const auto choices = part.choices(i);
    all.insert(all.end(), choices.begin(), choices.end());
  }
  const auto latency = values_of(small.objectives[1], all, 59049), quality = values_of(small.goal(), all, 59049);
  const auto truth = exact_front(latency, quality, Backend::cpu);
  const double limit = quantile(latency, 0.4);
  std::vector<double> within;
  for (std::size_t i = 0; i < latency.size(); ++i)
    if (latency[i] <= limit) within.push_back(quality[i]);
  std::sort(within.rbegin(), within.rend());
  const auto search = [&](Precision precision, const ExhaustiveSettings& settings, const SearchProblem& of,
                          std::uint64_t seed = 1, std::int64_t* evaluated = nullptr) {
    SearchQuestion question;
    question.limits = latency_limits({limit, 0.0});
    question.precision = precision;
    question.n_best = 5;
    question.seed = seed;
    Evaluator evaluator(of, question);
    auto result = ExhaustiveSearch(settings).search(evaluator);
    if (evaluated) *evaluated = evaluator.n_evaluated();
    return result;
  };
  for (const auto precision : {Precision::fp64, Precision::fp32}) {
    const auto found = search(precision, {}, small);
    EXPECT_THAT(found.certainty, HasSubstr("exact: 59049 architectures, all of them"));
    ASSERT_EQ(found.front.size(), truth.size());
    for (std::size_t i = 0; i < truth.size(); ++i) {
      EXPECT_EQ(found.front[i].choices, part.choices(static_cast<ArchIndex>(truth[i].row)));
      EXPECT_EQ(found.front[i].values[1], truth[i].latency_ms);
    }
    ASSERT_EQ(found.best[0].size(), 5u);
    for (int r = 0; r < 5; ++r) EXPECT_EQ(found.best[0][r].values[0], within[r]);
    EXPECT_TRUE(found.best[1].empty());
  }
  // bf16 scores may be anything near: it is said, or it is exact.
  const auto fast = search(Precision::bf16, {}, small);
  if (fast.certainty.rfind("exact", 0) == 0) {
    EXPECT_EQ(fast.best_of(0)->values[0], best_within(truth, limit)->quality);
  } else {
    EXPECT_THAT(fast.certainty, HasSubstr("best found"));
  }

  // A random part of a huge space: distinct, and the same for the same seed.
  ExhaustiveSettings sample;
  sample.count = 20000;
  sample.shuffled = true;
  std::int64_t evaluated = 0;
  const auto some = search(Precision::fp32, sample, problem, 1, &evaluated);
  EXPECT_EQ(evaluated, 20000);
  const std::string of = "20000 random architectures of " + to_decimal(problem.part.size());
  EXPECT_EQ(some.certainty, "exact among " + of);
  ExhaustiveSettings range;
  range.begin = 7;
  range.count = 100;
  EXPECT_EQ(search(Precision::fp32, range, problem).certainty,
            "exact among 100 architectures of " + to_decimal(problem.part.size()) + ", from 7 on");
  EXPECT_EQ(search(Precision::fp32, sample, problem).best_of(0)->choices, some.best_of(0)->choices);
  EXPECT_NE(search(Precision::fp32, sample, problem, 2).front[0].choices, some.front[0].choices);
}

TEST(Annealing, FindsTheOptimumOfAPartAndIsRepeatable) {
  const World world("fbnet");
  SubSpace part(world.space);
  for (int layer = 0; layer < 16; ++layer) part.fix("layer " + std::to_string(layer) + "=k5_e3");
  const SearchProblem problem{
      part, &*world.data, {random_mlp(world.space, 16, 9), world.objective("proxy:pixel3", Direction::minimise)}};
  const auto some = random_architectures(problem, 1000, 1);
  const auto latency = values_of(problem.objectives[1], some, 1000);
  const auto limits = latency_limits({quantile(latency, 0.2), quantile(latency, 0.6), 1.0});
  const auto truth = run(ExhaustiveSearch(), problem, limits);
  AnnealingSettings settings;
  settings.chains = 16;
  settings.steps = 400;
  const auto found = run(AnnealingSearch(settings), problem, limits);
  set_thread_count(1);
  const auto again = run(AnnealingSearch(settings), problem, limits);
  set_thread_count(0);
  for (int l = 0; l < 2; ++l) {
    ASSERT_TRUE(found.best_of(l) && truth.best_of(l) && again.best_of(l));
    EXPECT_EQ(found.best_of(l)->choices, truth.best_of(l)->choices) << "limit " << limits[l].text();
    EXPECT_EQ(found.best_of(l)->choices, again.best_of(l)->choices);
  }
  EXPECT_TRUE(found.best[2].empty()) << "no network is that fast";
  EXPECT_THAT(found.certainty, HasSubstr("best found"));
}

// By brute force: among all pairs of decisions no change improves.
TEST(Exchange, ImprovesUntilNoPairDoes) {
  const World world("nasbench201");
  const SearchProblem problem{
      world.part, &*world.data, {random_mlp(world.space, 8, 2), world.objective("proxy:pixel3", Direction::minimise)}};
  SearchQuestion question;
  question.limits = latency_limits({8});
  const Limits& limit = question.limits.front();
  Solution start = solve(problem, world.space.choices(0)).front();
  ASSERT_TRUE(limit.allow(problem, start.values));
  for (const int digits : {1, 2}) {
    Evaluator evaluator(problem, question);
    const auto result = improve_by_exchange(evaluator, start, 0, digits);
    EXPECT_TRUE(result.exact);
    EXPECT_EQ(result.digits, digits);
    EXPECT_GT(result.improvements, 0);
    EXPECT_GE(result.solution.values[0], start.values[0]);
    EXPECT_GT(evaluator.n_evaluated(), 0);
    EXPECT_LT(evaluator.n_evaluated(), 15625);
    start = result.solution;
    for (ArchIndex i = 0; i < world.space.size(); ++i) {
      const auto other = world.space.choices(i);
      int changed = 0;
      for (int d = 0; d < 6; ++d) changed += other[d] != result.solution.choices[d];
      if (changed > digits) continue;
      const auto one = solve(problem, other).front();
      if (limit.allow(problem, one.values)) {
        EXPECT_LE(one.values[0], result.solution.values[0]);
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
