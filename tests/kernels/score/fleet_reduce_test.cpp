#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/isa.h"
#include "oneproxy/kernels/base/parallel.h"
#include "oneproxy/kernels/score/fleet_detail.h"
#include "tests/kernels/score/fleet_cases.h"
#include "tests/kernels/score/mlp_cases.h"
#include "tests/support/scoped_variable.h"

namespace oneproxy {
namespace {

using test::FleetCase;
using test::RandomFleet;
using test::RandomMlp;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void expect_equal(const std::vector<FleetBest>& got, const std::vector<FleetBest>& expected, std::int64_t n_limits) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_TRUE(test::equal(got[i], expected[i])) << "device " << i / n_limits << ", limit " << i % n_limits << ": "
                                                  << test::to_string(got[i]) << " for " << test::to_string(expected[i]);
}

class TableFleetTest : public testing::TestWithParam<FleetCase> {};
INSTANTIATE_TEST_SUITE_P(
    Cases, TableFleetTest,
    testing::Values(FleetCase{"cells", {5, 5, 5, 5, 5}, 70, 5, {0, 3'125}, false, 0, 0, 1},
                    FleetCase{"one_device", {4, 3, 2}, 1, 1, {0, 24}, false, 0, 0, 2},
                    FleetCase{"a_part", {5, 5, 5, 5, 5}, 33, 2, {1'001, 777}, false, 0, 0, 3},
                    FleetCase{"shuffled", {5, 5, 5, 5, 5, 5}, 40, 3, {9, 3'000, true, 7}, false, 0, 0, 4},
                    FleetCase{"shuffled_ties", {5, 5, 5, 5, 5, 5}, 40, 3, {9, 3'000, true, 7}, false, 0, 3, 5},
                    FleetCase{"tables", {4, 9, 9, 1, 9}, 37, 4, {0, 2'916}, true, 0, 0, 6},
                    FleetCase{"ties", {6, 6, 6, 6}, 65, 5, {0, 1'296}, false, 0, 2, 7},
                    FleetCase{"missing", {6, 6, 6, 6}, 65, 5, {0, 1'296}, false, 0.1, 0, 8},
                    FleetCase{"much_missing", {4, 4, 4, 4}, 65, 5, {0, 256}, true, 0.5, 4, 9},
                    FleetCase{"one_digit", {1'500}, 96, 5, {0, 1'500}, false, 0, 0, 10},
                    FleetCase{"one_long_digit", {5'000}, 70, 3, {0, 5'000}, false, 0.01, 50, 11},
                    FleetCase{"huge_indices",
                              std::vector<std::uint32_t>(22, 9),
                              9,
                              3,
                              {static_cast<ArchIndex>(1) << 66, 2'000},
                              false,
                              0,
                              4,
                              12},
                    FleetCase{"huge_shuffled",
                              std::vector<std::uint32_t>(22, 9),
                              9,
                              3,
                              {static_cast<ArchIndex>(1) << 66, 2'000, true, 3},
                              false,
                              0,
                              4,
                              13},
                    FleetCase{"pieces", {9, 9, 9, 9, 9, 9}, 3, 3, {5, 400'000}, false, 0, 64, 14},
                    FleetCase{"empty", {5, 5}, 3, 2, {7, 0}, false, 0, 0, 15}),
    [](const auto& info) { return info.param.name; });

TEST_P(TableFleetTest, FindsWhatBruteForceFinds) {
  const FleetCase& of = GetParam();
  const RandomFleet fleet(of);
  const auto expected = test::best_by_brute_force(
      of.radices, of.run, of.n_devices, fleet.limits(),
      [&](const auto& digits, std::int64_t device) { return fleet.latency(digits, device); },
      [&](const auto&, std::uint64_t position) { return fleet.quality()[position]; });
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (!isa_available(isa)) continue;
    const test::ScopedVariable chosen("ONEPROXY_ISA");
    chosen.set(to_string(isa));
    for (const int threads : {1, 3}) {
      set_thread_count(threads);
      const auto got = reduce_fleet(fleet.code(), fleet.tables(), std::span<const double>(fleet.quality()),
                                    fleet.limits(), of.run, Backend::cpu);
      set_thread_count(0);
      ASSERT_NO_FATAL_FAILURE(expect_equal(got, expected, of.n_limits)) << to_string(isa) << ", " << threads;
    }
  }
}

// Shapes, ties, gaps and limits as they come.
TEST(TableFleetFuzz, FindsWhatBruteForceFinds) {
  for (std::uint64_t seed = 100; seed < 300; ++seed) {
    const Philox random{seed, 9};
    FleetCase of{"fuzz", {}, 0, 0, {}, false, 0, 0, seed};
    ArchIndex size = 1;
    for (std::uint64_t d = 0, n = 1 + random.below(0, 6); d < n; ++d) {
      of.radices.push_back(static_cast<std::uint32_t>(1 + random.below(10 + d, 7)));
      size *= of.radices.back();
    }
    of.n_devices = 1 + static_cast<std::int64_t>(random.below(1, 80));
    of.n_limits = 1 + static_cast<std::int64_t>(random.below(2, 6));
    of.run.begin = random.below(3, static_cast<std::uint64_t>(size));
    of.run.count = random.below(4, static_cast<std::uint64_t>(std::min<ArchIndex>(size - of.run.begin, 2'000)) + 1);
    of.run.shuffled = random.below(5, 3) == 0;
    of.run.seed = seed;
    of.tables = random.below(6, 2) == 0;
    of.missing = random.below(7, 3) == 0 ? random.uniform(8) * 0.3 : 0;
    of.steps = random.below(9, 2) == 0 ? static_cast<int>(1 + random.below(30, 8)) : 0;
    const RandomFleet fleet(of);
    const auto expected = test::best_by_brute_force(
        of.radices, of.run, of.n_devices, fleet.limits(),
        [&](const auto& digits, std::int64_t device) { return fleet.latency(digits, device); },
        [&](const auto&, std::uint64_t position) { return fleet.quality()[position]; });
    const auto got = reduce_fleet(fleet.code(), fleet.tables(), std::span<const double>(fleet.quality()),
                                  fleet.limits(), of.run, Backend::cpu);
    ASSERT_NO_FATAL_FAILURE(expect_equal(got, expected, of.n_limits)) << "seed " << seed;
  }
}

TEST(TableFleetTest, QualitiesThatAreInfiniteCount) {
  const RandomFleet fleet(FleetCase{"", {4}, 1, 1, {0, 4}, false, 0, 0, 1});
  const std::vector<double> quality{-kInfinity, 1, -kInfinity, kInfinity}, limits{kInfinity};
  const auto best =
      reduce_fleet(fleet.code(), fleet.tables(), std::span<const double>(quality), limits, {0, 4}, Backend::cpu);
  EXPECT_EQ(best[0].index, 3u);
  const auto worst =
      reduce_fleet(fleet.code(), fleet.tables(), std::span(quality).first(1), limits, {0, 1}, Backend::cpu);
  EXPECT_TRUE(worst[0].found());
  EXPECT_EQ(worst[0].quality, -kInfinity);
}

// A quality that is a function is scored in fp64, as its definition says.
TEST(TableFleetTest, AFunctionOfQualityIsItsValues) {
  const FleetCase of{"", {5, 5, 5, 5}, 50, 3, {20, 555}, false, 0, 0, 3};
  const RandomFleet fleet(of);
  const RandomMlp mlp({"quality", {5, 5, 5, 5}, 1, 0, {16, 16}, 5});
  std::vector<double> values;
  for (std::uint64_t position = 0; position < of.run.count; ++position)
    values.push_back(mlp.score(of.run.begin + position));
  const auto by_function =
      reduce_fleet(fleet.code(), fleet.tables(), ScoreFunction(mlp.model()), fleet.limits(), of.run, Backend::cpu);
  const auto by_values =
      reduce_fleet(fleet.code(), fleet.tables(), std::span<const double>(values), fleet.limits(), of.run, Backend::cpu);
  expect_equal(by_function, by_values, of.n_limits);
}

struct MlpFleetCase {
  std::string name;
  std::vector<std::uint32_t> radices;
  int parts, n_rows;
  std::vector<int> widths;
  IndexRange run;
  Precision precision;
  int quality_steps;  // 0: all qualities differ
};

class MlpFleetReduction : public testing::TestWithParam<MlpFleetCase> {};
INSTANTIATE_TEST_SUITE_P(
    Cases, MlpFleetReduction,
    testing::Values(MlpFleetCase{"fp32", {5, 5, 5, 5, 5}, 1, 0, {64, 64}, {0, 3'125}, Precision::fp32, 0},
                    MlpFleetCase{"fp32_ties", {5, 5, 5, 5, 5}, 1, 0, {32, 32}, {3, 3'001}, Precision::fp32, 20},
                    MlpFleetCase{"fp32_one_quality", {5, 5, 5, 5}, 1, 0, {16, 16}, {0, 625}, Precision::fp32, 1},
                    MlpFleetCase{
                        "fp32_shuffled", {5, 5, 5, 5, 5, 5}, 1, 0, {24, 40}, {77, 2'000, true, 5}, Precision::fp32, 9},
                    MlpFleetCase{"fp32_parts", {40, 40, 40}, 3, 20, {24, 40, 8}, {30'000, 2'000}, Precision::fp32, 9},
                    MlpFleetCase{"fp64", {5, 5, 5, 5, 5}, 1, 0, {64, 64}, {0, 3'125}, Precision::fp64, 0},
                    MlpFleetCase{"bf16", {5, 5, 5, 5}, 1, 0, {64, 64}, {0, 625}, Precision::bf16, 0},
                    MlpFleetCase{"bf16_one_quality", {5, 5, 5, 5, 5}, 1, 0, {64, 64}, {0, 3'125}, Precision::bf16, 1},
                    MlpFleetCase{"huge",
                                 std::vector<std::uint32_t>(22, 9),
                                 1,
                                 0,
                                 {16},
                                 {static_cast<ArchIndex>(5) << 64, 1'500},
                                 Precision::fp32,
                                 12},
                    MlpFleetCase{"pieces", {9, 9, 9, 9, 9, 9}, 1, 0, {4}, {0, 300'000}, Precision::fp32, 100},
                    MlpFleetCase{"empty", {5, 5}, 1, 0, {4}, {3, 0}, Precision::fp32, 0}),
    [](const auto& info) { return info.param.name; });

TEST_P(MlpFleetReduction, FindsWhatBruteForceFinds) {
  const MlpFleetCase& of = GetParam();
  constexpr std::int64_t kDevices = 7, kLimits = 4;
  std::deque<RandomMlp> owners;
  std::vector<Mlp> models;
  for (std::uint64_t seed = 1; seed <= kDevices; ++seed) {
    owners.emplace_back(test::MlpCase{"fleet", of.radices, of.parts, of.n_rows, of.widths, seed});
    models.push_back(owners.back().model());
  }
  // All models read the code of the first one: it is theirs only where values stand for one row each.
  const DigitCode code = owners[0].code();
  const auto latency = [&](const std::vector<std::uint32_t>& digits, std::int64_t device) {
    return score_by_definition(models[device], code, digits.data());
  };
  const Philox random{8, 8};
  std::vector<double> quality(of.run.count), limits;
  for (std::size_t i = 0; i < quality.size(); ++i) {
    quality[i] = random.uniform(i);
    if (of.quality_steps > 0) quality[i] = std::floor(quality[i] * of.quality_steps);
  }
  const DigitSplit split = of.run.shuffled ? split_digits(of.radices) : DigitSplit{};
  for (std::int64_t device = 0; device < kDevices; ++device) {
    std::vector<double> some;
    std::vector<std::uint32_t> digits(of.radices.size());
    for (std::uint64_t position = 0; position < of.run.count; position += 1 + of.run.count / 200) {
      decode_digits(index_at(of.run, position, split), of.radices.data(), static_cast<int>(of.radices.size()),
                    digits.data());
      some.push_back(latency(digits, device));
    }
    std::sort(some.begin(), some.end());
    if (some.empty()) some = {0};
    limits.insert(limits.end(), {some[some.size() / 20], some[some.size() / 2], -1e300, kInfinity});  // two are met
  }
  const auto expected = test::best_by_brute_force(of.radices, of.run, kDevices, limits, latency,
                                                  [&](const auto&, std::uint64_t i) { return quality[i]; });
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
    if (!isa_available(isa)) continue;
    const test::ScopedVariable chosen("ONEPROXY_ISA");
    chosen.set(to_string(isa));
    for (const int threads : {1, 3}) {
      set_thread_count(threads);
      const auto got =
          reduce_fleet(code, models, std::span<const double>(quality), limits, of.run, Backend::cpu, of.precision);
      set_thread_count(0);
      ASSERT_NO_FATAL_FAILURE(expect_equal(got, expected, kLimits)) << to_string(isa) << ", " << threads;
    }
  }
}

// Where quality rises with latency, and limits are latencies, each answer lies at its limit: a fast score is on either
// side of it, and so are those of its neighbours. One limit a device, so that no other one's candidates hide a fault.
TEST(MlpFleetAtTheLimit, AnswersAreFound) {
  const RandomMlp owner({"steep", {5, 5, 5, 5}, 1, 0, {64, 64}, 3});
  std::vector<double> latency, limits;
  for (ArchIndex i = 0; i < owner.size(); ++i) latency.push_back(owner.score(i));
  for (std::size_t i = 0; i < latency.size(); i += 9) limits.push_back(latency[i]);
  const std::vector<Mlp> models(limits.size(), owner.model());
  for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::fp64}) {
    const auto best = reduce_fleet(owner.code(), models, std::span<const double>(latency), limits, {0, latency.size()},
                                   Backend::cpu, precision);
    for (std::size_t l = 0; l < limits.size(); ++l) {
      ASSERT_TRUE(best[l].found());
      EXPECT_EQ(best[l].index, 9 * l) << to_string(precision);
      EXPECT_EQ(best[l].latency, limits[l]);
    }
  }
}

template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(FleetErrors, NameTheValueAndThePlace) {
  const FleetCase of{"", {3, 2}, 2, 1, {0, 6}, false, 0, 0, 1};
  const RandomFleet random(of);
  const TableFleet fleet = random.tables();
  const std::span<const double> quality = random.quality(), limits = random.limits();
  const auto reduce = [&](const TableFleet& of_fleet, std::span<const double> of_quality,
                          std::span<const double> of_limits, const IndexRange& run) {
    return error_of([&] { reduce_fleet(random.code(), of_fleet, of_quality, of_limits, run, Backend::cpu); });
  };
  EXPECT_EQ(reduce(fleet, quality, limits, of.run), "no error");
  EXPECT_EQ(reduce({2, fleet.weights, fleet.bias.first(1)}, quality, limits, of.run),
            "reduce_fleet: 1 biases of 2 devices; there is one a device, or one for each of the 3 values of digit 0");
  EXPECT_EQ(reduce({2, fleet.weights.first(9), fleet.bias}, quality, limits, of.run),
            "reduce_fleet: 9 weights; 1 tables of 5 values on 2 devices have 10");
  EXPECT_EQ(reduce({0, fleet.weights, fleet.bias}, quality, {}, of.run),
            "reduce_fleet: weights of a table, and 0 devices; n_devices says how many lie side by side");
  EXPECT_EQ(reduce({-1, {}, {}}, quality, {}, of.run), "reduce_fleet: -1 devices; there must be 0 or more");
  EXPECT_EQ(reduce(fleet, quality.first(5), limits, of.run),
            "reduce_fleet: 5 qualities for a run of 6 architectures; there is one each");
  EXPECT_EQ(reduce(fleet, quality, limits.first(1), of.run),
            "reduce_fleet: 1 limits of 2 devices; each has equally many");
  const std::vector<double> nan{1, std::nan("")};
  EXPECT_EQ(reduce(fleet, quality, nan, of.run),
            "reduce_fleet: the limit at place 1 is NaN; a limit that everything keeps is infinity");
  EXPECT_EQ(reduce(fleet, quality, limits, {1, 6}),
            "reduce_fleet: 6 architectures from 1 on pass the size of the space, 6");
  const RandomMlp small({"small", {3, 2}, 1, 0, {4}, 1}), large({"large", {3, 2}, 1, 0, {5}, 1});
  const std::vector<Mlp> models{small.model(), large.model()};
  EXPECT_EQ(
      error_of([&] { reduce_fleet(random.code(), models, quality, limits, of.run, Backend::cpu, Precision::fp32); }),
      "reduce_fleet: models of several shapes; a fleet has one shape");
  EXPECT_EQ(error_of([&] {
              reduce_fleet(random.code(), std::span(models).first(1), quality, limits.first(1), of.run, Backend::cpu,
                           Precision::tf32);
            }),
            "precision tf32 is the GPU's; on the CPU use fp32, bf16 or fp64");
  EXPECT_TRUE(reduce_fleet(random.code(), TableFleet{}, quality, {}, of.run, Backend::cpu).empty());
  EXPECT_TRUE(reduce_fleet(random.code(), fleet, quality, {}, of.run, Backend::cpu).empty());
}

}  // namespace
}  // namespace oneproxy
