#include "oneproxy/engine/adapt/workflow/plan.h"

#include <gmock/gmock.h>

#include <set>

#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::pair<std::int64_t, int>> pairs(const Plan& plan) {
  std::vector<std::pair<std::int64_t, int>> all;
  for (const auto& [architecture, repeat] : plan.measurements) all.emplace_back(architecture, repeat);
  return all;
}

TEST(Plan, ReferencesComeAgainAndAtTheEnd) {
  const Fleet fleet("nasbench201");
  const Sources sources(fleet.shared_features, fleet.sources(2));
  const auto made = plan(sources, {.k = 6, .reference_every = 2});
  EXPECT_EQ(made.space, "nasbench201");
  EXPECT_THAT(made.sources, ElementsAre("device0", "device1"));
  using P = std::pair<std::int64_t, int>;
  EXPECT_THAT(pairs(made),
              ElementsAre(P{0, 1}, P{1, 1}, P{2, 1}, P{0, 2}, P{3, 1}, P{4, 1}, P{0, 3}, P{5, 1}, P{0, 4}));
  EXPECT_THAT(pairs(plan(sources, {.k = 2})), ElementsAre(P{0, 1}, P{1, 1}));
}

TEST(Plan, GoesOnWhereItStoppedAndNeedsNoSources) {
  const Fleet fleet("fbnet");
  const Sources none(fleet.shared_features);
  const auto first_five = plan(none, {.k = 5}), whole = plan(none, {.k = 12});
  EXPECT_TRUE(std::equal(first_five.choices.begin(), first_five.choices.end(), whole.choices.begin()));
  const auto more = plan(none, {.k = 7}, first_five.choices);
  std::set<std::vector<std::uint8_t>> distinct;
  for (const auto* choices : {&first_five.choices, &more.choices})
    for (std::size_t i = 0; i < choices->size(); i += 22)
      distinct.insert({choices->begin() + i, choices->begin() + i + 22});
  EXPECT_EQ(distinct.size(), 12u);
}

TEST(Plan, RefusesWhatTheSpaceDoesNotHold) {
  const Fleet fleet("nasbench201");
  const Sources none(fleet.shared_features);
  EXPECT_THAT(error_of([&] { plan(none, {.k = 0}); }), HasSubstr("at least one"));
  // All but three connected cells are measured.
  std::vector<std::uint8_t> known;
  int left_out = 0;
  for (ArchIndex i = 0; i < fleet.space().size(); ++i) {
    const auto one = fleet.space().choices(i);
    if (fleet.features.physics().connected(one) && left_out < 3 && ++left_out) continue;
    known.insert(known.end(), one.begin(), one.end());
  }
  EXPECT_EQ(plan(none, {.k = 3, .selection = Selection::d_optimal}, known).choices.size(), 3 * 6u);
  EXPECT_THAT(error_of([&] { plan(none, {.k = 4, .selection = Selection::d_optimal}, known); }),
              HasSubstr("nasbench201 has 3 architectures left to propose, asked for 4"));
}

TEST(Plan, IsWrittenAsAFileThatReadsBackInItsOrder) {
  const Fleet fleet("nasbench201");
  const auto made = plan(Sources(fleet.shared_features), {.k = 4, .reference_every = 2});
  const TemporaryFolder folder;
  const auto path = folder / "plan.csv";
  write_plan(made, fleet.space(), path);
  EXPECT_EQ(read_architectures(fleet.space(), {path}, {}), made.choices);
  const auto table = read_csv(path);
  EXPECT_EQ(table.rows.size(), made.measurements.size());
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    EXPECT_EQ(table.rows[i][table.column("order")], std::to_string(i + 1));
    EXPECT_EQ(table.rows[i][table.column("repeat")], std::to_string(made.measurements[i].repeat));
    EXPECT_EQ(table.rows[i][table.column("latency_ms")], "");
  }
}

}  // namespace
}  // namespace oneproxy
