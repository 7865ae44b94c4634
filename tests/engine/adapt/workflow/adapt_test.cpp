#include "oneproxy/engine/adapt/workflow/adapt.h"

#include <gmock/gmock.h>

#include <cmath>

#include "oneproxy/engine/adapt/workflow/plan.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A made-up device, measured in the order of a plan.
class AdaptTest : public testing::Test {
 protected:
  double latency(std::span<const std::uint8_t> one) const {
    const auto rows = fleet_.features.rows(one);
    double y = 10;
    for (int j = 0; j < fleet_.features.physics().n_columns(); ++j)
      y += (0.5 + std::sin(12.0 + j)) * rows.blocks[j] * (j == 0 ? 2 : 0.5);
    return std::max(y, 1.0);
  }

  // The i-th measurement takes factor(i) times as long.
  template <class Factor>
  MeasuredArchitectures measure(const Plan& plan, const Factor& factor) const {
    MeasuredArchitectures measured;
    measured.choices = plan.choices;
    const auto n = plan.choices.size() / 6;
    measured.repeats.resize(n);
    measured.lines.resize(n);
    for (std::size_t i = 0; i < plan.measurements.size(); ++i) {
      const auto architecture = plan.measurements[i].architecture;
      const double ms = latency(std::span(plan.choices).subspan(architecture * 6, 6)) * factor(static_cast<double>(i));
      measured.repeats[architecture].push_back(ms);
      measured.lines[architecture].push_back(static_cast<std::int64_t>(i));
    }
    for (auto own : measured.repeats) {
      std::sort(own.begin(), own.end());
      measured.latency_ms.push_back(own[own.size() / 2]);
    }
    return measured;
  }
  MeasuredArchitectures measure(int k) const {
    return measure(plan(sources_, {.k = k}), [](double) { return 1.0; });
  }
  double srcc(const AdaptReport& report) const {
    std::vector<double> truth;
    for (int i = 0; i < 300; ++i) truth.push_back(latency(std::span(fleet_.choices).subspan(i * 6, 6)));
    return spearman(predict(report, fleet_.choices).values, truth, Backend::cpu).value;
  }

  const Fleet fleet_{"nasbench201"};
  const Sources sources_{fleet_.shared_features, fleet_.sources(3)};
};

TEST_F(AdaptTest, ReportsAPredictorThatRanksAndHowSureItIs) {
  const auto report = adapt(sources_, measure(20), {});
  EXPECT_EQ(report.space, "nasbench201");
  EXPECT_EQ(report.method, "bayes");
  EXPECT_EQ(report.prior, "learnt");
  EXPECT_THAT(report.sources, ElementsAre("device0", "device1", "device2"));
  EXPECT_EQ(report.n_known, 20);
  EXPECT_TRUE(report.adapted());
  EXPECT_GT(srcc(report), 0.97);
  EXPECT_TRUE(report.expected.low <= report.expected.value && report.expected.value <= report.expected.high);
  EXPECT_EQ(report.probability, report.expected.probability(0.9));
  ASSERT_TRUE(report.advice);
  EXPECT_TRUE(report.advice->stop);
  EXPECT_FALSE(report.drift);
  EXPECT_THAT(report.scattered, IsEmpty());
  EXPECT_THAT(report.outliers, IsEmpty());
  EXPECT_THAT(report.remarks, IsEmpty());
}

TEST_F(AdaptTest, AdvisesMoreWhereItIsNotSure) {
  const auto report = adapt(sources_, measure(6), {.threshold = 0.999});
  ASSERT_TRUE(report.advice);
  EXPECT_FALSE(report.advice->stop);
  EXPECT_TRUE(report.advice->more == -1 || report.advice->more >= 4);  // ten at the least
}

TEST_F(AdaptTest, OutlivesItsSourcesAndPredictsBesideWhatWasMeasured) {
  std::optional<AdaptReport> report;
  {
    const Fleet other("nasbench201");
    report = adapt(Sources(other.shared_features, other.sources(3)), measure(20), {});
  }
  const auto at = predict(*report, fleet_.choices);
  EXPECT_EQ(at.choices, fleet_.choices);
  EXPECT_EQ(at.values.size(), 300u);
  for (const double deviation : at.deviations) EXPECT_GT(deviation, 0);
  const auto own = predict(*report, report->measured.choices);
  EXPECT_EQ(own.measured, report->measured.latency_ms);
  std::vector<std::uint8_t> unmeasured(fleet_.choices.begin(), fleet_.choices.begin() + 6);
  EXPECT_TRUE(std::isnan(predict(*report, unmeasured).measured[0]));
}

TEST_F(AdaptTest, DriftIsSeenAndDividedOut) {
  const auto made = plan(sources_, {.k = 16, .reference_every = 3});
  const auto drifting = measure(made, [](double i) { return 1 + 0.05 * i; });
  const auto as_it_is = adapt(sources_, drifting, {});
  ASSERT_TRUE(as_it_is.drift);
  EXPECT_TRUE(as_it_is.drift->notable);
  EXPECT_FALSE(as_it_is.drift->divided_out);
  EXPECT_LT(as_it_is.drift->min_factor, 0.8);
  EXPECT_GT(as_it_is.drift->max_factor, 1.2);
  ASSERT_EQ(as_it_is.scattered.size(), 1u);  // the reference
  EXPECT_EQ(as_it_is.scattered[0].architecture, 0);
  const auto divided = adapt(sources_, drifting, {.divide_out_drift = true});
  EXPECT_TRUE(divided.drift->divided_out);
  EXPECT_THAT(divided.scattered, IsEmpty());
  EXPECT_GT(srcc(divided), srcc(as_it_is));
  EXPECT_NE(divided.measured.latency_ms, drifting.latency_ms);
  EXPECT_THAT(error_of([&] { adapt(sources_, measure(8), {.divide_out_drift = true}); }),
              HasSubstr("the measurements: to divide out the drift takes"));
}

TEST_F(AdaptTest, OutliersScatterAndWrongUnitsAreRows) {
  auto measured = measure(20);
  measured.latency_ms[7] *= 100;
  measured.repeats[3] = {1, 2, 3};
  measured.latency_ms[3] = 2;
  const auto report = adapt(sources_, measured, {});
  ASSERT_EQ(report.outliers.size(), 1u);
  EXPECT_EQ(report.outliers[0].architecture, 7);
  EXPECT_EQ(report.outliers[0].value, measured.latency_ms[7]);
  EXPECT_GT(report.outliers[0].times_median, 20);
  ASSERT_EQ(report.scattered.size(), 1u);
  EXPECT_EQ(report.scattered[0].architecture, 3);
  EXPECT_EQ(report.scattered[0].min, 1);
  EXPECT_EQ(report.scattered[0].max, 3);
  auto seconds = measure(20);
  for (double& v : seconds.latency_ms) v /= 1000;
  ASSERT_EQ(adapt(sources_, seconds, {}).remarks.size(), 1u);
  EXPECT_EQ(adapt(sources_, seconds, {}).remarks[0].kind, Remark::Kind::looks_like_seconds);
}

TEST_F(AdaptTest, TooFewMeasurementsAreSaidAndRankBySources) {
  const auto report = adapt(sources_, measure(2), {});
  EXPECT_FALSE(report.adapted());
  EXPECT_THAT(report.why_not_adapted, HasSubstr("2 measurements are too few"));
  EXPECT_FALSE(report.advice);
  EXPECT_TRUE(std::isnan(report.probability));
  EXPECT_THAT(error_of([&] { recorded_predictor(report, "phone"); }), HasSubstr("measure more"));
}

TEST_F(AdaptTest, RepeatsOfAProgramAreLatenciesToo) {
  auto measured = measure(20);
  measured.repeats[3].push_back(0);  // the median is none the worse
  EXPECT_THAT(error_of([&] { adapt(sources_, measured, {}); }), HasSubstr("repeat of architecture 3 is 0 ms"));
}

TEST_F(AdaptTest, AModelCarriesItsRecord) {
  auto measured = measure(20);
  measured.files = {{"a.csv", "12ab"}, {"b.csv", "34cd"}};
  const auto report = adapt(sources_, measured, {.method = MethodChoice("bayes")});
  const auto model = recorded_predictor(report, "phone");
  const auto& table = std::get<IndexTable>(model);
  EXPECT_EQ(table.target, "latency on phone");
  EXPECT_EQ(table.unit, "ms");
  EXPECT_EQ(std::get<std::string>(table.record.at("measurements_sha256")), "12ab, 34cd");
  EXPECT_EQ(std::get<std::string>(table.record.at("source")), "a.csv, b.csv, 20 measurements, bayes");
  EXPECT_EQ(std::get<std::string>(table.record.at("prior")), "learnt");
  EXPECT_EQ(std::get<double>(table.record.at("expected_srcc")), report.expected.value);
}

TEST_F(AdaptTest, ARateIsAdaptedAsATimeAndAnsweredAsARate) {
  auto measured = measure(20);
  measured.quantity = {"throughput", "throughput", "images/s", Direction::maximise};  // the times of an image are in
  measured.repeats[3] = {2, 4};
  measured.latency_ms[3] = 2;
  const auto report = adapt(sources_, measured, {});
  EXPECT_THAT(report.remarks, IsEmpty());
  ASSERT_EQ(report.scattered.size(), 1u);
  EXPECT_EQ(report.scattered[0].min, 250);
  EXPECT_EQ(report.scattered[0].max, 500);
  const auto at = predict(report, fleet_.choices);
  std::vector<double> truth;
  for (int i = 0; i < 300; ++i) truth.push_back(1000 / latency(std::span(fleet_.choices).subspan(i * 6, 6)));
  EXPECT_GT(spearman(at.values, truth, Backend::cpu).value, 0.95);
  EXPECT_NEAR(predict(report, report.measured.choices).measured[0], 1000 / measured.latency_ms[0], 1e-9);

  const auto model = recorded_predictor(report, "tpu");
  const auto& table = std::get<IndexTable>(model);
  EXPECT_EQ(table.target, "throughput on tpu");
  EXPECT_EQ(table.unit, "images/s");
  EXPECT_EQ(recorded_direction(model), Direction::maximise);
  std::vector<double> values(300);
  predict(model, fleet_.choices, values);
  EXPECT_THAT(values, testing::Pointwise(testing::DoubleNear(1e-6), at.values));
  EXPECT_EQ(measured_device(report, "tpu").references.n(), 20);  // as the times of an image
}

TEST_F(AdaptTest, AnEnergyKeepsItsUnitAndIsNoLatencyOfTheDevice) {
  auto measured = measure(20);
  measured.quantity = {"energy", "energy", "mJ", Direction::minimise};
  for (double& value : measured.latency_ms) value *= 1e-3;
  const auto report = adapt(sources_, measured, {});
  EXPECT_THAT(report.remarks, IsEmpty()) << "the sources are in ms, which says nothing about mJ";
  const auto model = recorded_predictor(report, "phone");
  EXPECT_EQ(std::get<IndexTable>(model).unit, "mJ");
  EXPECT_EQ(recorded_direction(model), Direction::minimise);
  EXPECT_EQ(measured_device(report, "phone").references.n(), 0);

  auto devices = fleet_.sources(3);
  for (auto& device : devices) device.unit = "mJ";
  const auto remarks = adapt(Sources(fleet_.shared_features, devices), measured, {}).remarks;
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_THAT(remarks[0].text, HasSubstr("energy is some 1000 times below that of the sources: is it really in mJ?"));
  measured.repeats[3].push_back(1e16);
  EXPECT_THAT(error_of([&] { adapt(sources_, measured, {}); }), HasSubstr("repeat of architecture 3 is 1e+16 mJ"));
}

TEST_F(AdaptTest, AnotherMethodGoesTheSameWay) {
  const auto report = adapt(sources_, measure(30), {.method = MethodChoice("adaproxy")});
  EXPECT_EQ(report.method, "adaproxy");
  EXPECT_EQ(report.prior, "");
  EXPECT_FALSE(report.advice);
  EXPECT_TRUE(std::isnan(report.expected.value));
  EXPECT_GT(srcc(report), 0.5);
  const Sources none(fleet_.shared_features);
  EXPECT_THAT(error_of([&] { adapt(none, measure(30), {.method = MethodChoice("adaproxy")}); }),
              HasSubstr("adaproxy needs 1 source device"));
}

}  // namespace
}  // namespace oneproxy
