// The kernels of tables and of reductions, run on the CPU thread by thread (tests/support/simt_on_host.h).
// clang-format off
#include "tests/kernels/score/device_cases.h"
#include "oneproxy/kernels/score/cuda/reduce_kernels.cuh"
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

struct DeviceTable {
  DeviceTable(const OwnedDigits& digits, const AdditiveTable<double>& table)
      : groups(group_digits(digits.radices, split_digits(digits.radices), 1, 1)) {
    const bool selects = table.bias.size() > 1;
    args = {table.weights.data(),
            table.bias.data(),
            table.weights.size() / table.bias.size(),
            selects,
            groups.data(),
            static_cast<int>(groups.size()),
            leaf_digits(digits.radices, split_digits(digits.radices), selects)};
  }
  std::vector<DigitGroup> groups;
  TableArgs args;
};

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

}  // namespace
}  // namespace oneproxy::detail
