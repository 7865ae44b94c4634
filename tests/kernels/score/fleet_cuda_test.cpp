// Fleets that are reduced on a GPU: the answers are those of fp64, so that both back ends give the same bits.
#include <gtest/gtest.h>

#include "oneproxy/kernels/score/fleet.h"
#include "tests/kernels/score/fleet_cases.h"
#include "tests/kernels/score/score_cases.h"
#include "tests/support/needs_cuda.h"

namespace oneproxy {
namespace {

using test::FleetCase;
using test::OwnedDigits;
using test::OwnedMlp;
using test::RandomFleet;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void expect_same(const std::vector<FleetBest>& cuda, const std::vector<FleetBest>& cpu, std::int64_t n_limits) {
  ASSERT_EQ(cuda.size(), cpu.size());
  for (std::size_t i = 0; i < cuda.size(); ++i)
    ASSERT_TRUE(test::equal(cuda[i], cpu[i])) << "device " << i / n_limits << ", limit " << i % n_limits << ": "
                                              << test::to_string(cuda[i]) << " for " << test::to_string(cpu[i]);
}

class FleetCuda : public testing::TestWithParam<FleetCase> {
 protected:
  void SetUp() override { ONEPROXY_NEEDS_CUDA(); }
};
INSTANTIATE_TEST_SUITE_P(Cases, FleetCuda,
                         testing::Values(FleetCase{"cells", {5, 5, 5, 5, 5, 5}, 1'000, 5, {0, 15'625}, false, 0, 0, 1},
                                         FleetCase{"ties", {5, 5, 5, 5}, 300, 4, {7, 600}, false, 0.1, 3, 2},
                                         FleetCase{"one_quality", {5, 5, 5, 5}, 129, 2, {0, 625}, false, 0, 1, 3},
                                         FleetCase{"tables", {4, 9, 9, 1, 9}, 200, 4, {0, 2'916}, true, 0, 0, 4},
                                         FleetCase{"one_digit", {15'625}, 500, 5, {0, 15'625}, false, 0.01, 0, 5},
                                         FleetCase{"shuffled",
                                                   std::vector<std::uint32_t>(22, 9),
                                                   100,
                                                   3,
                                                   {static_cast<ArchIndex>(1) << 66, 20'000, true, 3},
                                                   false,
                                                   0,
                                                   9,
                                                   6},
                                         FleetCase{"pieces", {9, 9, 9, 9, 9, 9}, 64, 3, {5, 500'000}, false, 0, 99, 7},
                                         FleetCase{"empty", {5, 5}, 3, 2, {7, 0}, false, 0, 0, 8}),
                         [](const auto& info) { return info.param.name; });

TEST_P(FleetCuda, TablesAnswerAsOnTheCpu) {
  const FleetCase& of = GetParam();
  const RandomFleet fleet(of);
  const auto reduce = [&](Backend backend) {
    return reduce_fleet(fleet.code(), fleet.tables(), std::span<const double>(fleet.quality()), fleet.limits(), of.run,
                        backend);
  };
  expect_same(reduce(Backend::cuda), reduce(Backend::cpu), of.n_limits);
}

// The fused kernels, what goes one after another, runs of several pieces, and a quality that is scored on the GPU.
TEST(FleetCudaOnce, MlpsAnswerAsOnTheCpu) {
  ONEPROXY_NEEDS_CUDA();
  const OwnedDigits digits(std::vector<std::uint32_t>(6, 5), 1, 5);
  const OwnedMlp quality(digits, {32, 32}, 1'000);
  for (const auto& widths : std::vector<std::vector<int>>{{64, 64}, {20, 30, 10}, {128, 128}, {200, 100}})
    for (const IndexRange run :
         {IndexRange{0, 15'625}, IndexRange{1'234, 4'321}, IndexRange{15'624, 1}, IndexRange{0, 500, true, 3}}) {
      std::vector<OwnedMlp> owned;
      std::vector<Mlp> models;
      std::vector<double> limits;
      for (std::uint64_t seed = 0; seed < 12; ++seed) owned.emplace_back(digits, widths, seed);
      for (const auto& mlp : owned) {
        models.push_back(mlp.mlp());
        limits.insert(limits.end(), {-0.5, 0.0, 0.7, -1e9, kInfinity});
      }
      const auto reduce = [&](Backend backend, Precision precision) {
        return reduce_fleet(digits.code(), models, ScoreFunction(quality.mlp()), limits, run, backend, precision);
      };
      const auto expected = reduce(Backend::cpu, Precision::fp32);
      for (const Precision precision : {Precision::bf16, Precision::tf32, Precision::fp32, Precision::fp64}) {
        SCOPED_TRACE(to_string(precision));
        ASSERT_NO_FATAL_FAILURE(expect_same(reduce(Backend::cuda, precision), expected, 5));
      }
    }
}

// Pieces whose rows fit a block's shared memory, each with a plan of its own.
TEST(FleetCudaOnce, LongRunsOfMlpsAreReducedPieceByPiece) {
  ONEPROXY_NEEDS_CUDA();
  const OwnedDigits digits(std::vector<std::uint32_t>(22, 9), 1, 5);
  const IndexRange run{(ArchIndex{1} << 64) - 20'000, 100'001};
  std::vector<OwnedMlp> owned;
  std::vector<Mlp> models;
  for (std::uint64_t seed = 0; seed < 5; ++seed) owned.emplace_back(digits, std::vector<int>{64, 64}, seed);
  for (const auto& mlp : owned) models.push_back(mlp.mlp());
  std::vector<double> quality, limits;
  const Philox random{1, 1};
  for (std::uint64_t i = 0; i < run.count; ++i) quality.push_back(std::floor(1'000 * random.uniform(i)));
  for (std::size_t m = 0; m < models.size(); ++m) limits.insert(limits.end(), {-1.0, 0.0, kInfinity});
  const auto reduce = [&](Backend backend, Precision precision) {
    return reduce_fleet(digits.code(), models, std::span<const double>(quality), limits, run, backend, precision);
  };
  const auto expected = reduce(Backend::cpu, Precision::fp32);
  for (const Precision precision : {Precision::bf16, Precision::tf32})
    expect_same(reduce(Backend::cuda, precision), expected, 3);
}

}  // namespace
}  // namespace oneproxy
