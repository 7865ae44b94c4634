// Kernels that this CPU has, and the shapes of those that it may lack: emulated vectors run the same loops, packing and
// tails as AVX-512 and its bf16 pairs do, so that only the one-line intrinsics of kernels/mlp_tile_avx512*.cpp stay
// unproven where no such CPU runs the tests.
#include "oneproxy/kernels/score/cpu/mlp_cpu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/rank/rank.h"
#include "oneproxy/kernels/score/bf16.h"
#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"
#include "oneproxy/kernels/score/cpu/mlp_tile_vectors.h"
#include "oneproxy/kernels/score/mlp_error.h"
#include "oneproxy/kernels/score/scorer_detail.h"
#include "tests/kernels/score/mlp_cases.h"
#include "tests/support/scoped_variable.h"

namespace oneproxy {
namespace detail {
namespace {

struct Avx512Shape {
  static constexpr int max_groups = 4, row_multiple = 24;
  static constexpr int rows(int registers) { return registers == 4 ? 6 : 8; }
};

template <bool kRound>
struct EmulatedFp32 : VectorBase<float, 16, 16, kRound>, Avx512Shape {
  using Reg = typename VectorBase<float, 16, 16, kRound>::Reg;
  static constexpr int panel_bytes = 32768;
  static constexpr bool fused = true;
  static Reg multiply_add(Reg a, Reg b, Reg c) {
    for (int i = 0; i < 16; ++i) c[i] = std::fma(a[i], b[i], c[i]);
    return c;
  }
  static Reg step(Reg sum, Reg a, Reg w) { return multiply_add(a, w, sum); }
};

struct EmulatedFp64 : VectorBase<double, 8, 8, false>, Avx512Shape {
  static constexpr int panel_bytes = 32768;
  static constexpr bool fused = false;
  static Reg multiply_add(Reg a, Reg b, Reg c) { return c + a * b; }
  static Reg step(Reg sum, Reg a, Reg w) { return sum + a * w; }
};

struct EmulatedBf16Pairs : VectorBase<float, 16, 16, false>, Avx512Shape {
  using Act = std::uint16_t;
  struct In {
    std::uint16_t pairs[16][2];
  };
  static constexpr int inputs_per_step = 2, panel_bytes = 2048;  // small, so that narrow layers have blocks of inputs
  static constexpr bool fused = true, bf16 = true;
  static In weights(const Act* from) {
    In in;
    std::memcpy(&in, from, sizeof(in));
    return in;
  }
  static In broadcast(const Act* from) {
    In in;
    for (auto& pair : in.pairs) std::memcpy(pair, from, sizeof(pair));
    return in;
  }
  static Reg multiply_add(Reg a, Reg b, Reg c) { return EmulatedFp32<false>::multiply_add(a, b, c); }
  static void hide(In& in) { asm volatile("" : "+m"(in)); }
  static Reg step(Reg sum, In a, In w) {
    for (int i = 0; i < 16; ++i)
      for (int p = 1; p >= 0; --p) sum[i] = std::fma(bf16_value(a.pairs[i][p]), bf16_value(w.pairs[i][p]), sum[i]);
    return sum;
  }
  static void store_act(Act* to, Reg reg) {
    for (int i = 0; i < 16; ++i) to[i] = bf16_bits(reg[i]);
  }
};

constexpr Fp32Tile kEmulatedFp32 = tile_kernels<EmulatedFp32<false>>("avx512 shape");
constexpr Fp32Tile kEmulatedBf16InFp32 = tile_kernels<EmulatedFp32<true>>("avx512 shape");
constexpr Fp64Tile kEmulatedFp64 = tile_kernels<EmulatedFp64>("avx512 shape");
constexpr Bf16Tile kEmulatedBf16 = tile_kernels<EmulatedBf16Pairs>("bf16 pairs shape");

}  // namespace
}  // namespace detail

namespace {

using detail::MlpOnTiles;
using test::MlpCase;
using test::RandomMlp;
using test::Weights;

struct Path {
  std::string name;
  std::unique_ptr<MlpOnTiles> mlp;
};

std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512, Isa::avx512_bf16})
    if (isa_available(isa)) isas.push_back(isa);
  return isas;
}

// All ways to evaluate a model in one precision.
std::vector<Path> all_paths(const RandomMlp& random, Precision precision) {
  const auto lists = std::make_shared<const detail::RowLists>(random.code());
  const Mlp model = random.model();
  std::vector<Path> paths;
  for (const Isa isa : available_isas())
    paths.push_back({to_string(isa), detail::make_mlp_on_tiles(model, lists, precision, isa)});
  if (precision == Precision::fp64) {
    paths.push_back({"avx512 shape", detail::make_mlp_on_tiles(model, lists, detail::kEmulatedFp64)});
  } else if (precision == Precision::fp32) {
    paths.push_back({"avx512 shape", detail::make_mlp_on_tiles(model, lists, detail::kEmulatedFp32)});
  } else if (model.layers.size() > 1) {
    paths.push_back({"avx512 shape", detail::make_mlp_on_tiles(model, lists, detail::kEmulatedBf16InFp32)});
    paths.push_back({"bf16 pairs shape", detail::make_mlp_on_tiles(model, lists, detail::kEmulatedBf16)});
  }
  return paths;
}

std::vector<double> range_scores(const MlpOnTiles& mlp, ArchIndex begin, std::int64_t count) {
  std::vector<double> scores(count, -1);
  mlp.score_range(begin, count, scores.data());
  return scores;
}

std::vector<double> list_scores(const MlpOnTiles& mlp, const RandomMlp& random, ArchIndex begin, std::int64_t count) {
  std::vector<std::uint32_t> digits;
  for (std::int64_t i = 0; i < count; ++i)
    for (const std::uint32_t digit : random.digits_of(begin + i)) digits.push_back(digit);
  std::vector<double> scores(count, -1);
  mlp.score_digits(digits.data(), count, scores.data());
  return scores;
}

std::vector<double> defined_scores(const RandomMlp& random, ArchIndex begin, std::int64_t count) {
  std::vector<double> scores;
  for (std::int64_t i = 0; i < count; ++i) scores.push_back(random.score(begin + i));
  return scores;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::isnan(a[i]) || std::isnan(b[i]) ? std::numeric_limits<double>::infinity()
                                                : std::max(most, std::abs(a[i] - b[i]));
  return most;
}

double largest(const std::vector<double>& values) {
  return largest_difference(values, std::vector<double>(values.size()));
}

// An odd stretch, from some odd place on.
struct Stretch {
  ArchIndex begin;
  std::int64_t count;
};
Stretch stretch_of(const RandomMlp& random, const MlpCase& mlp_case) {
  const ArchIndex size = random.size(), begin = size / 3;
  std::int64_t work = 0;
  for (std::size_t l = 1; l < mlp_case.widths.size(); ++l) work += mlp_case.widths[l - 1] * mlp_case.widths[l];
  const std::int64_t most = work > 100'000 ? 31 : work > 10'000 ? 109 : 331;
  return {begin, static_cast<std::int64_t>(std::min<ArchIndex>(most, size - begin))};
}

std::vector<MlpCase> cases() {
  std::vector<MlpCase> all;
  std::uint64_t seed = 1;
  for (const int width : {1, 3, 16, 17, 64, 100, 128, 400})
    for (int depth = 1; depth <= 4; ++depth) {
      if (width == 400 && depth == 4) continue;
      all.push_back({"w" + std::to_string(width) + "_d" + std::to_string(depth),
                     {5, 5, 5, 5, 5, 5},
                     1,
                     0,
                     std::vector<int>(depth, width),
                     seed++});
    }
  all.push_back({"falling_widths", {9, 9, 9, 9}, 1, 0, {100, 33, 80, 7}, seed++});
  all.push_back({"rising_widths", {9, 9, 9, 9}, 1, 0, {2, 90, 145, 240}, seed++});
  all.push_back({"wide", {3, 3, 3, 3, 3}, 1, 0, {33, 600, 20}, seed++});
  all.push_back({"one_digit", {97}, 1, 0, {64, 64}, seed++});
  all.push_back({"one_architecture", {1}, 1, 0, {64, 64}, seed++});
  all.push_back({"radix_1_digits", {1, 7, 1, 1, 5, 1}, 1, 0, {40, 40}, seed++});
  all.push_back({"composite", {25, 70, 30, 11}, 3, 40, {64, 48}, seed++});
  all.push_back({"composite_last_alone", {25, 7371}, 4, 128, {96, 96}, seed++});
  all.push_back({"composite_too_large", {6, 7371}, 4, 128, {400, 30}, seed++});  // the last digit has no table
  all.push_back({"composite_one_hidden", {25, 70, 30}, 3, 40, {50}, seed++});
  all.push_back({"fbnet", std::vector<std::uint32_t>(22, 9), 1, 0, {128, 128}, seed++});
  return all;
}

class MlpCpuTest : public testing::TestWithParam<MlpCase> {};
INSTANTIATE_TEST_SUITE_P(Shapes, MlpCpuTest, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(MlpCpuTest, Fp64IsTheDefinitionToTheBit) {
  const RandomMlp random(GetParam());
  const auto [begin, count] = stretch_of(random, GetParam());
  const std::vector<double> expected = defined_scores(random, begin, count);
  for (const Path& path : all_paths(random, Precision::fp64)) {
    EXPECT_EQ(range_scores(*path.mlp, begin, count), expected) << path.name;
    EXPECT_EQ(list_scores(*path.mlp, random, begin, count), expected) << path.name;
  }
}

TEST_P(MlpCpuTest, Fp32IsCloseAndWithinItsBound) {
  const RandomMlp random(GetParam());
  const auto [begin, count] = stretch_of(random, GetParam());
  const std::vector<double> expected = defined_scores(random, begin, count);
  const double bound = detail::mlp_error_bound(random.model(), random.code(), Precision::fp32, Backend::cpu);
  ASSERT_TRUE(std::isfinite(bound));
  for (const Path& path : all_paths(random, Precision::fp32)) {
    const double difference = largest_difference(range_scores(*path.mlp, begin, count), expected);
    EXPECT_LE(difference, 1e-5 * (1 + largest(expected))) << path.name;
    EXPECT_LE(difference, bound) << path.name;
  }
}

TEST_P(MlpCpuTest, Bf16IsRoughAndWithinItsBound) {
  const RandomMlp random(GetParam());
  const auto [begin, count] = stretch_of(random, GetParam());
  const std::vector<double> expected = defined_scores(random, begin, count);
  const double bound = detail::mlp_error_bound(random.model(), random.code(), Precision::bf16, Backend::cpu);
  ASSERT_TRUE(std::isfinite(bound));
  const auto fp32 = range_scores(*all_paths(random, Precision::fp32)[0].mlp, begin, count);
  for (const Path& path : all_paths(random, Precision::bf16)) {
    const auto scores = range_scores(*path.mlp, begin, count);
    const double difference = largest_difference(scores, expected);
    EXPECT_LE(difference, 0.03 * (1 + largest(expected))) << path.name;
    EXPECT_LE(difference, bound) << path.name;
    if (GetParam().widths.size() > 1 && count > 10 && largest(expected) > 0.5) {
      EXPECT_GT(largest_difference(scores, fp32), 1e-6) << path.name << " is not rounded to bf16";
    }
  }
}

// Whatever the instruction set with FMA, the way to the architecture or the chunk: the same bits.
TEST_P(MlpCpuTest, FastScoresAreReproducible) {
  const RandomMlp random(GetParam());
  const auto [begin, count] = stretch_of(random, GetParam());
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    std::vector<double> fused;
    for (const Path& path : all_paths(random, precision)) {
      const auto scores = range_scores(*path.mlp, begin, count);
      EXPECT_EQ(list_scores(*path.mlp, random, begin, count), scores) << path.name;
      std::vector<double> pieces(count, -1);
      for (std::int64_t first = 0, step = 1; first < count; first += step, step = step * 2 + 1)
        path.mlp->score_range(begin + first, std::min(step, count - first), pieces.data() + first);
      EXPECT_EQ(pieces, scores) << path.name << " in pieces";
      const bool pairs =
          path.name == "bf16 pairs shape" || (path.name == to_string(Isa::avx512_bf16) && precision == Precision::bf16);
      if (path.name == to_string(Isa::portable) || pairs) continue;  // no FMA; two products at a step
      if (!fused.empty()) {
        EXPECT_EQ(scores, fused) << path.name;
      }
      fused = scores;
    }
  }
}

class HugeIndexTest : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Powers, HugeIndexTest, testing::Values(31, 32, 63, 64), testing::PrintToStringParamName());

TEST_P(HugeIndexTest, RangesAcrossPowersOfTwo) {
  for (const int parts : {1, 2}) {
    const RandomMlp random({"huge", std::vector<std::uint32_t>(22, 9), parts, 0, {20, 24}, 5});
    const ArchIndex begin = (ArchIndex{1} << GetParam()) - 101;
    const std::vector<double> expected = defined_scores(random, begin, 203);
    for (const Path& path : all_paths(random, Precision::fp64)) {
      EXPECT_EQ(range_scores(*path.mlp, begin, 203), expected) << path.name;
      EXPECT_EQ(list_scores(*path.mlp, random, begin, 203), expected) << path.name;
    }
    for (const Path& path : all_paths(random, Precision::fp32))
      EXPECT_LE(largest_difference(range_scores(*path.mlp, begin, 203), expected), 1e-5) << path.name;
  }
}

TEST(MlpCpuEdgeTest, EmptyRangesWriteNothingAndTheLastArchitectureIsReached) {
  const RandomMlp random({"edge", {9, 9, 9, 9, 9, 9, 9}, 1, 0, {64, 64}, 9});
  for (const Precision precision : {Precision::fp64, Precision::fp32})
    for (const Path& path : all_paths(random, precision)) {
      double untouched = 7;
      path.mlp->score_range(3, 0, &untouched);
      path.mlp->score_digits(nullptr, 0, &untouched);
      EXPECT_EQ(untouched, 7) << path.name;
      const auto scores = range_scores(*path.mlp, random.size() - 100, 100);
      EXPECT_NEAR(scores.back(), random.score(random.size() - 1), 1e-5) << path.name;
      float rounded = 0;
      path.mlp->score_range(random.size() - 1, 1, &rounded);
      EXPECT_EQ(rounded, static_cast<float>(scores.back())) << path.name;
    }
}

// Bounds must hold where errors are largest, and are worth having only if they are not absurd.
TEST(MlpErrorTest, BoundsHoldForStructuredWeightsAndSayHowLooseTheyAre) {
  const std::vector<std::uint32_t> radices(6, 5);
  for (const Weights weights : {Weights::trained_like, Weights::positive, Weights::cancelling, Weights::mixed_sizes})
    for (const std::vector<int>& widths : {std::vector<int>{64}, {64, 64}, {128, 128}, {48, 48, 48, 48}})
      for (const Precision precision : {Precision::fp32, Precision::bf16})
        for (std::uint64_t seed = 1; seed <= 2; ++seed) {
          const RandomMlp random({"bound", radices, 1, 0, widths, seed, weights});
          const double bound = detail::mlp_error_bound(random.model(), random.code(), precision, Backend::cpu);
          const std::int64_t count = 151;
          const ArchIndex begin = random.size() / 2;
          const auto expected = defined_scores(random, begin, count);
          double observed = 0;
          for (const Path& path : all_paths(random, precision)) {
            const double difference = largest_difference(range_scores(*path.mlp, begin, count), expected);
            EXPECT_LE(difference, bound) << path.name;
            observed = std::max(observed, difference);
          }
          ASSERT_TRUE(std::isfinite(bound));
          if (weights == Weights::positive) {
            EXPECT_LT(bound, 400 * observed);
          }
          if (seed == 1)
            std::printf("  weights %d, %zu x %d %s: observed %.2e, bound %.2e, %.0f times\n", static_cast<int>(weights),
                        widths.size(), widths[0], to_string(precision), observed, bound, bound / observed);
        }
}

TEST(MlpErrorTest, OverflowHasNoBoundAndFp64NoError) {
  std::vector<double> rows(4, 1e30), bias(2, 0.0), weights(2, 1e30), zero(1, 0.0);
  const std::vector<std::uint32_t> radices{2};
  const std::vector<std::int32_t> numbers{0, 1};
  const Mlp model{2, rows, bias, {{2, 1, weights, zero}}};
  const DigitCode code{radices, 1, numbers, 2};
  EXPECT_EQ(detail::mlp_error_bound(model, code, Precision::fp32, Backend::cpu),
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(detail::mlp_error_bound(model, code, Precision::fp64, Backend::cpu), 0);
}

// What we sell: the order of architectures.
TEST(MlpCpuRankTest, FastScoresRankAsFp64Does) {
  struct Space {
    MlpCase mlp_case;
    std::int64_t count;
  };
  const std::vector<std::uint32_t> ofa{7371, 7371, 7371, 7371, 7371, 25};
  const Space spaces[] = {{{"nasbench201", {5, 5, 5, 5, 5, 5}, 1, 0, {64, 64}, 31}, 15'625},
                          {{"fbnet", std::vector<std::uint32_t>(22, 9), 1, 0, {128, 128}, 32}, 4'000},
                          {{"ofa", ofa, 4, 128, {400, 400, 400}, 33}, 400}};
  for (const auto& [mlp_case, count] : spaces) {
    const RandomMlp random(mlp_case);
    const auto lists = std::make_shared<const detail::RowLists>(random.code());
    std::vector<std::uint32_t> digits;
    const Philox draws{3, 3};
    for (std::int64_t i = 0; i < count; ++i)
      for (std::size_t d = 0; d < mlp_case.radices.size(); ++d)
        digits.push_back(static_cast<std::uint32_t>(
            draws.below(static_cast<std::uint64_t>(i) * mlp_case.radices.size() + d, mlp_case.radices[d])));
    const Isa isa = available_isas().back();
    std::vector<double> exact(count), fast(count);
    detail::make_mlp_on_tiles(random.model(), lists, Precision::fp64, isa)
        ->score_digits(digits.data(), count, exact.data());
    for (const Precision precision : {Precision::fp32, Precision::bf16}) {
      detail::make_mlp_on_tiles(random.model(), lists, precision, isa)->score_digits(digits.data(), count, fast.data());
      const double srcc = spearman(exact, fast, Backend::cpu).value;
      std::printf("  %s %s: SRCC with fp64 %.8f\n", mlp_case.name.c_str(), to_string(precision), srcc);
      EXPECT_GE(srcc, 0.9999) << mlp_case.name << " " << to_string(precision);
    }
  }
}

class IsaVariable : public testing::Test {
 protected:
  const test::ScopedVariable isa_{"ONEPROXY_ISA"};
};

TEST_F(IsaVariable, ChoosesAndRefuses) {
  EXPECT_EQ(chosen_isa(), available_isas().back());
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
    isa_.set(to_string(isa));
    if (isa_available(isa)) {
      EXPECT_EQ(chosen_isa(), isa);
    } else {
      EXPECT_THROW(chosen_isa(), Error) << to_string(isa);
    }
  }
  for (const char* wrong : {"avx", "AVX2", "", "sse"}) {
    isa_.set(wrong);
    EXPECT_THROW(chosen_isa(), Error) << wrong;
  }
}

TEST_F(IsaVariable, MlpCpuFollowsItAndNamesItsPath) {
  const RandomMlp random({"named", {5, 5, 5, 5, 5, 5}, 1, 0, {64, 64}, 4});
  const detail::OwnedCode code(random.code());
  isa_.set("portable");
  const detail::MlpCpu portable(random.model(), code, Precision::fp32), bf16(random.model(), code, Precision::bf16);
  EXPECT_EQ(portable.path().find("portable fp32, table of "), 0u) << portable.path();
  EXPECT_NE(bf16.path().find("emulated"), std::string::npos) << bf16.path();
  isa_.unset();
  const detail::MlpCpu exact(random.model(), code, Precision::fp64);
  EXPECT_EQ(exact.error_bound(), 0);
  EXPECT_GT(bf16.error_bound(), portable.error_bound());
  std::vector<double> scores(50), expected = defined_scores(random, 9'000, 50);
  exact.score_range(9'000, 50, scores.data());
  EXPECT_EQ(scores, expected);
  portable.score_range(9'000, 50, scores.data());
  EXPECT_LE(largest_difference(scores, expected), portable.error_bound());
  EXPECT_THROW(detail::MlpCpu(random.model(), code, Precision::tf32), Error);
}

}  // namespace
}  // namespace oneproxy
