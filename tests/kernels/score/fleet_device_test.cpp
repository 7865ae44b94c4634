// The kernels of fleets that are reduced, run on the CPU thread by thread (tests/support/simt_on_host.h).
// clang-format off
#include "tests/kernels/score/device_cases.h"
#include "oneproxy/kernels/score/cuda/fleet_tables.cuh"
#include "oneproxy/kernels/score/cuda/narrow.cuh"
// clang-format on

#include <set>

#include "oneproxy/kernels/score/cuda/fleet_plan.h"
#include "oneproxy/kernels/score/cuda/fleet_questions.h"
#include "oneproxy/kernels/score/fleet_layout.h"
#include "oneproxy/kernels/score/mlp_error.h"
#include "tests/kernels/score/fleet_cases.h"

namespace oneproxy::detail {
namespace {

using test::FleetCase;
using test::OwnedMlp;
using test::RandomFleet;

// As a device does it, for devices first .. first + n - 1 of the fleet.
void reduce_devices(const FleetLayout& layout, const TableFleet& fleet, const QualityOrder& order, std::int64_t first,
                    std::int64_t n, std::uint32_t slices, std::uint64_t launch_order, FleetAnswers& answers) {
  const FleetQuestions questions(order, answers, first, n);
  std::vector<std::uint32_t> rows, found = questions.ends, places(found.size(), 12345);
  std::vector<double> latencies(found.size());
  layout.list_rows(order, rows);
  const std::vector<std::uint32_t> groups = order.group_ends();
  FleetTables tables;
  tables.weights = fleet.weights.data() + first;
  tables.bias = fleet.bias.data() + first;
  tables.n_devices = static_cast<std::uint32_t>(n);
  tables.stride = static_cast<std::uint32_t>(fleet.n_devices);
  tables.rows = rows.data();
  tables.n = static_cast<std::uint32_t>(order.size());
  tables.n_rows = layout.n_digits() + 1;
  FleetSearch search;
  search.limits = questions.limits.data();
  search.found = found.data();
  search.n_limits = static_cast<int>(answers.n_limits());
  search.slices = slices;
  constexpr unsigned kThreads = 32;  // fewer devices a block than on a GPU: more blocks
  const auto blocks = static_cast<unsigned>((n + kThreads - 1) / kThreads) * slices;
  simt::Launch launch{blocks, kThreads, kFleetChunk * static_cast<std::size_t>(tables.n_rows) * 4};
  launch.order = launch_order;
  simt::launch(launch, [&] { fleet_tables_kernel(tables, search); });
  simt::launch({2, kThreads}, [&] {
    fleet_settle_kernel(tables, search, {questions.ends.data(), groups.data(), places.data(), latencies.data()});
  });
  offer_places(order, first, n, places, latencies, answers);
}

class FleetTableKernels : public testing::TestWithParam<FleetCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, FleetTableKernels,
                         testing::Values(FleetCase{"cells", {5, 5, 5, 5}, 70, 5, {0, 625}, false, 0, 0, 1},
                                         FleetCase{"one", {4, 3, 2}, 1, 1, {0, 24}, false, 0, 0, 2},
                                         FleetCase{"tables", {4, 5, 1, 9}, 37, 4, {3, 170}, true, 0, 0, 6},
                                         FleetCase{"ties", {6, 6, 6}, 65, 3, {0, 216}, false, 0, 2, 7},
                                         FleetCase{"one_quality", {6, 6, 6}, 33, 3, {0, 216}, false, 0, 1, 7},
                                         FleetCase{"missing", {6, 6, 6}, 40, 4, {0, 216}, false, 0.1, 0, 8},
                                         FleetCase{"one_digit", {300}, 40, 5, {10, 290}, false, 0.1, 9, 10},
                                         FleetCase{"shuffled",
                                                   std::vector<std::uint32_t>(22, 9),
                                                   9,
                                                   3,
                                                   {static_cast<ArchIndex>(1) << 66, 300, true, 3},
                                                   false,
                                                   0,
                                                   4,
                                                   13}),
                         [](const auto& info) { return info.param.name; });

TEST_P(FleetTableKernels, FindWhatBruteForceFinds) {
  const FleetCase& of = GetParam();
  const RandomFleet random(of);
  const TableFleet fleet = random.tables();
  const auto expected = test::best_by_brute_force(
      of.radices, of.run, of.n_devices, random.limits(),
      [&](const auto& digits, std::int64_t device) { return random.latency(digits, device); },
      [&](const auto&, std::uint64_t position) { return random.quality()[position]; });
  const FleetLayout layout(of.radices, fleet.n_tables());
  // One piece or several, blocks that share devices or not, devices at once or in parts, threads in any order.
  for (const auto& [piece, slices, batch, launch_order] :
       {std::tuple{1000u, 1u, 1000, 0u}, {1000u, 3u, 50, 5u}, {100u, 2u, 20, 6u}}) {
    FleetAnswers answers(of.n_devices, random.limits());
    const FleetQuality quality = std::span<const double>(random.quality());
    const DigitCode code = random.code();
    QualityPieces pieces(code, quality, of.run, Backend::cpu);
    pieces.set_piece(piece);
    QualityOrder order;
    while (pieces.next(answers.least_quality(), order))
      for (std::int64_t first = 0; order.size() > 0 && first < of.n_devices; first += batch)
        reduce_devices(layout, fleet, order, first, std::min<std::int64_t>(batch, of.n_devices - first), slices,
                       launch_order, answers);
    const auto got = answers.take();
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_TRUE(test::equal(got[i], expected[i]))
          << "pieces of " << piece << ", device " << i / of.n_limits << ": " << test::to_string(got[i]) << " for "
          << test::to_string(expected[i]);
  }
}

struct MlpFleetCase {
  std::string name;
  Precision precision;
  IndexRange range;
  int quality_steps;  // 0: all differ; -1: the latency of the first device, which the others are like
  std::uint32_t slices;
  std::vector<int> widths = {30, 32};
};

class FleetMlpKernel : public testing::TestWithParam<MlpFleetCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, FleetMlpKernel,
                         testing::Values(MlpFleetCase{"tf32", Precision::tf32, {0, 625}, 0, 1},
                                         MlpFleetCase{"tf32_slices", Precision::tf32, {13, 401}, 0, 3},
                                         MlpFleetCase{"tf32_ties", Precision::tf32, {13, 401}, 7, 2},
                                         MlpFleetCase{"tf32_deep", Precision::tf32, {0, 300}, 20, 1, {32, 20, 8}},
                                         MlpFleetCase{"tf32_one_m_tile", Precision::tf32, {5, 200}, 9, 1, {128, 128}},
                                         MlpFleetCase{"bf16", Precision::bf16, {100, 500}, 0, 1},
                                         MlpFleetCase{"tf32_at_the_limit", Precision::tf32, {0, 625}, -1, 1},
                                         MlpFleetCase{"bf16_at_the_limit", Precision::bf16, {0, 625}, -1, 1},
                                         MlpFleetCase{"bf16_one_quality", Precision::bf16, {100, 200}, 1, 2}),
                         [](const auto& info) { return info.param.name; });

// What survives on the device holds the answers of fp64, and little else.
TEST_P(FleetMlpKernel, KeepsTheAnswers) {
  const auto& [name, precision, range, quality_steps, slices, widths] = GetParam();
  constexpr std::int64_t kLimits = 4;
  const std::int64_t n_devices = quality_steps < 0 ? 12 : 3;
  const OwnedDigits digits({5, 5, 5, 5}, 1, 5);
  std::vector<OwnedMlp> owners;
  std::vector<Mlp> models;
  std::vector<double> limits, margins;
  std::vector<std::vector<double>> latencies;
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(n_devices); ++seed)
    owners.emplace_back(digits, widths, quality_steps < 0 ? 0 : seed);
  for (const auto& owner : owners) {
    models.push_back(owner.mlp());
    margins.push_back(mlp_error_bound(models.back(), digits.code(), precision, Backend::cuda));
    latencies.push_back(definition(models.back(), digits, range));
    auto sorted = latencies.back();
    std::sort(sorted.begin(), sorted.end());
    // Where all are alike, one limit each: no other one's candidates hide a fault.
    const std::size_t tenth = sorted.size() / 10, own = models.size() * sorted.size() / 15;
    limits.insert(limits.end(), {sorted[quality_steps < 0 ? own : tenth], quality_steps < 0 ? -1e9 : sorted[5 * tenth],
                                 -1e9, quality_steps < 0 ? -1e9 : std::numeric_limits<double>::infinity()});
  }
  std::vector<double> qualities;
  const Philox random{3, 3};
  for (std::uint64_t i = 0; i < range.count; ++i) {
    const double quality = random.uniform(i);
    qualities.push_back(quality_steps > 0   ? std::floor(quality * quality_steps)
                        : quality_steps < 0 ? latencies[0][i]
                                            : quality);
  }
  FleetAnswers answers(n_devices, limits);
  const FleetQuality quality = std::span<const double>(qualities);
  const DigitCode code = digits.code();
  QualityPieces pieces(code, quality, range, Backend::cpu);
  QualityOrder order;
  ASSERT_TRUE(pieces.next(answers.least_quality(), order));

  FleetPlan plan;
  ASSERT_TRUE(plan_fleet_best(models[0], code, range, precision, kLimits, {}, plan));
  std::vector<float> parameters(plan.stride * models.size());
  for (std::size_t m = 0; m < models.size(); ++m)
    fleet_parameters(models[m], code, plan, parameters.data() + m * plan.stride);
  const MlpQuestions questions(order, answers, margins, 0, n_devices);
  const std::vector<std::uint32_t> groups = order.group_ends(), places = places_in(order, range);
  std::vector<FleetSurvivor> survivors(static_cast<std::size_t>(n_devices) * range.count);
  unsigned long long survived = 0;
  NarrowArgs args;
  args.layers = plan.narrow.layers;
  args.inner = Divider(plan.narrow.inner);
  args.skip = plan.skip;
  args.count = static_cast<std::uint64_t>(order.size());
  args.fleet = {
      parameters.data(),      plan.stride,      plan.n_values,       plan.n_base, slices, plan.base_rows.data(),
      plan.inner_rows.data(), plan.first_inner, 4 - plan.first_inner};
  args.best = {places.data(),          groups.data(),         questions.bars.data(),
               questions.sures.data(), questions.ends.data(), kLimits,
               plan.limits_offset,     survivors.data(),      &survived,
               survivors.size()};
  const NarrowKernel kernel = precision == Precision::bf16
                                  ? narrow_kernel_of<Bf16Mma, TablePlace::fleet_best>(plan.narrow)
                                  : narrow_kernel_of<Tf32Mma, TablePlace::fleet_best>(plan.narrow);
  simt::Runtime runtime;
  const auto shape = launch_shape(kernel, plan.narrow, {}, runtime);
  runtime.launch(
      shape.kernel,
      {static_cast<unsigned>(n_devices * slices), 64, static_cast<std::size_t>(plan.narrow.shared_bytes), false, 11},
      args);
  ASSERT_LE(survived, survivors.size());
  survivors.resize(survived);
  std::set<std::pair<std::uint32_t, std::uint32_t>> distinct;
  for (const auto& survivor : survivors) {
    distinct.insert({survivor.model, survivor.place});
    ASSERT_NEAR(survivor.score, latencies[survivor.model][places[survivor.place]], margins[survivor.model]);
  }
  EXPECT_EQ(distinct.size(), survivors.size());
  if (margins[0] < 0.1 && quality_steps == 0) {
    EXPECT_LT(survivors.size(), static_cast<std::size_t>(n_devices) * range.count / 2);
  }

  const auto lists = std::make_shared<const RowLists>(code);
  for (std::int64_t m = 0; m < n_devices; ++m) {
    std::vector<FleetSurvivor> own;
    for (const auto& survivor : survivors)
      if (survivor.model == m) own.push_back(survivor);
    FleetCandidates candidates(order, answers, m, margins[m]);
    FleetExact exact(models[m], lists, chosen_isa());
    offer_survivors(order, own, candidates, exact, answers);
  }
  const auto got = answers.take();
  const auto expected = test::best_by_brute_force(
      digits.radices, range, n_devices, limits,
      [&](const auto& own, std::int64_t device) { return score_by_definition(models[device], code, own.data()); },
      [&](const auto&, std::uint64_t position) { return qualities[position]; });
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_TRUE(test::equal(got[i], expected[i])) << "device " << i / kLimits << ", limit " << i % kLimits << ": "
                                                  << test::to_string(got[i]) << " for " << test::to_string(expected[i]);
}

TEST(FleetBestPlans, LeaveRoomForTheLimits) {
  const OwnedDigits digits(std::vector<std::uint32_t>(6, 5), 1, 5);
  const Mlp mlp = OwnedMlp(digits, {64, 64}, 1).mlp();
  const DeviceLimits device;
  FleetPlan scores, best;
  ASSERT_TRUE(plan_fleet(mlp, digits.code(), {0, 15'625}, Precision::bf16, device, scores));
  ASSERT_TRUE(plan_fleet_best(mlp, digits.code(), {0, 15'625}, Precision::bf16, 5, device, best));
  EXPECT_EQ(best.limits_offset % 16, 0u);
  EXPECT_GE(static_cast<int>(best.limits_offset), scores.narrow.shared_bytes);
  EXPECT_EQ(best.narrow.shared_bytes, static_cast<int>(best.limits_offset) + 5 * 20);
  EXPECT_EQ(best.narrow.place, TablePlace::fleet_best);
  EXPECT_TRUE(plan_fleet_best(mlp, digits.code(), {0, 15'625}, Precision::bf16, 2'000, device, best));
  EXPECT_LE(best.narrow.shared_bytes, device.shared_bytes);
  EXPECT_FALSE(plan_fleet_best(mlp, digits.code(), {0, 15'625}, Precision::bf16, 11'000, device, best));
  EXPECT_FALSE(plan_fleet_best(mlp, digits.code(), {0, 15'625}, Precision::bf16, 1 << 20, device, best));
}

}  // namespace
}  // namespace oneproxy::detail
