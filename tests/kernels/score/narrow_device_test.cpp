// The fused kernels of narrow MLPs and of fleets, run on the CPU thread by thread (tests/support/simt_on_host.h).
// clang-format off
#include "tests/kernels/score/device_cases.h"
#include "oneproxy/kernels/score/cuda/narrow.cuh"
// clang-format on

#include <limits>

#include "oneproxy/kernels/score/cuda/fleet_plan.h"
#include "oneproxy/kernels/score/cuda/narrow.h"
#include "oneproxy/kernels/score/mlp_error.h"
#include "tests/kernels/score/like_the_cpu.h"

namespace oneproxy::detail {
namespace {

using test::OwnedMlp;

struct NarrowCase {
  std::string name;
  Precision precision;
  std::vector<std::uint32_t> radices;
  int parts;
  std::vector<int> widths;
  IndexRange run;
  bool small_shared = false;  // no place for the table
};
void PrintTo(const NarrowCase& c, std::ostream* out) { *out << c.name; }

NarrowKernel kernel_of(const NarrowPlan& plan) {
  const bool deep = plan.layers > 1;
  if (plan.precision == Precision::bf16) {
    if (plan.width == 32) return deep ? narrow_kernel<Bf16Mma, 32, 2, true> : narrow_kernel<Bf16Mma, 32, 2, false>;
    if (plan.width == 64) return deep ? narrow_kernel<Bf16Mma, 64, 2, true> : narrow_kernel<Bf16Mma, 64, 2, false>;
    return deep ? narrow_kernel<Bf16Mma, 128, 2, true> : narrow_kernel<Bf16Mma, 128, 2, false>;
  }
  if (plan.precision == Precision::tf32) {
    if (plan.width == 32) return deep ? narrow_kernel<Tf32Mma, 32, 2, true> : narrow_kernel<Tf32Mma, 32, 2, false>;
    if (plan.width == 64) return deep ? narrow_kernel<Tf32Mma, 64, 2, true> : narrow_kernel<Tf32Mma, 64, 2, false>;
    return deep ? narrow_kernel<Tf32Mma, 128, 1, true> : narrow_kernel<Tf32Mma, 128, 1, false>;
  }
  if (plan.width == 32) return deep ? narrow_fp32_kernel<32, true> : narrow_fp32_kernel<32, false>;
  if (plan.width == 64) return deep ? narrow_fp32_kernel<64, true> : narrow_fp32_kernel<64, false>;
  return narrow_fp32_kernel<128, false>;
}

void launch_narrow(const NarrowPlan& plan, const NarrowArgs& args, unsigned blocks, unsigned threads) {
  simt::Runtime runtime;
  const auto shape = launch_shape(kernel_of(plan), plan, {}, runtime);
  for (const bool backwards : {false, true})
    runtime.launch(shape.kernel, {blocks, threads, static_cast<std::size_t>(plan.shared_bytes), backwards}, args);
}

// On weights of this size: rounding of inputs and weights, averaged over a layer.
double usual_error(Precision precision) {
  return precision == Precision::bf16 ? 0.02 : precision == Precision::tf32 ? 2e-3 : 5e-6;
}

// Scores of a run as a device makes them: base rows, then the fused kernel.
std::vector<double> narrow_scores(const Mlp& mlp, const OwnedDigits& digits, const IndexRange& run, Precision precision,
                                  bool small_shared) {
  const DigitSplit split = split_digits(digits.radices);
  NarrowPlan plan;
  DeviceLimits device;
  if (!plan_narrow(mlp, precision, device, plan)) throw std::logic_error("no fused kernel holds this model");
  const auto tables = first_layer_tables(mlp, digits.code(), split, plan.width, narrow_max_inner(plan), 1 << 30);
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
  return scores;
}

class NarrowKernels : public testing::TestWithParam<NarrowCase> {};

TEST_P(NarrowKernels, EqualTheDefinition) {
  const auto& [name, precision, radices, parts, widths, run, small_shared] = GetParam();
  const OwnedDigits digits(radices, parts, 5);
  const OwnedMlp owned(digits, widths, 6);
  const Mlp mlp = owned.mlp();
  expect_close(narrow_scores(mlp, digits, run, precision, small_shared), definition(mlp, digits, run),
               usual_error(precision), mlp_error_bound(mlp, digits.code(), precision, Backend::cuda));
}

// What the tests on a GPU demand holds for the kernels' arithmetic, also where the CPU's bf16 itself gives SRCC .99990
// (bits, seed 9), and not for ten times the error.
TEST(NarrowKernelErrors, AreThoseOfTheCpu) {
  const OwnedDigits bits(std::vector<std::uint32_t>(100, 2), 1, 5), cells(std::vector<std::uint32_t>(6, 5), 2, 5);
  const IndexRange run{(ArchIndex{1} << 64) * 999 + 77, 1500}, cells_run{77, 300};
  const auto check = [](const OwnedDigits& digits, const OwnedMlp& mlp, const IndexRange& of, Precision precision) {
    std::vector<std::uint32_t> list;
    for (std::uint64_t i = 0; i < of.count; ++i) {
      const auto own = digits_at(of.begin + i, digits.radices);
      list.insert(list.end(), own.begin(), own.end());
    }
    auto scores = narrow_scores(mlp.mlp(), digits, of, precision, false);
    EXPECT_TRUE(test::errors_like_the_cpu(mlp, digits, list, scores, precision, false));
    const auto exact = definition(mlp.mlp(), digits, of);
    if (precision != Precision::bf16) return;
    for (std::size_t i = 0; i < exact.size(); ++i) scores[i] += 9 * (scores[i] - exact[i]);
    EXPECT_FALSE(test::errors_like_the_cpu(mlp, digits, list, scores, precision, false));
  };
  for (const Precision precision : {Precision::bf16, Precision::tf32, Precision::fp32})
    for (const std::uint64_t seed : {8u, 9u}) {
      SCOPED_TRACE(std::string(to_string(precision)) + ", seed " + std::to_string(seed));
      check(bits, OwnedMlp(bits, {24, 24}, seed), run, precision);
      check(cells, OwnedMlp(cells, {32, 20, 32, 8}, seed), cells_run, precision);
    }
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
INSTANTIATE_TEST_SUITE_P(Cases, NarrowKernels, testing::ValuesIn(narrow_cases()),
                         [](const auto& instance) { return instance.param.name; });

// Plans of one function that live at the same time, as models of different depth or two scorers do: each can still be
// launched when another one, of less shared memory, was made after it.
TEST(NarrowLaunch, LaterPlansForbidNoEarlierOne) {
  const OwnedDigits digits(std::vector<std::uint32_t>(22, 9), 1, 1);
  const DeviceLimits device;
  simt::Runtime runtime(device.shared_bytes);
  std::vector<NarrowPlan> plans;
  for (const int depth : {4, 3, 2}) {
    NarrowPlan plan;
    ASSERT_TRUE(
        plan_narrow(OwnedMlp(digits, std::vector<int>(depth + 1, 128), 2).mlp(), Precision::bf16, device, plan));
    place_table(plan, 81, device);
    plans.push_back(plan);
  }
  ASSERT_EQ(kernel_of(plans[0]), kernel_of(plans[2]));
  ASSERT_LT(plans[2].shared_bytes, plans[0].shared_bytes);
  const NarrowArgs nothing;
  for (const auto& plan : plans) launch_shape(kernel_of(plan), plan, device, runtime);
  for (const auto& plan : plans)
    EXPECT_NO_THROW(runtime.launch(kernel_of(plan), {0, 32, static_cast<std::size_t>(plan.shared_bytes)}, nothing));
}

TEST(FleetKernel, EveryModelEqualsItsDefinition) {
  const OwnedDigits digits({5, 5, 5, 5}, 1, 5);
  for (const auto precision : {Precision::bf16, Precision::tf32}) {
    const IndexRange run{13, 401};
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
                   usual_error(precision), mlp_error_bound(models[m].mlp(), digits.code(), precision, Backend::cuda));
    }
  }
}

}  // namespace
}  // namespace oneproxy::detail
