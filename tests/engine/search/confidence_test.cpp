#include "oneproxy/engine/search/confidence.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/predictor/cost_table.h"
#include "oneproxy/engine/search/methods/annealing.h"
#include "oneproxy/engine/search/methods/evolutionary.h"
#include "oneproxy/engine/search/methods/exact.h"
#include "oneproxy/engine/search/methods/exhaustive.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// FBNet, of which two layers of 9 choices each and three of 3 are free: 2,187 networks, all known to brute force.
class ConfidenceTest : public testing::Test {
 protected:
  ConfidenceTest() : part_(space_) {
    const auto& names = space_.radices();
    for (std::size_t layer = 5; layer < names.size(); ++layer) part_.fix("layer " + std::to_string(layer) + "=skip");
    for (const char* layer : {"layer 2", "layer 3", "layer 4"}) part_.fix(std::string(layer) + "=k3_e1|k3_e6|k5_e6");
    for (ArchIndex i = 0; i < part_.size(); ++i) {
      const auto own = part_.choices(i);
      all_.insert(all_.end(), own.begin(), own.end());
    }
  }

  AdditivePredictor table(std::uint64_t seed, double scale, double bias, double centre = 0.3) const {
    AdditivePredictor made{space_.name(), {space_.radices().begin(), space_.radices().end()}, "", "ms", {}, {bias}, {}};
    const Philox random{seed, 0};
    for (const auto radix : made.radices)
      for (int c = 0; c < radix; ++c) made.weights.push_back(scale * (random.uniform(made.weights.size()) - centre));
    return made;
  }

  Objective latency() const {
    auto objective = predicted_objective(table(1, 4, 10), space_, "latency on phone", "ms");
    objective.name = "latency_ms";
    std::vector<AdditivePredictor> factors;
    for (std::uint64_t r = 0; r < 5; ++r) factors.push_back(table(10 + r, 0.4, 0.1, 0.5));
    objective.posterior = std::make_shared<const Posterior>(Posterior{factors, {0.3, 12}, stated_calibration()});
    return objective;
  }
  Objective goal(const Objective& latency) const {
    auto quality = std::get<AdditivePredictor>(*latency.model);
    const auto other = table(3, 1.5, 0);
    for (std::size_t i = 0; i < quality.weights.size(); ++i) quality.weights[i] += other.weights[i];
    auto objective = predicted_objective(quality, space_, "quality", "");
    objective.name = "quality";
    objective.direction = Direction::maximise;
    return objective;
  }

  // That a share of the networks is predicted to keep.
  double limit_at(double share) const {
    std::vector<double> values(all_.size() / 22);
    latency().evaluate(all_, values);
    return quantile(values, share);
  }

  SearchQuestion question(double limit, int n_best = 1) const {
    SearchQuestion asked;
    asked.limits = {{{kNan, limit}}};
    asked.n_best = n_best;
    return asked;
  }

  // By looking at every network.
  std::vector<Solution> brute_force(const SearchProblem& problem, double confidence, double limit, int n_best) const {
    auto solutions = solve(problem, all_);
    std::vector<Solution> kept;
    for (const auto& one : solutions) {
      const auto bound = confident_values(problem.objectives[1], confidence, one.choices, std::span(&one.values[1], 1));
      if (bound[0] <= limit) kept.push_back(one);
    }
    const Limits limits{{kNan, limit}};
    return best_of(problem, kept, std::span(&limits, 1), n_best)[0];
  }

  const SearchSpace space_ = SearchSpace::load("fbnet");
  SubSpace part_;
  std::vector<std::uint8_t> all_;
  const ExactSearch exact_;
  const ExhaustiveSearch exhaustive_;
};

TEST_F(ConfidenceTest, BoundIsTheQuantile) {
  const auto objective = latency();
  double value = 0, spread = 0;
  const auto one = std::span(all_).first(22);
  objective.evaluate(one, std::span(&value, 1));
  objective.posterior->spreads(one, std::span(&value, 1), std::span(&spread, 1));
  const double z = objective.posterior->calibration.spreads(0.9);
  EXPECT_DOUBLE_EQ(confident_values(objective, 0.9, one, std::span(&value, 1))[0], value + z * spread);
  const auto kept = kept_limit(objective, one, value, value + z * spread);
  EXPECT_EQ(kept.deviation, spread);
  EXPECT_NEAR(kept.probability, 0.9, 0.006);
  EXPECT_TRUE(std::isnan(kept_limit(objective, one, value, kNan).probability));
  auto maximised = objective;
  maximised.direction = Direction::maximise;
  EXPECT_DOUBLE_EQ(confident_values(maximised, 0.9, one, std::span(&value, 1))[0], value - z * spread);
}

TEST_F(ConfidenceTest, FindsTheBestThatKeepsTheLimit) {
  const auto phone = latency();
  const SearchProblem problem{part_, nullptr, {goal(phone), phone}};
  int proven = 0, differ = 0;
  for (const double share : {0.05, 0.2, 0.5, 0.8})
    for (const double confidence : {0.5, 0.8, 0.9, 0.99}) {
      const double limit = limit_at(share);
      for (const SearchMethod* method : std::initializer_list<const SearchMethod*>{&exact_, &exhaustive_}) {
        Evaluator evaluator(problem, question(limit));
        const auto found = search_with_confidence(*method, evaluator, confidence);
        const auto expected = brute_force(problem, confidence, limit, 1);
        const std::string where = std::to_string(share) + " " + std::to_string(confidence) + " " + found.certainty;
        if (expected.empty()) {
          EXPECT_TRUE(found.best[0].empty()) << where;
          continue;
        }
        ASSERT_FALSE(found.best[0].empty()) << where;
        const double best = expected[0].values[0], own = found.best[0][0].values[0];
        EXPECT_LE(
            confident_values(phone, confidence, found.best[0][0].choices, std::span(&found.best[0][0].values[1], 1))[0],
            limit);
        // What is called exact is the best; else it says by how much at most another is better.
        if (found.certainty.starts_with("exact")) {
          ++proven;
          EXPECT_DOUBLE_EQ(own, best) << where;
        } else {
          ASSERT_THAT(found.certainty, HasSubstr("certified: ")) << where;
          const std::string before = "better by at most ";
          const auto gap = std::stod(found.certainty.substr(found.certainty.find(before) + before.size()));
          EXPECT_LE(best - own, gap * (1 + 1e-6)) << where;
        }
        Evaluator plain(problem, question(limit));
        differ += method->search(plain).best[0][0].values[0] != best;
      }
    }
  EXPECT_GT(proven, 8);
  EXPECT_GT(differ, 8);  // limits on the prediction would have answered something else
}

TEST_F(ConfidenceTest, IsTheSearchItselfWithoutOne) {
  const auto phone = latency();
  const SearchProblem problem{part_, nullptr, {goal(phone), phone}};
  Evaluator one(problem, question(limit_at(0.5))), two(problem, question(limit_at(0.5)));
  const auto a = search_with_confidence(exact_, one, 0), b = exact_.search(two);
  EXPECT_EQ(a.best[0][0].choices, b.best[0][0].choices);
  EXPECT_EQ(a.certainty, b.certainty);
  EXPECT_EQ(one.n_evaluated(), two.n_evaluated());
}

TEST_F(ConfidenceTest, SeveralBestAllKeepTheLimit) {
  const auto phone = latency();
  const SearchProblem problem{part_, nullptr, {goal(phone), phone}};
  const double limit = limit_at(0.5);
  Evaluator evaluator(problem, question(limit, 5));
  const auto found = search_with_confidence(exact_, evaluator, 0.9);
  ASSERT_EQ(found.best[0].size(), 5U);
  for (const auto& one : found.best[0])
    EXPECT_LE(confident_values(phone, 0.9, one.choices, std::span(&one.values[1], 1))[0], limit);
  EXPECT_EQ(found.best[0][0].choices, brute_force(problem, 0.9, limit, 1)[0].choices);
}

TEST_F(ConfidenceTest, MethodsThatProveNothingKeepTheLimitToo) {
  const auto phone = latency();
  const SearchProblem problem{part_, nullptr, {goal(phone), phone}};
  const double limit = limit_at(0.5);
  auto asked = question(limit);
  asked.budget.evaluations = 600;
  Config config = Config::defaults();
  for (const auto& kind : {annealing_method(), evolutionary_method()}) {
    Evaluator evaluator(problem, asked);
    const auto found = search_with_confidence(*kind.read(config), evaluator, 0.9);
    ASSERT_FALSE(found.best[0].empty()) << kind.name;
    EXPECT_LE(confident_values(phone, 0.9, found.best[0][0].choices, std::span(&found.best[0][0].values[1], 1))[0],
              limit);
    EXPECT_THAT(found.certainty, HasSubstr("confidence 0.9, not proven"));
    EXPECT_LE(evaluator.n_evaluated(), searches_with_confidence(asked) * 900);
  }
}

// Tables by index are looked up, so that the answer is exact.
TEST_F(ConfidenceTest, OfTablesByIndex) {
  const auto cells = SearchSpace::load("nasbench201");
  const SubSpace part(cells);
  const std::vector<std::uint8_t> radices(cells.radices().begin(), cells.radices().end());
  const Philox random{5, 0};
  IndexTable values{cells.name(), radices, "", "ms", {}, {}}, deviations = values;
  for (std::uint64_t i = 0; i < 15625; ++i) {
    values.values.push_back(5 + 20 * random.uniform(i));
    deviations.values.push_back(3 * random.uniform(20000 + i));
  }
  auto phone = predicted_objective(values, cells, "latency on phone", "ms");
  phone.name = "latency_ms";
  phone.posterior = std::make_shared<const Posterior>(Posterior{deviations, {0.2, 10}, stated_calibration()});
  auto macs = predicted_objective(cost_table(cells, "model:macs"), cells, "MACs", "");
  macs.name = "quality";
  macs.direction = Direction::maximise;
  const SearchProblem problem{part, nullptr, {macs, phone}};
  Evaluator evaluator(problem, question(9));
  const auto found = search_with_confidence(exhaustive_, evaluator, 0.9);
  EXPECT_TRUE(found.certainty.starts_with("exact"));
  std::vector<std::uint8_t> all;
  for (ArchIndex i = 0; i < cells.size(); ++i) {
    const auto own = cells.choices(i);
    all.insert(all.end(), own.begin(), own.end());
  }
  const Solution* best = nullptr;
  const auto solutions = solve(problem, all);
  for (const auto& one : solutions)
    if (confident_values(phone, 0.9, one.choices, std::span(&one.values[1], 1))[0] <= 9 &&
        (!best || one.values[0] > best->values[0]))
      best = &one;
  ASSERT_TRUE(best);
  EXPECT_EQ(found.best[0][0].values[0], best->values[0]);
  EXPECT_EQ(found.best[0][0].values[1], [&] {  // the predicted value, not its bound
    double value = 0;
    phone.evaluate(found.best[0][0].choices, std::span(&value, 1));
    return value;
  }());
}

TEST_F(ConfidenceTest, ErrorsOverTheSpaceCountWhereAllOfItIsSearched) {
  auto phone = latency();
  Posterior both = *phone.posterior;
  both.over_space = calibration_of(std::vector<double>(50, 7), 5);
  phone.posterior = std::make_shared<const Posterior>(both);
  std::vector<Objective> objectives = {goal(phone), phone};
  calibrate_for_space(objectives);
  EXPECT_EQ(objectives[1].posterior->calibration.errors, both.over_space.errors);
  EXPECT_FALSE(objectives[0].posterior);
  objectives = {goal(phone), phone};
  objectives[0].model.reset();  // known on the rows of a set only
  calibrate_for_space(objectives);
  EXPECT_EQ(objectives[1].posterior->calibration.errors, both.calibration.errors);
  both.over_space = {};  // of an index table
  objectives[0] = goal(phone);
  objectives[1].posterior = std::make_shared<const Posterior>(both);
  calibrate_for_space(objectives);
  EXPECT_EQ(objectives[1].posterior->calibration.errors, both.calibration.errors);
}

TEST_F(ConfidenceTest, NeedsAPosterior) {
  auto phone = latency();
  phone.posterior.reset();
  const SearchProblem problem{part_, nullptr, {goal(phone), phone}};
  Evaluator evaluator(problem, question(limit_at(0.5)));
  const auto error = error_of([&] { search_with_confidence(exact_, evaluator, 0.9); });
  EXPECT_THAT(error, HasSubstr("nothing is known of the errors of latency on phone"));
  EXPECT_THAT(error, HasSubstr("an adaptation by method bayes"));
}

}  // namespace
}  // namespace oneproxy
