#include "oneproxy/engine/adapt/method_registry.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "oneproxy/engine/adapt/adaproxy/adaproxy.h"
#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/engine/train/network.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

bool available(const AdaptationMethodKind& method) { return !method.needs_torch || torch_compiled(); }

std::unique_ptr<AdaptationMethod> make(const MethodChoice& choice, const Sources& sources) {
  return choice.settings().make(sources, choice.settings().learn(sources, 1), 1);
}

TEST(MethodRegistry, NamesAreDistinctAndDescribed) {
  std::set<std::string> names;
  for (const auto& method : adaptation_methods()) {
    EXPECT_TRUE(names.insert(method.name).second);
    EXPECT_FALSE(method.description.empty());
    EXPECT_EQ(&adaptation_method(method.name), &method);
  }
  EXPECT_THAT(error_of([] { adaptation_method("baies"); }), HasSubstr("bayes"));
}

// What commands and experiments rely on, whatever the method.
TEST(MethodRegistry, EveryMethodAdaptsAndOutlivesWhatItWasMadeFrom) {
  for (const auto& kind : adaptation_methods()) {
    if (!available(kind)) continue;
    SCOPED_TRACE(kind.name);
    const Fleet fleet("nasbench201");
    std::unique_ptr<AdaptedPredictor> predictor;
    std::vector<double> at_once;
    {
      const Fleet other("nasbench201");
      const MethodChoice choice(kind.name);
      const Sources sources(other.shared_features, other.sources(3));
      const auto method = make(choice, sources);
      const auto sheet = Fleet::data_sheet(4);
      predictor = method->adapt(other.samples(4, first(40)), &sheet);
      at_once = predictor->latency_ms({other.features, other.choices});
    }
    const Architectures all(fleet.features, fleet.choices);
    const auto latency = predictor->latency_ms(all);
    EXPECT_EQ(latency, at_once);
    // A data sheet knows nothing of what was measured.
    EXPECT_GT(spearman(latency, fleet.devices[4], Backend::cpu).value, kind.name == "data_sheet" ? -1 : 0.7);
    EXPECT_TRUE(predictor->adapted());
    std::vector<double> searched(latency.size());
    predict(predictor->predictor(), fleet.choices, searched);
    for (std::size_t i = 0; i < latency.size(); ++i) EXPECT_NEAR(searched[i], latency[i], 1e-9 * std::abs(latency[i]));
    const auto expected = predictor->expected_srcc();
    EXPECT_EQ(predictor->advice(0.5, 0.9, 8, {}, 1).has_value(), !std::isnan(expected.value));
    for (const double deviation : predictor->deviation_ms(all))
      EXPECT_EQ(std::isnan(deviation), std::isnan(expected.value));
  }
}

TEST(MethodRegistry, EveryMethodSaysHowManySourcesItNeeds) {
  const Fleet fleet("nasbench201");
  for (const auto& kind : adaptation_methods()) {
    if (!available(kind)) continue;
    const MethodChoice choice(kind.name);
    const Sources none(fleet.shared_features), enough(fleet.shared_features, fleet.sources(kind.min_sources));
    const auto error = error_of([&] { choice.require_sources(none); });
    if (kind.min_sources > 0) {
      EXPECT_THAT(error, HasSubstr(kind.name + " needs"));
    } else {
      EXPECT_EQ(error, "no error");
      EXPECT_GT(make(choice, none)->adapt(fleet.samples(4, first(20)))->latency_ms({fleet.features, fleet.choices})[0],
                0);
    }
    EXPECT_EQ(error_of([&] { choice.require_sources(enough); }), "no error");
    if (kind.min_sources < 2) continue;
    const Sources fewer(fleet.shared_features, fleet.sources(kind.min_sources - 1));
    EXPECT_THAT(error_of([&] { choice.require_sources(fewer); }),
                HasSubstr("and there are " + std::to_string(kind.min_sources - 1)));
  }
}

TEST(MethodRegistry, KeysBelongToOneMethodEach) {
  std::set<std::string> all;
  for (const auto& kind : adaptation_methods()) {
    Config config = Config::defaults();
    kind.default_settings()->read(config);
    for (const auto& key : config.keys()) EXPECT_TRUE(all.insert(key.name).second) << key.name;
  }
  EXPECT_TRUE(all.count("prior") && all.count("p") && all.count("hidden"));
}

// A file's keys are the defaults of its tasks, also for methods that only some of them use.
TEST(MethodRegistry, AChoiceReadsTheKeysOfAllAndIsCopiedWhole) {
  Config file = Config::load("", {"p=1", "prior=stated"});
  MethodChoice choice;
  choice.read(file);
  file.finish();
  EXPECT_EQ(choice.kind().name, "bayes");
  MethodChoice task = choice;
  Config table = Config::load("", {"method=adaproxy"});
  task.read(table);
  table.finish();
  EXPECT_EQ(task.kind().name, "adaproxy");
  EXPECT_EQ(choice.kind().name, "bayes");
  EXPECT_THAT(table.resolved(), HasSubstr("p = '1'"));
  EXPECT_THAT(table.resolved(), HasSubstr("prior = 'stated'"));
  const Fleet fleet("nasbench201");
  EXPECT_EQ(make(choice, Sources(fleet.shared_features, fleet.sources(1)))->prior(), "stated");
}

TEST(MethodRegistry, WhatThisBuildIsWithoutIsSaid) {
  if (torch_compiled()) GTEST_SKIP() << "built with LibTorch";
  EXPECT_THAT(error_of([] { MethodChoice("finetune").require_available("here"); }),
              testing::AllOf(HasSubstr("here: "), HasSubstr("LibTorch"), HasSubstr("bayes or adaproxy")));
}

// Of a method that says so, and of none else, a prediction needs no measurement.
TEST(MethodRegistry, PredictsFromNothingWhereItSaysSo) {
  const Fleet fleet("nasbench201");
  const Sources sources(fleet.shared_features, fleet.sources(4));
  const auto sheet = Fleet::data_sheet(4);
  MethodChoice with_sheet("bayes");
  Config config = Config::load("", {"use_data_sheet=true"});
  with_sheet.settings().read(config);
  std::vector<MethodChoice> choices = {with_sheet};
  for (const auto& kind : adaptation_methods())
    if (available(kind)) choices.emplace_back(kind.name);
  for (const auto& choice : choices) {
    SCOPED_TRACE(choice.kind().name);
    if (choice.kind().name == "finetune") continue;  // it says so when its samples are counted in training
    const auto method = make(choice, sources);
    if (choice.settings().min_measurements() == 0) {
      const auto latency = method->adapt({}, &sheet)->latency_ms({fleet.features, fleet.choices});
      for (const double v : latency) EXPECT_TRUE(std::isfinite(v));
    } else {
      EXPECT_NE(error_of([&] { method->adapt({}, &sheet); }), "no error");
    }
  }
}

TEST(MethodRegistry, ADataSheetThatIsMissingIsSaid) {
  const Fleet fleet("nasbench201");
  const Sources sources(fleet.shared_features, fleet.sources(3));
  auto bare = fleet.sources(3);
  bare[1].data_sheet.reset();
  const Sources without(fleet.shared_features, bare);
  MethodChoice with_sheet("bayes");
  Config config = Config::load("", {"use_data_sheet=true"});
  with_sheet.settings().read(config);
  for (const auto& choice : {MethodChoice("data_sheet"), with_sheet}) {
    EXPECT_EQ(error_of([&] { choice.require_data_sheets(sources, true); }), "no error");
    EXPECT_THAT(error_of([&] { choice.require_data_sheets(sources, false); }),
                testing::AllOf(HasSubstr("data sheet of the target"), HasSubstr("a data sheet FILE.toml")));
    EXPECT_THAT(error_of([&] { choice.require_data_sheets(without, true); }), HasSubstr("none of device1"));
    EXPECT_THAT(error_of([&] { make(choice, sources)->adapt(fleet.samples(4, first(10))); }),
                HasSubstr("data sheet of the target"));
  }
  EXPECT_EQ(error_of([&] { MethodChoice("pca").require_data_sheets(without, false); }), "no error");
}

TEST(DataSheetMethod, SaysWhenTheTargetIsUnlikeAllSources) {
  const Fleet fleet("nasbench201");
  MethodChoice with_sheet("bayes");
  Config config = Config::load("", {"use_data_sheet=true"});
  with_sheet.settings().read(config);
  for (const auto& choice : {MethodChoice("data_sheet"), with_sheet}) {
    const auto method = make(choice, Sources(fleet.shared_features, fleet.sources(4)));
    for (const auto& samples : {TargetSamples(), fleet.samples(4, first(10))}) {
      auto sheet = Fleet::data_sheet(1);
      EXPECT_TRUE(method->adapt(samples, &sheet)->remarks().empty());
      sheet.cores = 1e7;
      const auto remarks = method->adapt(samples, &sheet)->remarks();
      ASSERT_EQ(remarks.size(), 1u);
      EXPECT_THAT(remarks[0].text,
                  testing::AllOf(HasSubstr("the nearest, device"), HasSubstr("standard deviations away")));
    }
  }
}

// Measurements set the scale of what a data sheet predicts, and not the ranking.
TEST(DataSheetMethod, IsBroughtToTheScaleOfTheMeasurements) {
  const Fleet fleet("nasbench201");
  const auto method = make(MethodChoice("data_sheet"), Sources(fleet.shared_features, fleet.sources(4)));
  const auto sheet = Fleet::data_sheet(4);
  const Architectures all(fleet.features, fleet.choices);
  const auto before = method->adapt({}, &sheet)->latency_ms(all);
  auto measured = fleet.samples(4, first(30));
  for (double& v : measured.values) v *= 50;
  const auto after = method->adapt(measured, &sheet)->latency_ms(all);
  EXPECT_EQ(spearman(before, after, Backend::cpu).value, 1);
  double mean = 0, expected = 0;
  for (int i = 0; i < 30; ++i) mean += after[i] / 30, expected += measured.values[i] / 30;
  EXPECT_NEAR(mean, expected, 1e-9 * expected);
}

TEST(PcaMethod, SaysWhenItCanNotAdapt) {
  const Fleet fleet("nasbench201");
  const auto method = make(MethodChoice("pca"), Sources(fleet.shared_features, fleet.sources(4)));
  EXPECT_THAT(method->adapt(fleet.samples(4, first(2)))->why_not_adapted(), HasSubstr("2 measurements are too few"));
  auto equal = fleet.samples(4, first(5));
  std::fill(equal.values.begin(), equal.values.end(), 3.0);
  EXPECT_THAT(method->adapt(equal)->why_not_adapted(), HasSubstr("all measurements are 3"));
  EXPECT_EQ(method->adapt(fleet.samples(4, first(3)))->why_not_adapted(), "");
}

TEST(BayesMethod, SaysWhereItsPriorComesFrom) {
  const Fleet fleet("nasbench201", 120);
  const MethodChoice choice("bayes");
  EXPECT_EQ(make(choice, Sources(fleet.shared_features, fleet.sources(3)))->prior(), "learnt");
  EXPECT_THAT(make(choice, Sources(fleet.shared_features, fleet.sources(2)))->prior(), HasSubstr("flat (a learnt one"));
}

TEST(BayesMethod, AblationsLeaveOutWhatTheySay) {
  const Fleet fleet("nasbench201");
  const Sources sources(fleet.shared_features, fleet.sources(2));
  const auto ablations = MethodChoice("bayes").settings().ablations();
  ASSERT_EQ(ablations.size(), 3u);
  for (const auto& [name, settings] : ablations) {
    const auto method = settings->make(sources, settings->learn(sources, 1), 1);
    const auto& blocks = method->model()->layout().names;
    const bool has_sources = std::count(blocks.begin(), blocks.end(), "S") > 0;
    const bool has_physics = std::count(blocks.begin(), blocks.end(), "P_mac") > 0;
    EXPECT_EQ(has_sources, name == "without physics") << name;
    EXPECT_EQ(has_physics, name == "without sources") << name;
  }
}

// A space may be all but measured: nobody is refused for want of 64 further architectures.
TEST(BayesMethod, AdvisesWhereFewArchitecturesAreLeft) {
  const Fleet fleet("nasbench201");
  const Sources sources(fleet.shared_features, fleet.sources(2));
  std::vector<std::uint8_t> known;
  for (ArchIndex i = 3; i < fleet.space().size(); ++i) {
    const auto one = fleet.space().choices(i);
    known.insert(known.end(), one.begin(), one.end());
  }
  const auto adapted = make(MethodChoice("bayes"), sources)->adapt(fleet.samples(4, first(6)));
  const auto advice = adapted->advice(0.999, 0.9, 64, known, 1);
  ASSERT_TRUE(advice);
  EXPECT_FALSE(advice->stop);
  EXPECT_EQ(advice->more, -1);
}

TEST(AdaproxyMethod, IsAdaproxyWithTheLastMeasurementsForLambda) {
  const Fleet fleet("nasbench201", 300, 0.1);
  const Sources sources(fleet.shared_features, fleet.sources(1));
  auto measured = fleet.samples(4, first(24));
  const auto [choices, y] = static_cast<const Samples&>(measured);
  measured.add(std::vector<std::uint8_t>(6, 1), std::nan(""));  // failed
  const auto adapted = make(MethodChoice("adaproxy"), sources)->adapt(measured);

  const auto proxy = fit_linear(fleet.space(), fleet.choices, fleet.devices[0]);
  std::vector<double> predicted(300);
  proxy.predict(fleet.choices, predicted);
  double mean = 0, squares = 0;
  for (const double v : predicted) mean += v / 300;
  for (const double v : predicted) squares += (v - mean) * (v - mean) / 300;
  const TrainingSamples training{{choices.begin(), choices.begin() + 18 * 6}, {y.begin(), y.begin() + 18}};
  const ValidationSamples validation{{choices.begin() + 18 * 6, choices.end()}, {y.begin() + 18, y.end()}};
  const auto direct = adapt_adaproxy(proxy, std::sqrt(squares), training, validation, Norm::l2).predictor;
  std::vector<double> expected(300);
  direct.predict(fleet.choices, expected);
  const auto got = adapted->latency_ms({fleet.features, fleet.choices});
  for (int i = 0; i < 300; ++i) EXPECT_NEAR(got[i], expected[i], 1e-6 * expected[i]);
}

// Latencies between the ends of the range, for the target and for the sources: a predictor of finite values or one
// line, never an assertion.
TEST(MethodRegistry, ExtremeLatenciesAreAdaptedToOrRefused) {
  using Latency = double (*)(int);
  const Latency mixed = [](int i) { return i % 2 ? 1e9 : 1e-9; };
  const Latency wide = [](int i) { return std::pow(10.0, i * 37 % 19 - 9); };
  const Latency slip = [](int i) { return i == 7 ? 1e9 : 1e-9 * (1 + i); };
  const Latency close = [](int i) { return 1e9 - 1e-7 * (i % 3); };
  for (const auto& kind : adaptation_methods()) {
    if (!available(kind)) continue;
    for (const Latency of_target : {mixed, wide, slip, close}) {
      for (const Latency of_sources : {Latency{}, mixed, wide, slip}) {
        if (of_sources && of_target != mixed) continue;
        Fleet fleet("nasbench201");
        for (int i = 0; i < 300; ++i) {
          fleet.devices[4][i] = of_target(i);
          for (int d = 0; of_sources && d < 3; ++d) fleet.devices[d][i] = of_sources(i * (d + 1));
        }
        try {
          const Sources sources(fleet.shared_features, fleet.sources(3));
          const auto sheet = Fleet::data_sheet(4);
          const auto predictor = make(MethodChoice(kind.name), sources)->adapt(fleet.samples(4, first(40)), &sheet);
          for (const double v : predictor->latency_ms({fleet.features, fleet.choices})) ASSERT_TRUE(std::isfinite(v));
        } catch (const Error&) {
        }
      }
    }
  }
}

TEST(MethodRegistry, WhatIsNoLatencyIsRefused) {
  for (const auto& kind : adaptation_methods()) {
    if (!available(kind)) continue;
    const Fleet fleet("nasbench201");
    const auto method = make(MethodChoice(kind.name), Sources(fleet.shared_features, fleet.sources(3)));
    for (const double bad : {5e-324, 0.9e-12, 1.1e15, 1e300, HUGE_VAL, 0.0, -1.0}) {
      auto samples = fleet.samples(4, first(40));
      samples.values[3] = bad;
      const auto sheet = Fleet::data_sheet(4);
      EXPECT_THAT(error_of([&] { method->adapt(samples, &sheet); }), HasSubstr("is the unit right?"))
          << kind.name << bad;
      Fleet other("nasbench201");
      other.devices[1][3] = bad;
      EXPECT_THAT(error_of([&] { Sources(other.shared_features, other.sources(3)); }),
                  testing::AllOf(HasSubstr("device1"), HasSubstr("is the unit right?")));
    }
  }
}

}  // namespace
}  // namespace oneproxy
