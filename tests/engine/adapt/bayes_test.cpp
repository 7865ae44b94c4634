#include "oneproxy/engine/adapt/gaussian_process/bayes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "oneproxy/engine/adapt/design/advice.h"
#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/predictor/tabulation.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/rank/rank.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

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
    const auto table = std::get<AdditivePredictor>(model.predictor(adapted));
    EXPECT_EQ(table.n_tables(), i < 2 ? 1 : 25);
    const auto expected = model.latency_ms(adapted, fleet.features.rows(fleet.choices));
    std::vector<double> scores(expected.size());
    table.predict(fleet.choices, scores);
    for (std::size_t j = 0; j < scores.size(); ++j) EXPECT_NEAR(scores[j], expected[j], 1e-9 * std::abs(expected[j]));
    EXPECT_THAT(error_of([&] { Tabulation(fleet.space(), false); }), HasSubstr("use the table of weights"));
  }
}

TEST(Bayes, ExportsATableOfASmallSpace) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(4);
  const auto rows = first(15);
  const auto adapted = model.adapt(fleet.z(model, rows), fleet.latency(4, rows));
  const auto table = std::get<IndexTable>(model.predictor(adapted));
  ASSERT_EQ(table.values.size(), 15625u);
  const auto expected = model.latency_ms(adapted, fleet.features.rows(fleet.choices));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto index = fleet.space().index(std::span(fleet.choices).subspan(i * 6, 6));
    EXPECT_NEAR(table.values[static_cast<std::size_t>(index)], expected[i], 1e-9);
  }
}

// The score through folded weights is the score through Z.
TEST(Bayes, FoldedWeightsAgreeWithTheDesignMatrix) {
  for (const int i : {0, 1, 2, 3}) {
    BayesOptions options;
    options.split_sources = i % 2;
    if (i > 1) options.source_weights = {0.7, -0.1, 0.1, 0.3};
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

// What is expected of the target takes the place of the sources' mean: with too few measurements it is what ranks.
TEST(Bayes, TheExpectedMixtureOfSourcesRanksWithoutMeasurements) {
  const Fleet fleet("nasbench201");
  const auto rows = first(2);  // too few to adapt to
  for (const bool split : {false, true}) {
    BayesOptions options;
    options.split_sources = split;
    options.source_weights = {0, 0, 1, 0};
    const auto model = fleet.model(4, options);
    const auto adapted = model.adapt(fleet.z(model, rows), fleet.latency(4, rows));
    EXPECT_GT(fleet.srcc(model, adapted, 2), 0.995);
    EXPECT_LT(fleet.srcc(model, adapted, 0), 0.99);
    options.source_weights = {0.25, 0.25, 0.25, 0.25};  // the mean again
    BayesOptions without;
    without.split_sources = split;
    const auto mean = fleet.model(4, options), plain = fleet.model(4, without);
    const auto samples = first(12);
    const auto a = mean.latency_ms(mean.adapt(fleet.z(mean, samples), fleet.latency(4, samples)),
                                   fleet.features.rows(fleet.choices));
    const auto b = plain.latency_ms(plain.adapt(fleet.z(plain, samples), fleet.latency(4, samples)),
                                    fleet.features.rows(fleet.choices));
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-9 * b[i]);
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
  EXPECT_EQ(adapted.remarks[0].kind, Remark::Kind::looks_like_seconds);
  EXPECT_THAT(adapted.remarks[0].text, HasSubstr("look like seconds"));
  EXPECT_GT(fleet.srcc(model, adapted, 4), 0.95);
}

TEST(Bayes, EqualLatenciesAndTooFewFallBackToTheSources) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(4);
  const auto rows = first(10);
  const auto equal = model.adapt(fleet.z(model, rows), std::vector<double>(10, 7.0));
  EXPECT_TRUE(equal.from_prior);
  EXPECT_THAT(equal.remarks.at(0).text, HasSubstr("all measurements are 7"));
  EXPECT_TRUE(std::isnan(model.expected_srcc(equal).value));
  EXPECT_TRUE(std::isnan(model.expected_srcc(equal).probability(0.9)));
  const auto two = model.adapt(fleet.z(model, first(2)), fleet.latency(4, first(2)));
  EXPECT_TRUE(two.from_prior);
  EXPECT_THAT(two.remarks.at(0).text, HasSubstr("2 measurements are too few"));
  // It is the mean of the sources' z-scores that ranks.
  const auto mean = model.latency_ms(two, fleet.features.rows(fleet.choices));
  EXPECT_EQ(spearman(mean, model.latency_ms(equal, fleet.features.rows(fleet.choices)), Backend::cpu).value, 1);
  EXPECT_GT(spearman(mean, fleet.devices[0], Backend::cpu).value, 0.3);
  BayesOptions none;
  none.sources = false;
  const auto alone = fleet.model(4, none);
  const auto macs = alone.adapt(fleet.z(alone, first(1)), fleet.latency(4, first(1)));
  EXPECT_THAT(macs.remarks.at(0).text, HasSubstr("MACs"));
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

// A device that is one number but for some slips says nothing of how devices differ.
TEST(Bayes, ThereIsNoPriorToLearnFromConstantSources) {
  Fleet fleet("nasbench201");
  for (auto& device : fleet.devices) {
    std::fill(device.begin(), device.end(), 1.0);
    device[0] = 1e9;
  }
  EXPECT_THAT(error_of([&] { learn_prior(fleet.features, fleet.sources(3), {}, 1); }),
              AllOf(HasSubstr("no prior to learn"), HasSubstr("flat")));
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
  const SourceDevice flat{"flat", {fleet.choices, std::vector<double>(300, 2.0)}};
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
  SpaceCandidates candidates(fleet.space(), 1, 0);
  const auto next = choose_architectures(model, candidates, {}, 20, 1).choices;  // 30 with those to spare
  const auto early = advise(model, adapted, expected, 0.1, 0.9, next);           // eight samples: two more at the least
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

}  // namespace
}  // namespace oneproxy
