// The kernels of tables and of reductions, run on the CPU thread by thread (tests/support/simt_on_host.h).
// clang-format off
#include "tests/kernels/score/device_table.h"
// clang-format on

#include <algorithm>
#include <limits>

namespace oneproxy::detail {
namespace {

using test::OwnedDigitTable;

struct TableCase {
  std::string name;
  std::vector<std::uint32_t> radices;
  bool selected;
  IndexRange run;
};
void PrintTo(const TableCase& c, std::ostream* out) { *out << c.name; }

class TableKernels : public testing::TestWithParam<TableCase> {};

TEST_P(TableKernels, EqualTheDefinitionToTheBit) {
  const auto& [name, radices, selected, run] = GetParam();
  const OwnedDigits digits(radices, 1, 5);
  const OwnedDigitTable owned(digits, selected, 8);
  const DeviceTable table(digits, owned.table());
  const DigitSplit split = split_digits(radices);
  const auto count = static_cast<std::uint32_t>(run.count);
  const auto expected = definition(owned.table(), digits, run);
  std::vector<double> scores(run.count);
  {
    const Start start = start_at(run, 0, split, 1);
    simt::launch({2, 32}, [&] { whole_kernel(table.args, start.places, count, scores.data()); });
    EXPECT_EQ(scores, expected);
  }
  if (run.shuffled) return;
  const auto size = table.args.leaf.size;
  const Start start = start_at(run, 0, split, size);
  std::vector<Prefix> prefixes((start.skip + run.count + size - 1) / size);
  scores.assign(run.count, 0);
  simt::launch({2, 32}, [&] {
    prefix_kernel(table.args, start.places, static_cast<std::uint32_t>(prefixes.size()), prefixes.data());
  });
  simt::launch({2, 32}, [&] { leaf_kernel(table.args, prefixes.data(), start.skip, count, scores.data()); });
  EXPECT_EQ(scores, expected);

  // The reduction without a filter visits each architecture once, with the same bits.
  const OwnedDigitTable second(digits, selected, 9);
  const DeviceTable quality(digits, second.table());
  const auto expected_quality = definition(second.table(), digits, run);
  std::vector<Survivor> survivors(run.count);
  unsigned long long survived = 0;
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> reached(kFilterBins, unknown);
  ReduceArgs args;
  args.filter.front = true;
  args.filter.reached = reached.data();
  args.survivors = {&survived, survivors.data(), survivors.size()};
  simt::launch({2, 32}, [&] {
    reduce_tables_kernel(args, table.args, quality.args, start.places, static_cast<std::uint32_t>(prefixes.size()),
                         start.skip, 1000, run.count);
  });
  ASSERT_EQ(survived, run.count);
  std::sort(survivors.begin(), survivors.end(), [](auto& a, auto& b) { return a.position < b.position; });
  for (std::size_t i = 0; i < survivors.size(); ++i) {
    ASSERT_EQ(survivors[i].position, 1000 + i);
    ASSERT_EQ(survivors[i].latency, expected[i]);
    ASSERT_EQ(survivors[i].quality, expected_quality[i]);
  }
}

std::vector<TableCase> table_cases() {
  using Radices = std::vector<std::uint32_t>;
  const ArchIndex two_to_32 = ArchIndex{1} << 32, two_to_64 = ArchIndex{1} << 64;
  const Radices fbnet(22, 9), bits(100, 2), long_digits = {5, 700, 301}, one_digit = {1000};
  Radices ones(20, 2);
  ones.push_back(1);
  return {{"cells", Radices(6, 5), false, {3, 1000}},
          {"all_cells", Radices(4, 5), false, {0, 625}},
          {"fbnet_across_32_bit", fbnet, false, {two_to_32 - 100, 333}},
          {"fbnet_across_64_bit", fbnet, false, {two_to_64 - 100, 333}},
          {"fbnet_shuffled", fbnet, false, {two_to_64 - 100, 333, true, 5}},
          {"bits", bits, false, {two_to_64 * 999 + 77, 600}},
          {"long_digits", long_digits, false, {290, 1300}},
          {"selected", long_digits, true, {700 * 301 - 400, 900}},
          {"one_digit", one_digit, false, {1, 998}},
          {"one_digit_selects", one_digit, true, {0, 1000}},
          {"fixed_neighbours", {5, 1, 1, 1, 7, 1, 1, 6, 1, 1}, false, {3, 200}},
          {"fixed_at_the_front", {1, 1, 9, 9, 9, 1, 1, 9}, true, {100, 900}},
          {"radix_1", ones, false, {1000, 300}},
          {"one", fbnet, false, {two_to_64, 1}}};
}
INSTANTIATE_TEST_SUITE_P(Cases, TableKernels, testing::ValuesIn(table_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST(TableKernel, ListEqualsTheDefinition) {
  const OwnedDigits digits({5, 700, 301}, 1, 5);
  const OwnedDigitTable owned(digits, true, 8);
  const DeviceTable table(digits, owned.table());
  std::vector<std::uint32_t> list;
  std::vector<double> expected;
  const Philox random{1, 2};
  for (std::uint64_t i = 0; i < 100; ++i) {
    for (int d = 0; d < 3; ++d) list.push_back(static_cast<std::uint32_t>(random.below(3 * i + d, digits.radices[d])));
    expected.push_back(score_by_definition(owned.table(), digits.code(), list.data() + 3 * i));
  }
  Places places;
  places.list = list.data();
  places.radices = digits.radices.data();
  places.n_digits = 3;
  std::vector<double> scores(100);
  simt::launch({2, 32}, [&] { whole_kernel(table.args, places, 100, scores.data()); });
  EXPECT_EQ(scores, expected);
}

TEST(ReduceKernels, TheFilterLosesNothing) {
  constexpr std::uint32_t n = 5000;
  const Philox random{4, 4};
  std::vector<double> scores(2 * n);
  for (std::uint32_t i = 0; i < 2 * n; ++i) scores[i] = random.uniform(i);
  for (std::uint32_t i = 0; i < n; ++i) scores[n + i] = 0.5 * scores[i] + 0.5 * scores[n + i];
  scores[17] = std::numeric_limits<double>::quiet_NaN();
  scores[n + 30] = std::numeric_limits<double>::quiet_NaN();
  ReductionSettings settings;
  settings.limits = {0.2, 0.9};
  settings.best = 7;
  Reduction brute(settings), half(settings);
  const auto add = [&](Reduction& reduction, std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i) reduction.add(Candidate{i, scores[i], scores[n + i]});
  };
  add(brute, 0, n);
  add(half, 0, n / 2);
  const FilterArrays filter = make_filter(half);
  std::vector<Survivor> survivors(n);
  unsigned long long survived = 0;
  ReduceArgs args;
  args.filter = filter.view();
  args.survivors = {&survived, survivors.data(), 10};  // too few places: counted, and nothing written past them
  const auto run = [&] {
    survived = 0;
    simt::launch({3, 64}, [&] { reduce_kernel(args, scores.data(), n, 0, 1, 0, n); });
  };
  run();
  EXPECT_GT(survived, 10u);
  EXPECT_EQ(survivors[10].position, 0u);
  args.survivors.capacity = n;
  run();
  EXPECT_LT(survived, n / 4);  // it does filter
  Reduction reduced(settings);
  for (std::uint32_t i = 0; i < survived; ++i)
    reduced.add(Candidate{survivors[i].position, survivors[i].latency, survivors[i].quality});
  const auto same = [](const std::vector<Candidate>& a, const std::vector<Candidate>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) { return x.index == y.index; });
  };
  EXPECT_TRUE(same(reduced.front(), brute.front()));
  for (int limit = 0; limit < 2; ++limit) EXPECT_TRUE(same(reduced.best(limit), brute.best(limit)));
}

struct Outcome {
  std::vector<Candidate> front, best;
  bool gave_up = false;
};
void expect_equal(const Outcome& a, const Outcome& b) {
  const auto same = [](const Candidate& x, const Candidate& y) {
    return x.index == y.index && x.latency == y.latency && x.quality == y.quality;
  };
  EXPECT_EQ(a.gave_up, b.gave_up);
  EXPECT_TRUE(std::equal(a.front.begin(), a.front.end(), b.front.begin(), b.front.end(), same));
  EXPECT_TRUE(std::equal(a.best.begin(), a.best.end(), b.best.begin(), b.best.end(), same));
}

// Whichever order the blocks and threads of a device run in, and so atomics hand out places: the same result, also
// among many equal points, with margins, and where a reduction holds so few candidates that it gives its margins up.
TEST(ReduceKernels, TheOrderOfThreadsChangesNothing) {
  const std::vector<std::uint32_t> radices(6, 5);
  const OwnedDigits digits(radices, 1, 5);
  OwnedDigitTable latency(digits, false, 8), quality(digits, false, 9);
  for (auto* table : {&latency, &quality})
    for (double& weight : table->weights) weight = std::floor(4 * weight) / 4;  // few values: ties
  const DeviceTable x(digits, latency.table()), y(digits, quality.table());
  const DigitSplit split = split_digits(radices);
  const IndexRange run{7, 15000};
  const auto xs = definition(latency.table(), digits, run), ys = definition(quality.table(), digits, run);
  std::vector<double> scores = xs;
  scores.insert(scores.end(), ys.begin(), ys.end());
  for (const double margin : {0.0, 0.5})
    for (const bool in_memory : {false, true}) {
      ReductionSettings settings;
      settings.limits = {*std::max_element(xs.begin(), xs.end()) / 2};
      settings.best = 9;
      settings.latency_margin = settings.quality_margin = margin;
      if (in_memory) settings.max_candidates = 20;
      const auto outcome = [&](std::uint64_t order) {
        Reduction reduction(settings);
        std::vector<Survivor> survivors(run.count);
        for (std::uint64_t at = 0, n = 1000; at < run.count; at += n, n = std::min(3 * n, run.count - at)) {
          const FilterArrays filter = make_filter(reduction);
          unsigned long long survived = 0;
          ReduceArgs args;
          args.filter = filter.view();
          args.survivors = {&survived, survivors.data(), survivors.size()};
          const simt::Launch launch{3, 64, 0, false, order};
          if (in_memory) {
            simt::launch(launch, [&] {
              reduce_kernel(args, scores.data() + at, run.count, 0, 1, at, static_cast<std::uint32_t>(n));
            });
          } else {
            const auto size = x.args.leaf.size;
            const Start start = start_at(run, at, split, size);
            const auto prefixes = static_cast<std::uint32_t>((start.skip + n + size - 1) / size);
            simt::launch(
                launch, [&] { reduce_tables_kernel(args, x.args, y.args, start.places, prefixes, start.skip, at, n); });
          }
          std::vector<Survivor> found(survivors.begin(), survivors.begin() + static_cast<std::ptrdiff_t>(survived));
          add_survivors(found, run, split, reduction);
        }
        return Outcome{reduction.front(), reduction.best(0), reduction.gave_up_margins()};
      };
      const Outcome in_order = outcome(0);
      EXPECT_GT(in_order.front.size(), 3u);
      for (const std::uint64_t order : {1u, 2u, 3u, 4u, 5u}) expect_equal(outcome(order), in_order);
    }
}

// Points whose order decides when the margins are given up.
TEST(ReduceKernels, SurvivorsAreAddedInTheOrderOfTheirPositions) {
  ReductionSettings settings;
  settings.latency_margin = settings.quality_margin = 0.01;
  settings.max_candidates = 40'000;
  const IndexRange run{0, 200'000};
  const DigitSplit split = split_digits(std::vector<std::uint32_t>(6, 9));
  std::vector<Survivor> ascending;
  // The first half, each better than those before it, rules out the second one, whose points are all alike and are too
  // many where they come first.
  for (std::uint64_t i = 0; i < run.count; ++i) {
    const bool first_half = i < run.count / 2;
    const double better = 1e-3 * static_cast<double>(i);
    ascending.push_back({i, first_half ? -better : 1.0, first_half ? 2 + better : 1.0});
  }
  const auto gave_up = [&](std::vector<Survivor> survivors) {
    Reduction reduction(settings);
    add_survivors(survivors, run, split, reduction);
    return reduction.gave_up_margins();
  };
  const bool expected = gave_up(ascending);
  std::reverse(ascending.begin(), ascending.end());
  Reduction unsorted(settings);
  for (const auto& point : ascending) unsorted.add(Candidate{point.position, point.latency, point.quality});
  EXPECT_NE(unsorted.gave_up_margins(), expected);  // else this test shows nothing
  EXPECT_EQ(gave_up(ascending), expected);
}

}  // namespace
}  // namespace oneproxy::detail
