#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/front/pareto.h"
#include "oneproxy/kernels/score/scorer.h"
#include "tests/kernels/score/score_cases.h"
#include "tests/support/compare.h"

namespace oneproxy {
namespace {

using test::OwnedDigits;
using test::OwnedDigitTable;
using test::OwnedMlp;

struct ScoreCase {
  std::string name;
  std::vector<std::uint32_t> radices;
  int parts;
  IndexRange run;
};
void PrintTo(const ScoreCase& c, std::ostream* out) { *out << c.name; }

std::vector<ScoreCase> score_cases() {
  const std::vector<std::uint32_t> fbnet(22, 9), cells(6, 5), ofa = {25, 7371, 7371, 7371, 7371, 7371};
  const ArchIndex two_to_64 = ArchIndex{1} << 64, two_to_32 = ArchIndex{1} << 32;
  return {
      {"cells", cells, 1, {0, 15625}},
      {"cells_shuffled", cells, 1, {0, 15625, true, 3}},
      {"cells_odd", cells, 1, {3124, 3127}},
      {"one_architecture", cells, 1, {15624, 1}},
      {"empty", cells, 1, {15625, 0}},
      {"one_digit", {7}, 1, {0, 7}},
      {"radix_one", {1, 1, 3, 1}, 2, {0, 3}},
      {"fbnet_across_2_to_32", fbnet, 1, {two_to_32 - 5000, 10000}},
      {"fbnet_across_2_to_64", fbnet, 1, {two_to_64 - 5003, 9999}},
      {"fbnet_shuffled", fbnet, 1, {two_to_64 - 2000, 4000, true, 9}},
      {"ofa_across_2_to_64", ofa, 4, {two_to_64 - 4000, 9000}},
      {"ofa_shuffled", ofa, 4, {12345, 3000, true, 1}},
  };
}

class Scores : public testing::TestWithParam<ScoreCase> {};

// All models in one pass, each against its definition: tables to the bit, MLPs in fp64 to the bit, in fp32 within the
// proven bound.
TEST_P(Scores, AreThoseOfTheDefinition) {
  const auto& c = GetParam();
  const OwnedDigits digits(c.radices, c.parts, 5);
  const OwnedDigitTable table(digits, false, 6), selected(digits, true, 7);
  const OwnedMlp mlp(digits, {17, 20}, 8);
  const std::vector<ScoreFunction> models = {table.table(), mlp.mlp(), selected.table()};
  const auto n = static_cast<std::int64_t>(c.run.count);
  const int width = digits.code().n_digits();
  std::vector<std::uint32_t> list(n * width);
  const DigitSplit split = split_digits(c.radices);
  std::vector<double> truth(3 * n), scores(3 * n), of_list(3 * n);
  for (std::int64_t i = 0; i < n; ++i) {
    decode_digits(index_at(c.run, i, split), c.radices.data(), width, list.data() + i * width);
    for (int m = 0; m < 3; ++m)
      truth[m * n + i] = score_by_definition(models[m], digits.code(), list.data() + i * width);
  }
  const Scorer exact(digits.code(), models, Backend::cpu, Precision::fp64);
  exact.score(c.run, scores);
  exact.score_list(list, of_list);
  EXPECT_TRUE(test::same_values(scores, truth));
  EXPECT_TRUE(test::same_values(of_list, truth));

  const Scorer fast(digits.code(), models, Backend::cpu, Precision::fp32);
  fast.score(c.run, scores);
  fast.score_list(list, of_list);
  EXPECT_EQ(fast.error_bound(0), 0);
  EXPECT_GT(fast.error_bound(1), 0);
  EXPECT_LT(fast.error_bound(1), 1e-3);
  for (const auto& got : {scores, of_list})
    for (int m = 0; m < 3; ++m)
      EXPECT_TRUE(
          test::close_values(std::span(got).subspan(m * n, n), std::span(truth).subspan(m * n, n), fast.error_bound(m)))
          << "model " << m;
}

INSTANTIATE_TEST_SUITE_P(All, Scores, testing::ValuesIn(score_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(Scorer, ReducesToTheFrontOfTheScores) {
  const OwnedDigits digits(std::vector<std::uint32_t>(7, 7), 1, 1);  // 823,543: several sections
  const OwnedDigitTable latency(digits, false, 2), quality(digits, false, 3);
  const OwnedMlp mlp(digits, {16, 16}, 4);
  const std::vector<ScoreFunction> models = {latency.table(), quality.table(), mlp.mlp()};
  const Scorer scorer(digits.code(), models, Backend::cpu, Precision::fp32);
  for (const bool shuffled : {false, true}) {
    for (const int model : {1, 2}) {
      const IndexRange run{1000, 700000, shuffled, 4};
      std::vector<double> scores(3 * run.count);
      scorer.score(run, scores);
      const auto part = [&](int m) { return std::span(scores).subspan(m * run.count, run.count); };
      std::vector<Candidate> expected;
      const DigitSplit split = split_digits(digits.radices);
      for (const auto i : pareto_front(part(0), part(model), Backend::cpu))
        expected.push_back({index_at(run, i, split), part(0)[i], part(model)[i]});
      ReductionSettings settings;
      settings.quality = model;
      for (const int threads : {1, 2, 5}) {
        set_thread_count(threads);
        Reduction reduction(settings);
        scorer.reduce(run, reduction);
        const auto front = reduction.front();
        ASSERT_EQ(front.size(), expected.size());
        for (std::size_t i = 0; i < front.size(); ++i) {
          EXPECT_EQ(front[i].index, expected[i].index);
          EXPECT_EQ(front[i].latency, expected[i].latency);
          EXPECT_EQ(front[i].quality, expected[i].quality);
        }
        EXPECT_EQ(reduction.n_scored(), run.count);
      }
      set_thread_count(0);
    }
  }
}

TEST(Scorer, SaysWhatIsWrong) {
  const OwnedDigits digits({5, 5}, 1, 1);
  const OwnedDigitTable table(digits, false, 1);
  OwnedMlp mlp(digits, {4, 4}, 1);
  const auto make = [&](const ScoreFunction& model, Precision precision = Precision::fp32) {
    return Scorer(digits.code(), std::span(&model, 1), Backend::cpu, precision);
  };
  const auto scorer = make(table.table());
  std::vector<double> scores(25);
  EXPECT_THROW(scorer.score({1, 25}, scores), Error);
  EXPECT_THROW(scorer.score({0, 24}, scores), Error);
  EXPECT_THROW(scorer.score_list(std::vector<std::uint32_t>{0, 5}, std::span(scores).first(1)), Error);
  Reduction two_models(ReductionSettings{});
  EXPECT_THROW(scorer.reduce({0, 25}, two_models), Error);
  EXPECT_THROW(make(table.table(), Precision::tf32), Error);
  EXPECT_THROW(make(AdditiveTable<double>{}), Error);
  mlp.weights[1][2] = std::nan("");
  try {
    make(mlp.mlp());
    FAIL() << "took a NaN weight";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("layer 3 has nan at place 2"), std::string::npos) << error.what();
  }
  mlp.weights[1][2] = 0;
  mlp.widths[0] = 5;
  EXPECT_THROW(make(mlp.mlp()), Error);
}

}  // namespace
}  // namespace oneproxy
