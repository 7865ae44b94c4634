#include "oneproxy/engine/adapt/gaussian_process/bayes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "oneproxy/engine/adapt/design/proposal.h"
#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/rank/rank.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Made-up devices: each weighs the physical features in its own way.
struct Fleet {
  SearchSpace space;
  ArchitectureFeatures features;
  std::vector<std::uint8_t> choices;  // [n, decisions]
  std::vector<std::vector<double>> devices;

  explicit Fleet(const std::string& name, int n = 300, double noise = 0.01)
      : space(SearchSpace::load(name)), features(space) {
    const Philox random{3, 0};
    std::uint64_t draw = 0;
    for (int i = 0; i < n; ++i)
      for (const auto radix : space.radices()) choices.push_back(random.below(draw++, radix));
    const auto rows = features.rows(choices);
    const int columns = features.layout().n_columns(), physical = features.physics().n_columns();
    for (int d = 0; d < 5; ++d) {
      std::vector<double> latency;
      for (int i = 0; i < n; ++i) {
        double y = 10;
        for (int j = 0; j < physical; ++j)
          y += (0.5 + std::sin(3.0 * d + j)) * rows.blocks[i * columns + j] * (j == 0 ? 2 : 0.5);
        latency.push_back(std::max(y, 1.0) * (1 + noise * (random.uniform(draw++) - 0.5)));
      }
      devices.push_back(latency);
    }
  }

  std::vector<SourceDevice> sources(int count) const {
    std::vector<SourceDevice> all;
    for (int d = 0; d < count; ++d) all.push_back({"device" + std::to_string(d), choices, devices[d]});
    return all;
  }
  BayesModel model(int count, const BayesOptions& options = {}) const {
    std::vector<SourcePredictor> predictors;
    for (const auto& source : sources(count)) predictors.push_back(fit_source(features, source));
    return {features, predictors, options};
  }
  std::vector<double> z(const BayesModel& m, const std::vector<std::int64_t>& rows) const {
    return m.design(features.pick(features.rows(choices), rows));
  }
  std::vector<double> latency(int device, const std::vector<std::int64_t>& rows) const {
    std::vector<double> y;
    for (const auto row : rows) y.push_back(devices[device][row]);
    return y;
  }
  double srcc(const BayesModel& m, const AdaptedBayes& adapted, int device) const {
    return spearman(m.latency_ms(adapted, features.rows(choices)), devices[device], Backend::cpu).value;
  }
};

std::vector<std::int64_t> first(int n) {
  std::vector<std::int64_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

TEST(Bayes, RanksAFreshDeviceFromTwentySamples) {
  for (const char* name : {"fbnet", "nasbench201"}) {
    const Fleet fleet(name);
    const auto model = fleet.model(4);
    const auto rows = first(20);
    const auto adapted = model.adapt(fleet.z(model, rows), fleet.latency(4, rows));
    EXPECT_GT(fleet.srcc(model, adapted, 4), 0.95) << name;
    EXPECT_THAT(adapted.remarks, IsEmpty());
  }
}

TEST(Bayes, LatencyIsInMilliseconds) {
  const Fleet fleet("fbnet");
  const auto model = fleet.model(4);
  const auto rows = first(40);
  const auto adapted = model.adapt(fleet.z(model, rows), fleet.latency(4, rows));
  const auto predicted = model.latency_ms(adapted, fleet.features.rows(fleet.choices));
  const auto deviation = model.deviation_ms(adapted, fleet.z(model, first(300)));
  double error = 0, spread = 0, mean = 0, within = 0;
  for (int i = 0; i < 300; ++i) mean += fleet.devices[4][i] / 300;
  for (int i = 0; i < 300; ++i) {
    error += std::pow(predicted[i] - fleet.devices[4][i], 2);
    spread += std::pow(fleet.devices[4][i] - mean, 2);
    within += std::abs(predicted[i] - fleet.devices[4][i]) < 3 * deviation[i] + 0.3;
  }
  EXPECT_LT(error, 0.1 * spread);
  EXPECT_GT(within, 285);  // of 300
}

TEST(Bayes, ExportsATableOfWeightsWhereFeaturesAddUp) {
  const Fleet additive("fbnet"), by_resolution("ofa_mbv3");
  const auto rows = first(15);
  for (const int i : {0, 1, 2, 3}) {
    const Fleet& fleet = i < 2 ? additive : by_resolution;
    BayesOptions options;
    options.split_sources = i % 2;
    const auto model = fleet.model(4, options);
    const auto adapted = model.adapt(fleet.z(model, rows), fleet.latency(4, rows));
    const auto table = model.additive_table(adapted);
    EXPECT_EQ(table.n_tables(), i < 2 ? 1 : 25);
    const auto expected = model.latency_ms(adapted, fleet.features.rows(fleet.choices));
    std::vector<double> scores(expected.size());
    table.predict(fleet.choices, scores);
    for (std::size_t j = 0; j < scores.size(); ++j) EXPECT_NEAR(scores[j], expected[j], 1e-9 * std::abs(expected[j]));
    EXPECT_THAT(error_of([&] { model.index_table(adapted); }), HasSubstr("use the table of weights"));
  }
}

TEST(Bayes, ExportsATableOfASmallSpace) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(4);
  const auto rows = first(15);
  const auto adapted = model.adapt(fleet.z(model, rows), fleet.latency(4, rows));
  const auto table = model.index_table(adapted);
  ASSERT_EQ(table.values.size(), 15625u);
  const auto expected = model.latency_ms(adapted, fleet.features.rows(fleet.choices));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto index = fleet.space.index(std::span(fleet.choices).subspan(i * 6, 6));
    EXPECT_NEAR(table.values[static_cast<std::size_t>(index)], expected[i], 1e-9);
  }
  EXPECT_THAT(error_of([&] { model.additive_table(adapted); }), HasSubstr("do not add up"));
}

// The score through folded weights is the score through Z.
TEST(Bayes, FoldedWeightsAgreeWithTheDesignMatrix) {
  for (const bool split : {false, true}) {
    BayesOptions options;
    options.split_sources = split;
    const Fleet fleet("nasbench201");
    const auto model = fleet.model(4, options);
    const auto rows = first(12);
    const auto adapted = model.adapt(fleet.z(model, rows), fleet.latency(4, rows));
    const auto folded = model.latency_ms(adapted, fleet.features.rows(fleet.choices));
    const auto z = fleet.z(model, first(300));
    for (int i = 0; i < 300; ++i) {
      double score = adapted.offset;
      for (std::size_t j = 0; j < adapted.weights.size(); ++j)
        score += z[i * adapted.weights.size() + j] * adapted.weights[j];
      EXPECT_NEAR(folded[i], adapted.mean_ms + adapted.deviation_ms * score, 1e-9);
    }
  }
}

TEST(Bayes, BlocksHaveUnitLength) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(4);
  const auto z = model.design(fleet.features.reference());
  const auto& layout = model.layout();
  const std::int64_t n = fleet.features.reference().n;
  for (int c = 0; c < layout.n_blocks(); ++c) {
    double squares = 0;
    for (std::int64_t i = 0; i < n; ++i)
      for (int j = layout.begin[c]; j < layout.begin[c + 1]; ++j) squares += std::pow(z[i * layout.n_columns() + j], 2);
    EXPECT_NEAR(squares / n, 1, 1e-9) << layout.names[c];
  }
}

TEST(Bayes, OneOutlierOfAHundredTimesChangesLittle) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(4);
  const auto rows = first(20);
  auto y = fleet.latency(4, rows);
  y[7] *= 100;
  const auto adapted = model.adapt(fleet.z(model, rows), y);
  EXPECT_THAT(adapted.outliers, ElementsAre(7));
  EXPECT_THAT(adapted.remarks, IsEmpty());
  auto failed = y;  // the places are those of the latencies given
  failed[2] = kNan;
  EXPECT_THAT(model.adapt(fleet.z(model, rows), failed).outliers, ElementsAre(7));
  EXPECT_GT(fleet.srcc(model, adapted, 4), 0.9);
  EXPECT_LT(adapted.mean_ms, 30);
}

TEST(Bayes, SaysThatLatenciesLookLikeSeconds) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(4);
  const auto rows = first(20);
  auto y = fleet.latency(4, rows);
  for (double& v : y) v /= 1000;
  const auto adapted = model.adapt(fleet.z(model, rows), y);
  ASSERT_EQ(adapted.remarks.size(), 1u);
  EXPECT_THAT(adapted.remarks[0], HasSubstr("look like seconds"));
  EXPECT_GT(fleet.srcc(model, adapted, 4), 0.95);
}

TEST(Bayes, EqualLatenciesAndTooFewFallBackToTheSources) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(4);
  const auto rows = first(10);
  const auto equal = model.adapt(fleet.z(model, rows), std::vector<double>(10, 7.0));
  EXPECT_TRUE(equal.from_prior);
  EXPECT_THAT(equal.remarks.at(0), HasSubstr("all latencies are 7 ms"));
  EXPECT_TRUE(std::isnan(model.expected_srcc(equal).value));
  EXPECT_TRUE(std::isnan(model.expected_srcc(equal).probability(0.9)));
  const auto two = model.adapt(fleet.z(model, first(2)), fleet.latency(4, first(2)));
  EXPECT_TRUE(two.from_prior);
  EXPECT_THAT(two.remarks.at(0), HasSubstr("2 measurements are too few"));
  // It is the mean of the sources' z-scores that ranks.
  const auto mean = model.latency_ms(two, fleet.features.rows(fleet.choices));
  EXPECT_EQ(spearman(mean, model.latency_ms(equal, fleet.features.rows(fleet.choices)), Backend::cpu).value, 1);
  EXPECT_GT(spearman(mean, fleet.devices[0], Backend::cpu).value, 0.3);
  BayesOptions none;
  none.sources = false;
  const auto alone = fleet.model(4, none);
  const auto macs = alone.adapt(fleet.z(alone, first(1)), fleet.latency(4, first(1)));
  EXPECT_THAT(macs.remarks.at(0), HasSubstr("MACs"));
}

TEST(Bayes, DuplicatesAndFailuresAreNoTrouble) {
  const Fleet fleet("fbnet");
  const auto model = fleet.model(3);
  const std::vector<std::int64_t> rows = {0, 0, 0, 1, 1, 2, 3, 4};
  auto y = fleet.latency(4, rows);
  y[6] = kNan;
  const auto adapted = model.adapt(fleet.z(model, rows), y);
  EXPECT_FALSE(adapted.from_prior);
  for (const double v : model.latency_ms(adapted, fleet.features.rows(fleet.choices))) EXPECT_TRUE(std::isfinite(v));
}

TEST(Bayes, RefusesBadInputWithTheRemedy) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(3);
  EXPECT_THAT(error_of([&] {
                model.adapt(fleet.z(model, first(2)), std::vector<double>{1, -1});
              }),
              HasSubstr("should be positive"));
  EXPECT_THAT(error_of([&] { model.adapt(fleet.z(model, first(1)), std::vector<double>{kNan}); }),
              HasSubstr("no measurement that succeeded"));
  EXPECT_THAT(error_of([&] {
                fleet.features.rows(std::vector<std::uint8_t>{0, 0, 0, 0, 9, 0});
              }),
              HasSubstr("outside the space nasbench201"));
  EXPECT_THAT(error_of([&] { learn_prior(fleet.features, fleet.sources(2), {}, 1); }), HasSubstr("at least 3"));
  SourceDevice flat{"flat", fleet.choices, std::vector<double>(300, 2.0)};
  EXPECT_THAT(error_of([&] { fit_source(fleet.features, flat); }), HasSubstr("flat"));
}

// The estimate from the mean variance, and the draws, against what functions drawn from the posterior really show.
TEST(Bayes, ExpectedSrccAgreesWithSimulation) {
  const Fleet fleet("fbnet", 2000, 0.3);
  const auto model = fleet.model(4);
  const auto rows = first(20);
  const auto adapted = model.adapt(fleet.z(model, rows), fleet.latency(4, rows));
  const auto expected = model.expected_srcc(adapted);
  // Pearson 2 sin(pi S / 6) of two Gaussians: simulate the truth at the expected ratio of variances.
  const Philox random{9, 0};
  std::uint64_t draw = 0;
  auto normal = [&] {
    const double u = random.uniform(draw++), v = random.uniform(draw++);
    return std::sqrt(-2 * std::log(1 - u)) * std::cos(2 * M_PI * v);
  };
  const double rho = 2 * std::sin(M_PI * expected.value / 6);
  std::vector<double> score(20000), truth(20000);
  for (std::size_t i = 0; i < score.size(); ++i) {
    score[i] = normal();
    truth[i] = rho * score[i] + std::sqrt(1 - rho * rho) * normal();
  }
  EXPECT_NEAR(spearman(score, truth, Backend::cpu).value, expected.value, 0.01);
  EXPECT_LE(expected.low, expected.value + 0.05);
  EXPECT_GE(expected.high, expected.value - 0.05);
  EXPECT_GE(expected.probability(0), expected.probability(0.9));
  EXPECT_EQ(expected.probability(-1), 1);
  // And it is near what the made-up device shows.
  EXPECT_NEAR(expected.value, fleet.srcc(model, adapted, 4), 0.1);
}

TEST(Bayes, MoreMeasurementsAreExpectedToHelp) {
  const Fleet fleet("fbnet", 300, 0.2);
  const auto model = fleet.model(3);
  const auto rows = first(8);
  const auto adapted = model.adapt(fleet.z(model, rows), fleet.latency(4, rows));
  const auto expected = model.expected_srcc(adapted);
  std::vector<std::int64_t> more;
  for (int i = 100; i < 140; ++i) more.push_back(i);
  const auto z = fleet.z(model, more);
  EXPECT_NEAR(model.expected_srcc_with(adapted, {}), expected.value, 1e-6);
  const double ten = model.expected_srcc_with(adapted, std::span(z).first(10 * model.layout().n_columns()));
  const double all = model.expected_srcc_with(adapted, z);
  EXPECT_GT(ten, expected.value);
  EXPECT_GT(all, ten);
  // Advice: easy to reach, hard to reach, out of reach.
  const auto next = propose(model, Selection::a_optimal, 30, 1, {});
  const auto early = advise(model, adapted, expected, 0.1, 0.9, next);  // eight samples: two more at the least
  EXPECT_FALSE(early.stop);
  EXPECT_EQ(early.more, 2);
  const auto enough = model.adapt(fleet.z(model, first(12)), fleet.latency(4, first(12)));
  EXPECT_TRUE(advise(model, enough, model.expected_srcc(enough), 0.1, 0.9, next).stop);
  const auto later = advise(model, adapted, expected, (expected.value + all) / 2, 0.6, next);
  EXPECT_FALSE(later.stop);
  EXPECT_GT(later.more, 0);
  EXPECT_EQ(advise(model, adapted, expected, 0.99999, 0.9, next).more, -1);
}

TEST(Bayes, LearnsAPriorFromTheSourcesAndFromNothingElse) {
  const Fleet fleet("nasbench201", 120);
  BayesOptions options;
  const auto prior = learn_prior(fleet.features, fleet.sources(3), options, 1);
  const auto model = fleet.model(3);
  ASSERT_EQ(prior.log_mean.size(), model.prior().log_mean.size());
  // These devices are physical features and little noise: the prior has to find that.
  EXPECT_LT(prior.log_mean.back(), std::log(0.05));
  for (const double d : prior.deviation) EXPECT_GE(d, 1);
  const auto again = learn_prior(fleet.features, fleet.sources(3), options, 1);
  EXPECT_EQ(prior.log_mean, again.log_mean);
}

TEST(Proposal, IsDeterministicNewAndConnected) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(3);
  const auto some = propose(model, Selection::a_optimal, 12, 5, {});
  EXPECT_EQ(some, propose(model, Selection::a_optimal, 12, 5, {}));
  EXPECT_NE(some, propose(model, Selection::a_optimal, 12, 6, {}));
  const auto more = propose(model, Selection::a_optimal, 12, 5, some);
  for (int i = 0; i < 12; ++i) {
    const auto one = std::span(more).subspan(i * 6, 6);
    EXPECT_TRUE(fleet.features.physics().connected(one));
    for (int j = 0; j < 12; ++j) EXPECT_FALSE(std::equal(one.begin(), one.end(), some.begin() + j * 6));
  }
}

TEST(Method, AdaproxyBehindTheInterfaceIsAdaproxy) {
  const Fleet fleet("nasbench201", 300, 0.1);
  const Architectures all(fleet.features, fleet.choices);
  const auto method = make_adaproxy(fleet.features, fleet.sources(1), Norm::l2);
  const auto rows = first(24);
  const auto y = fleet.latency(4, rows);
  const auto adapted = method->adapt(all, rows, y);
  const auto proxy = fit_linear(fleet.space, fleet.choices, fleet.devices[0]);
  std::vector<double> predicted(300);
  proxy.predict(fleet.choices, predicted);
  double mean = 0, squares = 0;
  for (const double v : predicted) mean += v / 300;
  for (const double v : predicted) squares += (v - mean) * (v - mean) / 300;
  const int validation = adaproxy_validation(24), training = 24 - validation;
  const TrainingSamples train{{fleet.choices.begin(), fleet.choices.begin() + training * 6},
                              {y.begin(), y.begin() + training}};
  const ValidationSamples valid{{fleet.choices.begin() + training * 6, fleet.choices.begin() + 24 * 6},
                                {y.begin() + training, y.end()}};
  const auto direct = adapt_adaproxy(proxy, std::sqrt(squares), train, valid, Norm::l2).predictor;
  std::vector<double> expected(300);
  direct.predict(fleet.choices, expected);
  const auto got = adapted->latency_ms(all);
  for (int i = 0; i < 300; ++i) EXPECT_NEAR(got[i], expected[i], 1e-6 * expected[i]);
  std::vector<double> by_table(300);
  predict(adapted->space_model(), fleet.choices, by_table);
  for (int i = 0; i < 300; ++i) EXPECT_NEAR(by_table[i], got[i], 1e-9 * got[i]);
  EXPECT_FALSE(adapted->advice(0.9, 0.9, 8, {}, 1).has_value());
  EXPECT_TRUE(std::isnan(adapted->expected_srcc().value));
}

TEST(Method, BayesBehindTheInterface) {
  const Fleet fleet("nasbench201");
  const Architectures all(fleet.features, fleet.choices);
  const auto model = fleet.model(4);
  const auto method = make_bayes(model);
  const auto rows = first(20);
  const auto adapted = method->adapt(all, rows, fleet.latency(4, rows));
  EXPECT_GT(spearman(adapted->latency_ms(all), fleet.devices[4], Backend::cpu).value, 0.95);
  EXPECT_TRUE(std::holds_alternative<IndexTable>(adapted->space_model()));
  EXPECT_TRUE(adapted->adapted());
  EXPECT_TRUE(adapted->advice(0.5, 0.9, 8, {}, 1)->stop);
  EXPECT_GT(adapted->expected_srcc().value, 0.8);
}

}  // namespace
}  // namespace oneproxy
