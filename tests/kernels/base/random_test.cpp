#include "oneproxy/kernels/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace oneproxy {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Philox4x32-10 as its authors describe it, a round a line, to compare with the one in use.
Words philox_by_the_paper(Words counter, std::uint32_t key_0, std::uint32_t key_1) {
  const auto high = [](std::uint32_t a, std::uint32_t b) {
    return static_cast<std::uint32_t>((std::uint64_t{a} * b) >> 32);
  };
  for (std::uint32_t round = 0; round < 10; ++round) {
    const std::uint32_t k0 = key_0 + round * 0x9E3779B9u, k1 = key_1 + round * 0xBB67AE85u;
    counter = {high(0xCD9E8D57u, counter[2]) ^ counter[1] ^ k0, 0xCD9E8D57u * counter[2],
               high(0xD2511F53u, counter[0]) ^ counter[3] ^ k1, 0xD2511F53u * counter[0]};
  }
  return counter;
}

struct KnownAnswer {
  Words counter;
  std::uint32_t key_0, key_1;
  Words answer;
};

// From kat_vectors of Random123, "philox4x32 10".
const KnownAnswer known_answers[] = {
    {{0, 0, 0, 0}, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     0xffffffff,
     0xffffffff,
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     0xa4093822,
     0x299f31d0,
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

std::uint64_t join(std::uint32_t low, std::uint32_t high) { return (std::uint64_t{high} << 32) | low; }

TEST(Philox, KnownAnswers) {
  for (const auto& [counter, key_0, key_1, answer] : known_answers) {
    EXPECT_EQ(philox_by_the_paper(counter, key_0, key_1), answer);
    // Counter words 0 and 1 are draw / 2, so a counter above 2^63 has no draw.
    if (counter[1] >> 31) continue;
    const Philox random{join(key_0, key_1), join(counter[2], counter[3])};
    const std::uint64_t draw = join(counter[0], counter[1]) * 2;
    EXPECT_EQ(random.bits(draw), join(answer[0], answer[1]));
    EXPECT_EQ(random.bits(draw + 1), join(answer[2], answer[3]));
  }
}

TEST(Philox, EveryDrawIsTheOneByThePaper) {
  const Philox source{99, 0};
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t seed = source.bits(3 * i), stream = source.bits(3 * i + 1), draw = source.bits(3 * i + 2);
    const Words words =
        philox_by_the_paper({static_cast<std::uint32_t>(draw / 2), static_cast<std::uint32_t>((draw / 2) >> 32),
                             static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)},
                            static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
    const std::uint64_t expected = draw % 2 == 0 ? join(words[0], words[1]) : join(words[2], words[3]);
    EXPECT_EQ((Philox{seed, stream}.bits(draw)), expected)
        << "seed " << seed << " stream " << stream << " draw " << draw;
  }
}

// Chi-square of counts [k] that should be equal, in standard deviations of its distribution above the mean.
double chi_square_excess(const std::vector<std::int64_t>& counts, double expected) {
  double chi_square = 0;
  for (const std::int64_t count : counts)
    chi_square += (static_cast<double>(count) - expected) * (static_cast<double>(count) - expected) / expected;
  const auto degrees = static_cast<double>(counts.size() - 1);
  return (chi_square - degrees) / std::sqrt(2 * degrees);
}

TEST(Philox, UniformFillsTheUnitIntervalEvenly) {
  const std::int64_t n = 1000000, bins = 1000;
  std::vector<std::int64_t> counts(bins);
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = Philox{1, 0}.uniform(i);
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    ++counts[static_cast<std::int64_t>(x * bins)];
    sum += x;
  }
  EXPECT_LT(std::abs(chi_square_excess(counts, 1.0 * n / bins)), 4);
  EXPECT_NEAR(sum / n, 0.5, 4 * std::sqrt(1.0 / 12 / n));
}

TEST(Philox, BelowIsEvenAndWithinItsBound) {
  for (const std::uint64_t bound : {1ull, 2ull, 3ull, 7ull, 100ull}) {
    const std::int64_t n = 200000;
    std::vector<std::int64_t> counts(bound);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint64_t x = Philox{2, bound}.below(i, bound);
      ASSERT_LT(x, bound);
      ++counts[x];
    }
    if (bound > 1) {
      EXPECT_LT(std::abs(chi_square_excess(counts, 1.0 * n / static_cast<double>(bound))), 5) << bound;
    }
  }
  const std::uint64_t largest = ~std::uint64_t{0};
  std::uint64_t most = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t x = Philox{2, 0}.below(i, largest);
    ASSERT_LT(x, largest);
    most = std::max(most, x);
  }
  EXPECT_GT(most, largest / 100 * 98);  // no bits are lost
}

TEST(Philox, StreamsAndSeedsAreIndependent) {
  const std::int64_t n = 100000;
  const Philox pairs[][2] = {{{5, 0}, {5, 1}}, {{5, 0}, {6, 0}}, {{5, 0}, {5, std::uint64_t{1} << 32}}};
  for (const auto& [a, b] : pairs) {
    double product = 0;
    std::int64_t equal_bits = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      product += (a.uniform(i) - 0.5) * (b.uniform(i) - 0.5) * 12;
      equal_bits += 64 - __builtin_popcountll(a.bits(i) ^ b.bits(i));
    }
    const auto draws = static_cast<double>(n);
    EXPECT_LT(std::abs(product / draws), 4 / std::sqrt(draws));
    EXPECT_LT(std::abs(static_cast<double>(equal_bits) / (64 * draws) - 0.5), 4 * 0.5 / std::sqrt(64 * draws));
  }
  std::set<std::uint64_t> seen;
  for (std::uint64_t stream = 0; stream < 100; ++stream)
    for (std::uint64_t draw = 0; draw < 100; ++draw) seen.insert(Philox{5, stream}.bits(draw));
  EXPECT_EQ(seen.size(), 10000);
}

TEST(RandomPermutation, IsAPermutationAndRepeats) {
  for (const std::int64_t n : {0, 1, 2, 3, 10, 1000}) {
    const auto order = random_permutation(n, Philox{8, 0});
    EXPECT_EQ(order, random_permutation(n, Philox{8, 0}));
    auto sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(sorted[i], i);
    ASSERT_EQ(static_cast<std::int64_t>(sorted.size()), n);
    if (n == 1000) {
      EXPECT_NE(order, random_permutation(n, Philox{8, 1}));
    }
  }
}

TEST(RandomPermutation, AllOrdersOfFourAreEquallyLikely) {
  const std::int64_t n = 48000;
  std::map<std::vector<std::int64_t>, std::int64_t> seen;
  for (std::int64_t stream = 0; stream < n; ++stream)
    ++seen[random_permutation(4, Philox{9, static_cast<std::uint64_t>(stream)})];
  ASSERT_EQ(seen.size(), 24);
  std::vector<std::int64_t> counts;
  for (const auto& [order, count] : seen) counts.push_back(count);
  EXPECT_LT(std::abs(chi_square_excess(counts, n / 24.0)), 4);
}

}  // namespace
}  // namespace oneproxy
