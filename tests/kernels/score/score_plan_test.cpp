// What the CUDA twin of Scorer decides on the host: no GPU needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/cuda/chunks.h"
#include "oneproxy/kernels/score/cuda/filter.h"
#include "oneproxy/kernels/score/cuda/first_layer.h"
#include "oneproxy/kernels/score/cuda/fleet_plan.h"
#include "oneproxy/kernels/score/cuda/leaf.h"
#include "oneproxy/kernels/score/cuda/narrow_plan.h"
#include "oneproxy/kernels/score/cuda/places.h"
#include "oneproxy/kernels/score/cuda/rounds.h"
#include "oneproxy/kernels/score/mlp_error.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy::detail {
namespace {

using test::OwnedDigits;
using test::OwnedMlp;
using Radices = std::vector<std::uint32_t>;

constexpr ArchIndex kTwoTo32 = ArchIndex{1} << 32, kTwoTo64 = ArchIndex{1} << 64;

// ---- places ------------------------------------------------------------------------------------------------------

// Values of groups, put back into digits, against plain 128-bit decoding of the same place.
void expect_digits(const Radices& radices, const ArchRun& run, std::uint64_t position, std::uint64_t most,
                   std::uint64_t step) {
  const DigitSplit split = split_digits(radices);
  const auto groups = group_digits(radices, split, most, most);
  const Start start = start_at(run, position, split, run.shuffled ? 1 : step);
  EXPECT_LT(start.skip, step);
  const int n = static_cast<int>(radices.size());
  std::vector<std::uint32_t> expected(n), actual(n);
  for (const std::uint64_t offset : std::vector<std::uint64_t>{0, 1, 12345, 0xFFFFFFFF, 0x100000011}) {
    if (run.begin + position + offset >= DigitCode{radices, 1, {}, 0}.size()) continue;
    decode_digits(run_index(run, position + offset, split), radices.data(), n, expected.data());
    each_group(start.places, groups.data(), static_cast<int>(groups.size()), start.skip + offset,
               [&](int g, std::uint32_t value) {
                 decode_digits(value, radices.data() + groups[g].first_digit, static_cast<int>(groups[g].n_digits),
                               actual.data() + groups[g].first_digit);
               });
    EXPECT_EQ(actual, expected) << "position " << position << " + " << offset;
  }
}

TEST(Places, DecodeAsPlain128BitArithmetic) {
  const Radices cells(6, 5), fbnet(22, 9), bits(120, 2), ofa = {25, 7371, 7371, 7371, 7371, 7371}, one = {7},
                                                         huge = {700000000u, 700000000u, 700000000u};
  for (const bool shuffled : {false, true}) {
    for (const std::uint64_t most : {1u, 30u, 4096u}) {
      expect_digits(cells, {3, 15000, shuffled, 1}, 77, most, 25);
      const ArchIndex part = 31381059609;  // 9^11: FBNet's right part, whose carry is met exactly
      for (const ArchIndex begin :
           {ArchIndex{0}, kTwoTo32 - 9, kTwoTo64 - 12345, kTwoTo64 * 7 + 5, part * 5 - 12345, part * 7 - 1}) {
        expect_digits(fbnet, {begin, ~0ull, shuffled, 2}, 0, most, 81);
        expect_digits(fbnet, {begin, ~0ull, shuffled, 2}, (1ull << 63) + 99, most, 81);
        expect_digits(bits, {begin, ~0ull, shuffled, 2}, ~0ull - (1ull << 34), most, 256);
        expect_digits(ofa, {begin, ~0ull, shuffled, 2}, 1ull << 40, most, 7371);
      }
      expect_digits(one, {0, 7, shuffled, 2}, 3, most, 7);
    }
    expect_digits(huge, {kTwoTo64 * 3 - 1, 1ull << 40, shuffled, 5}, 8, 1, 1);
  }
}

TEST(Groups, CoverEachDigitOnceAndDoNotCrossTheParts) {
  for (const Radices& radices : {Radices(22, 9), Radices{25, 7371, 7371, 3, 7371, 2}, Radices{1, 1, 5, 1}}) {
    const DigitSplit split = split_digits(radices);
    const auto groups = group_digits(radices, split, 1000, 90);
    std::uint32_t next = 0, row = 0;
    for (const auto& group : groups) {
      EXPECT_EQ(group.first_digit, next);
      EXPECT_EQ(group.offset, row);
      std::uint64_t product = 1;
      for (std::uint32_t d = next; d < next + group.n_digits; ++d) {
        product *= radices[d];
        EXPECT_EQ(group.left, static_cast<int>(d) < split.left_digits);
      }
      EXPECT_EQ(group.radix, product);
      EXPECT_TRUE(group.n_digits == 1 || product <= (&group == &groups.back() ? 90u : 1000u));
      next += group.n_digits;
      row += group.radix;
    }
    EXPECT_EQ(next, radices.size());
  }
}

TEST(Leaves, AreTrailingDigitsOfTheRightPart) {
  const auto leaf = [](const Radices& radices, bool selects) {
    return leaf_digits(radices, split_digits(radices), selects);
  };
  EXPECT_EQ(leaf(Radices(22, 9), false).size, 81u);
  EXPECT_EQ(leaf(Radices(6, 5), false).size, 125u);
  EXPECT_EQ(leaf({1000}, false).size, 1000u);
  EXPECT_EQ(leaf({1000}, false).segments, 16u);
  EXPECT_EQ(leaf({1000}, true).size, 1u);  // digit 0 selects the table, so that it is no leaf
  EXPECT_EQ(leaf({1000}, true).segments, 1u);
  EXPECT_EQ(leaf({25, 7371, 7371}, true).segment, 64u);
}

// ---- narrow ------------------------------------------------------------------------------------------------------

TEST(NarrowPlans, FitTheSharedMemoryOfTheirDevice) {
  const OwnedDigits digits(Radices(22, 9), 1, 1);
  for (const int shared : {49152, 101376, 166912, 232448}) {
    const DeviceLimits device{100, shared};
    for (const auto precision : {Precision::fp32, Precision::tf32, Precision::bf16})
      for (const auto& widths : std::vector<std::vector<int>>{
               {64, 64}, {128, 128}, {17, 100}, {32, 32, 32, 32}, {128, 128, 128}, {128, 128, 128, 128, 128, 128}}) {
        const OwnedMlp owned(digits, widths, 2);
        NarrowPlan plan;
        const bool planned = plan_narrow(owned.mlp(), precision, device, plan);
        SCOPED_TRACE(to_string(plan));
        if (!planned) continue;
        EXPECT_GE(plan.width, *std::max_element(widths.begin(), widths.end()));
        const auto most = narrow_max_inner(plan);
        EXPECT_GE(most, 64u);
        place_table(plan, static_cast<std::uint32_t>(most), device);
        EXPECT_LE(plan.shared_bytes, shared);
        const auto packed = pack_narrow(owned.mlp(), plan);
        const auto table = plan.table_in_shared ? most * plan.table_stride * 4 : 0;
        EXPECT_GE(plan.shared_bytes, static_cast<int>(packed.fragments.size() * 4 + packed.vectors.size() * 4 + table));
      }
  }
}

// The lanes of one vector load of the table meet different banks of shared memory.
TEST(NarrowPlans, TableRowsMeetDifferentBanks) {
  const OwnedDigits digits(Radices(22, 9), 1, 1);
  for (const auto precision : {Precision::fp32, Precision::tf32, Precision::bf16})
    for (const int width : {32, 64, 128}) {
      const OwnedMlp owned(digits, {width, width}, 2);
      NarrowPlan plan;
      ASSERT_TRUE(plan_narrow(owned.mlp(), precision, {}, plan));
      // Rows and floats of the lanes that are served at once: a quarter of a warp for 16 bytes a lane, half for 8.
      const int rows = precision == Precision::fp32 ? 8 : precision == Precision::bf16 ? 2 : 4;
      const int floats = precision == Precision::fp32 ? 4 : precision == Precision::bf16 ? 16 : 8;
      std::vector<int> used(32, 0);
      for (int row = 0; row < rows; ++row)
        for (int i = 0; i < floats; ++i) ++used[(row * plan.table_stride + i) % 32];
      EXPECT_EQ(*std::max_element(used.begin(), used.end()), 1) << to_string(precision) << " " << width;
    }
}

TEST(NarrowPlans, RefuseWhatHasNoKernel) {
  const OwnedDigits digits(Radices(6, 5), 1, 1);
  NarrowPlan plan;
  const auto planned = [&](std::vector<int> widths, Precision precision) {
    return plan_narrow(OwnedMlp(digits, std::move(widths), 1).mlp(), precision, {}, plan);
  };
  EXPECT_FALSE(planned({129, 64}, Precision::bf16));
  EXPECT_FALSE(planned({64, 400}, Precision::bf16));
  EXPECT_FALSE(planned({64}, Precision::bf16));             // no product between hidden layers
  EXPECT_FALSE(planned({128, 128, 128}, Precision::fp32));  // two layers in one thread's registers
  EXPECT_FALSE(planned({64, 64}, Precision::fp64));
  EXPECT_FALSE(planned(std::vector<int>(9, 128), Precision::bf16));  // 256 KiB of weights
  EXPECT_TRUE(planned({128, 128, 128}, Precision::bf16));
}

TEST(FirstLayer, RefusesTablesBeyondTheMemory) {
  const OwnedDigits digits({7371, 7371}, 1, 1);
  const OwnedMlp owned(digits, {400, 400}, 1);
  EXPECT_THROW(first_layer_tables(owned.mlp(), digits.code(), split_digits(digits.radices), 400, 4096, 1 << 20), Error);
}

TEST(FleetPlans, ChooseTheCutWithTheFewestRows) {
  const OwnedDigits digits(Radices(6, 5), 1, 1);
  const OwnedMlp owned(digits, {64, 64}, 1);
  FleetPlan plan;
  ASSERT_TRUE(plan_fleet(owned.mlp(), digits.code(), {0, 15625}, Precision::bf16, {}, plan));
  EXPECT_EQ(plan.narrow.inner, 125u);
  EXPECT_EQ(plan.n_base, 125u);
  EXPECT_LE(plan.narrow.shared_bytes, 232448 / 2);  // two blocks a multiprocessor
  const OwnedDigits fbnet(Radices(22, 9), 1, 1);
  const OwnedMlp large(fbnet, {128, 128}, 1);
  EXPECT_FALSE(plan_fleet(large.mlp(), fbnet.code(), {0, 1ull << 40}, Precision::bf16, {}, plan));
  EXPECT_FALSE(plan_fleet(large.mlp(), fbnet.code(), {0, ~0ull}, Precision::bf16, {}, plan));
}

// ---- chunks and rounds -------------------------------------------------------------------------------------------

TEST(Chunks, StayInTheCache) {
  for (const std::int64_t l2 : {std::int64_t{40} << 20, std::int64_t{60} << 20})
    for (const int bytes : {2, 4}) {
      const auto rows = wide_rows(400, bytes, l2);
      EXPECT_LE(2 * rows * 400 * bytes, l2);
      EXPECT_GE(4 * rows * 400 * bytes, l2 / 2);
    }
  EXPECT_EQ(wide_rows(400, 2, std::int64_t{60} << 20), 32768);
  EXPECT_EQ(wide_rows(1 << 20, 4, 1 << 20), 1024);
}

TEST(Pieces, CoverTheRunOnce) {
  for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000003}, ~std::uint64_t{0}})
    for (const int n : {1, 3, 8}) {
      const auto borders = piece_borders(count, n);
      ASSERT_EQ(borders.size(), static_cast<std::size_t>(n) + 1);
      EXPECT_EQ(borders.front(), 0u);
      EXPECT_EQ(borders.back(), count);
      EXPECT_TRUE(std::is_sorted(borders.begin(), borders.end()));
      for (int i = 0; i < n; ++i) EXPECT_LE(borders[i + 1] - borders[i], count / n + (count % n > 0));
    }
}

// A run whose share of survivors changes: every architecture is taken once, and no round is repeated for ever.
TEST(Rounds, TakeEverythingOnce) {
  const std::uint64_t capacity = 1000, most = 1 << 20;
  for (const double share : {0.0, 0.001, 0.3, 1.0}) {
    Rounds rounds(capacity, most, 0);
    std::uint64_t taken = 0, repeats = 0, steps = 0;
    const std::uint64_t count = 5'000'000;
    while (taken < count) {
      ASSERT_LT(++steps, 100'000u);
      const std::uint64_t n = std::min(rounds.size(), count - taken);
      ASSERT_GE(n, 1u);
      // All survive in the middle of the run.
      const bool middle = taken > 1'000'000 && taken < 1'200'000;
      const auto survivors = static_cast<std::uint64_t>(middle ? n : share * static_cast<double>(n));
      if (rounds.survived(survivors))
        taken += n;
      else
        ++repeats;
    }
    EXPECT_EQ(taken, count);
    EXPECT_LT(repeats, steps / 2 + 1);
    if (share == 0) {
      EXPECT_LT(steps, 1500u);
    }
  }
  EXPECT_EQ(Rounds(capacity, most, 0).size(), capacity);
  EXPECT_EQ(Rounds(capacity, most, 1 << 30).size(), most);
}

// ---- filters -----------------------------------------------------------------------------------------------------

// Points in several orders, filtered in rounds: the reduction is that of all points. With margins, no point is ruled
// out whose exact values could matter.
TEST(Filters, LoseNoPointThatCounts) {
  for (const double margin : {0.0, 0.01})
    for (const int shape : {0, 1, 2, 3, 4}) {
      const Philox random{static_cast<std::uint64_t>(shape), 9};
      std::vector<Candidate> points;
      for (std::uint64_t i = 0; i < 6000; ++i) {
        double x = random.uniform(2 * i), y = random.uniform(2 * i + 1);
        if (shape == 1) y = std::sqrt(x) + 0.01 * y;                     // nearly all on the front
        if (shape == 2) x = std::floor(10 * x), y = std::floor(10 * y);  // ties
        if (shape == 3) x = 5;                                           // one latency
        if (shape == 4) x = y;                                           // the same model for both
        points.push_back({i, x, y});
      }
      ReductionSettings settings;
      settings.limits = {0.1, 0.5, 5};
      settings.best = 4;
      settings.latency_margin = settings.quality_margin = margin;
      Reduction all(settings), filtered(settings);
      for (const auto& point : points) all.add(point);
      std::size_t kept = 0;
      for (std::size_t begin = 0; begin < points.size(); begin += 500) {
        const FilterArrays arrays = make_filter(filtered);
        const Filter filter = arrays.view();
        for (std::size_t i = begin; i < begin + 500; ++i)
          if (may_count(filter, points[i].latency, points[i].quality)) filtered.add(points[i]), ++kept;
      }
      const auto indices = [](const std::vector<Candidate>& list) {
        std::vector<std::uint64_t> of;
        for (const auto& point : list) of.push_back(static_cast<std::uint64_t>(point.index));
        return of;
      };
      EXPECT_EQ(indices(filtered.front()), indices(all.front())) << "shape " << shape << ", margin " << margin;
      for (int limit = 0; limit < 3; ++limit)
        EXPECT_EQ(indices(filtered.best(limit)), indices(all.best(limit))) << "shape " << shape;
      EXPECT_LE(kept, shape == 0 && margin == 0 ? 1500u : 6000u);
    }
}

TEST(Filters, NanAndInfinityDoNoHarm) {
  ReductionSettings settings;
  Reduction reduction(settings);
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const FilterArrays empty = make_filter(reduction);
  EXPECT_TRUE(may_count(empty.view(), 1, 1));
  EXPECT_FALSE(may_count(empty.view(), nan, 1));
  EXPECT_FALSE(may_count(empty.view(), 1, nan));
  reduction.add(Candidate{0, 1.0, 2.0});
  reduction.add(Candidate{1, 2.0, 3.0});
  reduction.add(Candidate{2, infinity, 4.0});
  const FilterArrays some = make_filter(reduction);
  EXPECT_TRUE(may_count(some.view(), -infinity, -infinity));
  EXPECT_FALSE(may_count(some.view(), infinity, 2.5));
  EXPECT_TRUE(may_count(some.view(), infinity, infinity));
}

// ---- errors ------------------------------------------------------------------------------------------------------

TEST(ErrorBound, IsZeroFiniteOrInfinite) {
  const OwnedDigits digits(Radices(6, 5), 1, 1);
  OwnedMlp owned(digits, {32, 32}, 1);
  EXPECT_EQ(mlp_error_bound(owned.mlp(), digits.code(), Precision::fp64, Backend::cuda), 0);
  const double fp32 = mlp_error_bound(owned.mlp(), digits.code(), Precision::fp32, Backend::cuda);
  const double tf32 = mlp_error_bound(owned.mlp(), digits.code(), Precision::tf32, Backend::cuda);
  const double bf16 = mlp_error_bound(owned.mlp(), digits.code(), Precision::bf16, Backend::cuda);
  EXPECT_TRUE(0 < fp32 && fp32 < 1e-3 && fp32 < tf32 && tf32 < bf16 && bf16 < 1) << fp32 << " " << tf32 << " " << bf16;
  owned.weights[0][5] = 1e38;
  EXPECT_TRUE(std::isinf(mlp_error_bound(owned.mlp(), digits.code(), Precision::bf16, Backend::cuda)));
}

}  // namespace
}  // namespace oneproxy::detail
