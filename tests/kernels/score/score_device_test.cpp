// The kernels of the CUDA twin of Scorer, run on the CPU thread by thread (tests/support/simt_on_host.h).
// The emulation comes before what it emulates.
// clang-format off
#include "tests/support/simt_on_host.h"
#include "oneproxy/kernels/score/cuda/device.cuh"
#include "oneproxy/kernels/score/cuda/narrow.cuh"
// clang-format on

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy::detail {
namespace {

using test::OwnedDigits;
using test::OwnedDigitTable;
using test::OwnedMlp;

std::vector<std::uint32_t> digits_at(ArchIndex index, const std::vector<std::uint32_t>& radices) {
  std::vector<std::uint32_t> digits(radices.size());
  decode_digits(index, radices.data(), static_cast<int>(radices.size()), digits.data());
  return digits;
}

std::vector<double> definition(const Model& model, const OwnedDigits& digits, const ArchRun& run) {
  const DigitSplit split = split_digits(digits.radices);
  std::vector<double> scores;
  for (std::uint64_t i = 0; i < run.count; ++i)
    scores.push_back(
        score_by_definition(model, digits.code(), digits_at(run_index(run, i, split), digits.radices).data()));
  return scores;
}

FirstLayerArgs<float> first_layer_args(const FirstLayerTables& tables, int n_groups) {
  return {tables.groups.data(), n_groups, tables.rows.data(), tables.bias.data(), nullptr, 1, tables.width};
}

// ---- narrow MLPs -------------------------------------------------------------------------------------------------

struct NarrowCase {
  std::string name;
  Precision precision;
  std::vector<std::uint32_t> radices;
  int parts;
  std::vector<int> widths;
  ArchRun run;
  bool small_shared = false;  // no place for the table
};
void PrintTo(const NarrowCase& c, std::ostream* out) { *out << c.name; }

void launch_narrow(const NarrowPlan& plan, const NarrowArgs& args, unsigned blocks, unsigned threads) {
  for (const bool backwards : {false, true}) {
    const simt::Launch launch{blocks, threads, static_cast<std::size_t>(plan.shared_bytes), backwards};
    const auto run = [&](auto kernel) { simt::launch(launch, [&] { kernel(args); }); };
    const bool deep = plan.layers > 1;
    if (plan.precision == Precision::bf16) {
      if (plan.width == 32) run(deep ? narrow_kernel<Bf16Mma, 32, 2, true> : narrow_kernel<Bf16Mma, 32, 2, false>);
      if (plan.width == 64) run(deep ? narrow_kernel<Bf16Mma, 64, 2, true> : narrow_kernel<Bf16Mma, 64, 2, false>);
      if (plan.width == 128) run(deep ? narrow_kernel<Bf16Mma, 128, 2, true> : narrow_kernel<Bf16Mma, 128, 2, false>);
    } else if (plan.precision == Precision::tf32) {
      if (plan.width == 32) run(deep ? narrow_kernel<Tf32Mma, 32, 2, true> : narrow_kernel<Tf32Mma, 32, 2, false>);
      if (plan.width == 64) run(deep ? narrow_kernel<Tf32Mma, 64, 2, true> : narrow_kernel<Tf32Mma, 64, 2, false>);
      if (plan.width == 128) run(deep ? narrow_kernel<Tf32Mma, 128, 1, true> : narrow_kernel<Tf32Mma, 128, 1, false>);
    } else {
      if (plan.width == 32) run(deep ? narrow_fp32_kernel<32, true> : narrow_fp32_kernel<32, false>);
      if (plan.width == 64) run(deep ? narrow_fp32_kernel<64, true> : narrow_fp32_kernel<64, false>);
      if (plan.width == 128) run(narrow_fp32_kernel<128, false>);
    }
  }
}

// On weights of this size: rounding of inputs and weights, averaged over a layer.
double usual_error(Precision precision) {
  return precision == Precision::bf16 ? 0.02 : precision == Precision::tf32 ? 2e-3 : 5e-6;
}

void expect_close(const std::vector<double>& fast, const std::vector<double>& exact, double usual, double bound) {
  ASSERT_EQ(fast.size(), exact.size());
  double largest = 0;
  for (std::size_t i = 0; i < fast.size(); ++i) {
    ASSERT_LE(std::abs(fast[i] - exact[i]), usual) << "at " << i << ": " << fast[i] << " for " << exact[i];
    largest = std::max(largest, std::abs(fast[i] - exact[i]));
  }
  EXPECT_LE(largest, bound);
}

class NarrowKernel : public testing::TestWithParam<NarrowCase> {};

TEST_P(NarrowKernel, EqualsTheDefinition) {
  const auto& [name, precision, radices, parts, widths, run, small_shared] = GetParam();
  const OwnedDigits digits(radices, parts, 5);
  const OwnedMlp owned(digits, widths, 6);
  const Mlp mlp = owned.mlp();
  const DigitSplit split = split_digits(radices);
  NarrowPlan plan;
  DeviceLimits device;
  ASSERT_TRUE(plan_narrow(mlp, precision, device, plan));
  const auto tables = first_layer_tables(mlp, digits.code(), split, plan.width, narrow_most_inner(plan), 1 << 30);
  if (small_shared) device.shared_bytes = plan.shared_bytes;
  place_table(plan, tables.inner(), device);
  EXPECT_EQ(plan.table_in_shared, !small_shared);
  const auto weights = pack_narrow(mlp, plan);

  NarrowArgs args;
  args.inner = run.shuffled ? 1 : tables.inner();
  const Start start = start_at(run, 0, split, args.inner);
  const auto n_base = static_cast<std::uint32_t>((start.skip + run.count + args.inner - 1) / args.inner);
  const int n_groups = static_cast<int>(tables.groups.size());
  std::vector<float> base(static_cast<std::size_t>(n_base) * plan.width);
  const auto first = first_layer_args(tables, run.shuffled ? n_groups : n_groups - 1);
  simt::launch({3, 32, kFirstLayerRows * sizeof(std::uint32_t) * n_groups},
               [&] { first_layer_kernel<float>(first, start.places, args.inner, n_base, base.data()); });

  args.base = base.data();
  args.table = run.shuffled ? nullptr : tables.rows.data() + std::size_t{tables.groups.back().offset} * plan.width;
  args.fragments = weights.fragments.data();
  args.vectors = weights.vectors.data();
  args.layers = plan.layers;
  args.skip = start.skip;
  args.table_in_shared = plan.table_in_shared;
  args.table_stride = plan.table_stride;
  args.count = run.count;
  std::vector<double> scores(run.count, std::numeric_limits<double>::quiet_NaN());
  args.scores = scores.data();
  launch_narrow(plan, args, 2, 64);
  expect_close(scores, definition(mlp, digits, run), usual_error(precision),
               mlp_error_bound_cuda(mlp, digits.code(), precision));
}

std::vector<NarrowCase> narrow_cases() {
  using Radices = std::vector<std::uint32_t>;
  const Radices cells(6, 5), fbnet(22, 9), mixed = {4, 1, 7, 2, 13, 1, 6, 3, 11};
  const ArchIndex two_to_32 = ArchIndex{1} << 32, two_to_64 = ArchIndex{1} << 64;
  std::vector<NarrowCase> cases;
  for (const auto precision : {Precision::bf16, Precision::tf32, Precision::fp32}) {
    const std::string p = to_string(precision);
    cases.push_back({p + "_cells_64", precision, cells, 1, {64, 64}, {100, 331}});
    cases.push_back({p + "_uneven_widths", precision, cells, 1, {40, 50}, {0, 125}});
    cases.push_back({p + "_thin", precision, mixed, 3, {7, 3}, {12345, 100}});
    cases.push_back({p + "_deep", precision, mixed, 3, {24, 32, 20, 8}, {4001, 77}});
    cases.push_back({p + "_deep_64", precision, cells, 1, {64, 64, 64}, {15500, 125}});
    cases.push_back({p + "_fbnet_128", precision, fbnet, 1, {128, 128}, {two_to_32 - 40, 80}});
    cases.push_back({p + "_across_64_bit", precision, fbnet, 1, {64, 64}, {two_to_64 - 30, 67}});
    cases.push_back({p + "_shuffled", precision, fbnet, 1, {64, 48}, {two_to_32 - 5, 50, true, 77}});
    cases.push_back({p + "_one", precision, fbnet, 1, {32, 32}, {two_to_64 + 1, 1}});
    cases.push_back({p + "_table_outside", precision, cells, 1, {64, 64}, {7, 150}, true});
    if (precision != Precision::fp32) cases.push_back({p + "_deep_128", precision, cells, 1, {128, 100, 128}, {1, 40}});
  }
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Cases, NarrowKernel, testing::ValuesIn(narrow_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST(FleetKernel, EveryModelEqualsItsDefinition) {
  const OwnedDigits digits({5, 5, 5, 5}, 1, 5);
  for (const auto precision : {Precision::bf16, Precision::tf32}) {
    const ArchRun run{13, 401};
    std::vector<OwnedMlp> models;
    for (std::uint64_t seed = 0; seed < 3; ++seed) models.emplace_back(digits, std::vector<int>{60, 64}, seed);
    FleetPlan plan;
    ASSERT_TRUE(plan_fleet(models[0].mlp(), digits.code(), run, precision, {}, plan));
    EXPECT_EQ(plan.narrow.inner, 25u);
    std::vector<float> parameters(plan.stride * models.size());
    for (std::size_t m = 0; m < models.size(); ++m)
      fleet_parameters(models[m].mlp(), digits.code(), plan, parameters.data() + m * plan.stride);
    std::vector<float> scores(models.size() * run.count, std::numeric_limits<float>::quiet_NaN());
    NarrowArgs args;
    args.layers = plan.narrow.layers;
    args.inner = plan.narrow.inner;
    args.skip = plan.skip;
    args.table_in_shared = true;
    args.table_stride = plan.narrow.table_stride;
    args.count = run.count;
    args.scores_f32 = scores.data();
    args.fleet = {parameters.data(),      plan.stride,      plan.n_values,       plan.n_base, 2, plan.base_rows.data(),
                  plan.inner_rows.data(), plan.first_inner, 4 - plan.first_inner};
    launch_narrow(plan.narrow, args, 2 * static_cast<unsigned>(models.size()), 64);
    for (std::size_t m = 0; m < models.size(); ++m) {
      const auto own = scores.begin() + static_cast<std::ptrdiff_t>(m * run.count);
      expect_close({own, own + static_cast<std::ptrdiff_t>(run.count)}, definition(models[m].mlp(), digits, run),
                   usual_error(precision), mlp_error_bound_cuda(models[m].mlp(), digits.code(), precision));
    }
  }
}

// ---- wide MLPs and fp64 ------------------------------------------------------------------------------------------

TEST(LayerKernels, Fp64IsTheDefinitionToTheBit) {
  const OwnedDigits digits({4, 1, 7, 2, 13, 6}, 3, 9);
  const OwnedMlp owned(digits, {37, 20, 11}, 2);
  const Mlp mlp = owned.mlp();
  const DigitSplit split = split_digits(digits.radices);
  const auto singles = group_digits(digits.radices, split, 1, 1);
  for (const ArchRun run : {ArchRun{1234, 99}, ArchRun{1234, 99, true, 3}}) {
    const auto n = static_cast<std::uint32_t>(run.count);
    std::vector<double> h(run.count * 37), next;
    const FirstLayerArgs<double> first{singles.data(),
                                       static_cast<int>(singles.size()),
                                       mlp.rows.data(),
                                       mlp.first_bias.data(),
                                       digits.rows.data(),
                                       digits.parts,
                                       37};
    const Start start = start_at(run, 0, split, 1);
    simt::launch({2, 32, kFirstLayerRows * sizeof(std::uint32_t) * singles.size()},
                 [&] { first_layer_kernel<double>(first, start.places, 1, n, h.data()); });
    for (const auto& layer : mlp.layers) {
      std::vector<double> transposed(layer.weights.size());
      for (int o = 0; o < layer.outputs; ++o)
        for (int i = 0; i < layer.inputs; ++i) transposed[i * layer.outputs + o] = layer.weights[o * layer.inputs + i];
      next.assign(run.count * layer.outputs, 0);
      simt::launch({2, 64}, [&] {
        dense_fp64_kernel(h.data(), n, layer.inputs, layer.outputs, transposed.data(), layer.bias.data(), next.data());
      });
      h.swap(next);
    }
    EXPECT_EQ(h, definition(mlp, digits, run));
  }
}

TEST(LayerKernels, FirstAndLastLayerOfAWideMlp) {
  const OwnedDigits digits({3, 50, 7}, 2, 9);
  const OwnedMlp owned(digits, {200}, 2);
  const Mlp mlp = owned.mlp();
  const DigitSplit split = split_digits(digits.radices);
  const auto tables = first_layer_tables(mlp, digits.code(), split, 200, 400, 1 << 30);
  const ArchRun run{123, 300};
  const Start start = start_at(run, 0, split, tables.inner());
  const auto n_base = static_cast<std::uint32_t>((start.skip + run.count + tables.inner() - 1) / tables.inner());
  const int n_groups = static_cast<int>(tables.groups.size());
  std::vector<float> base(n_base * 200), weights;
  const auto first = first_layer_args(tables, n_groups - 1);
  simt::launch({1, 32, kFirstLayerRows * sizeof(std::uint32_t) * n_groups},
               [&] { first_layer_kernel<float>(first, start.places, tables.inner(), n_base, base.data()); });
  for (const double w : mlp.layers[0].weights) weights.push_back(static_cast<float>(w));
  const float* inner = tables.rows.data() + tables.groups.back().offset * 200;
  const auto scores_with = [&](auto stored) {
    std::vector<decltype(stored)> activations(run.count * 200);
    std::vector<double> scores(run.count);
    simt::launch({2, 64}, [&] {
      activation_kernel(base.data(), inner, tables.inner(), start.skip, 300, 200, activations.data());
    });
    simt::launch({2, 64}, [&] {
      last_layer_kernel(activations.data(), 300, 200, weights.data(), static_cast<float>(mlp.layers[0].bias[0]),
                        scores.data());
    });
    return scores;
  };
  const auto exact = definition(mlp, digits, run);
  expect_close(scores_with(0.0f), exact, 2e-6, mlp_error_bound_cuda(mlp, digits.code(), Precision::fp32));
  expect_close(scores_with(Bf16{}), exact, 1e-2, mlp_error_bound_cuda(mlp, digits.code(), Precision::bf16));
}

// ---- tables ------------------------------------------------------------------------------------------------------

struct TableCase {
  std::string name;
  std::vector<std::uint32_t> radices;
  bool selected;
  ArchRun run;
};
void PrintTo(const TableCase& c, std::ostream* out) { *out << c.name; }

struct DeviceTable {
  DeviceTable(const OwnedDigits& digits, const DigitTable& table)
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

// ---- reductions --------------------------------------------------------------------------------------------------

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

// A kernel whose threads do not all reach a barrier is found, and so is one that reads before another thread writes.
TEST(Emulation, FindsAMissingBarrier) {
  EXPECT_THROW(simt::launch({1, 64},
                            [] {
                              if (threadIdx.x < 40) __syncthreads();
                            }),
               std::logic_error);
  int wrong = 0;
  for (const bool backwards : {false, true}) {
    std::vector<int> seen(32);
    simt::launch({1, 32, 32 * sizeof(int), backwards}, [&] {
      auto* values = reinterpret_cast<int*>(dynamic_shared());
      values[threadIdx.x] = 1;
      seen[threadIdx.x] = values[(threadIdx.x + 1) % 32];
    });
    for (const int value : seen) wrong += value != 1;
  }
  EXPECT_GT(wrong, 0);
}

}  // namespace
}  // namespace oneproxy::detail
