#include <gtest/gtest.h>

#include <deque>

#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "tests/kernels/score/mlp_cases.h"

namespace oneproxy {
namespace {

using test::RandomMlp;

struct FleetCase {
  Precision precision;
  bool shuffled;
};

class MlpFleetTest : public testing::TestWithParam<FleetCase> {};
INSTANTIATE_TEST_SUITE_P(Modes, MlpFleetTest,
                         testing::Values(FleetCase{Precision::fp64, false}, FleetCase{Precision::fp64, true},
                                         FleetCase{Precision::fp32, false}, FleetCase{Precision::fp32, true},
                                         FleetCase{Precision::bf16, false}),
                         [](const auto& info) {
                           return std::string(to_string(info.param.precision)) +
                                  (info.param.shuffled ? "_shuffled" : "_range");
                         });

TEST_P(MlpFleetTest, EveryModelScoresAsItDoesAlone) {
  std::deque<RandomMlp> owners;
  std::vector<Mlp> models;
  for (std::uint64_t seed = 1; seed <= 7; ++seed) {
    owners.emplace_back(test::MlpCase{"fleet", {5, 5, 5, 5, 5, 5}, 1, 0, {64, 64}, seed});
    models.push_back(owners.back().model());
  }
  const DigitCode code = owners[0].code();
  const IndexRange run{1'001, 14'003, GetParam().shuffled, 17};
  std::vector<float> scores(models.size() * run.count, -1);
  detail::score_fleet_cpu(code, models, run, scores, GetParam().precision);
  const DigitSplit split = split_digits(code.radices);
  const auto lists = std::make_shared<const detail::RowLists>(code);
  for (std::size_t m = 0; m < models.size(); ++m) {
    const auto alone = detail::make_mlp_on_tiles(models[m], lists, GetParam().precision, chosen_isa());
    for (std::uint64_t position = 0; position < run.count; position += 97) {
      double expected;
      alone->score_range(index_at(run, position, split), 1, &expected);
      ASSERT_EQ(scores[m * run.count + position], static_cast<float>(expected)) << "model " << m << " at " << position;
      ASSERT_NEAR(expected, owners[m].score(index_at(run, position, split)),
                  GetParam().precision == Precision::bf16 ? 0.2 : 1e-5);
    }
  }
}

TEST(MlpFleetTest, LongRunsAreSplitInPieces) {
  const RandomMlp random({"long", {9, 9, 9, 9, 9, 9, 9}, 1, 0, {3}, 2});
  const Mlp model = random.model();
  const IndexRange run{5, 300'001, false, 0};
  std::vector<float> scores(run.count, -1);
  detail::score_fleet_cpu(random.code(), std::span(&model, 1), run, scores, Precision::fp32);
  for (std::uint64_t position = 0; position < run.count; position += 1'013)
    ASSERT_NEAR(scores[position], random.score(run.begin + position), 1e-5) << position;
  std::vector<float> none;
  detail::score_fleet_cpu(random.code(), {}, run, none, Precision::fp32);
  detail::score_fleet_cpu(random.code(), std::span(&model, 1), {5, 0, false, 0}, none, Precision::fp32);
}

}  // namespace
}  // namespace oneproxy
