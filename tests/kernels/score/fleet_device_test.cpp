// The kernels of fleets that are reduced, run on the CPU thread by thread (tests/support/simt_on_host.h).
// clang-format off
#include "tests/kernels/score/device_cases.h"
#include "oneproxy/kernels/score/cuda/fleet_tables.cuh"
// clang-format on

#include "oneproxy/kernels/score/cuda/fleet_questions.h"
#include "oneproxy/kernels/score/fleet_layout.h"
#include "tests/kernels/score/fleet_cases.h"

namespace oneproxy::detail {
namespace {

using test::FleetCase;
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

}  // namespace
}  // namespace oneproxy::detail
