#include "oneproxy/kernels/score/cuda/places.h"

#include <gtest/gtest.h>

#include "oneproxy/kernels/score/cuda/leaf.h"

namespace oneproxy::detail {
namespace {

using Radices = std::vector<std::uint32_t>;

constexpr ArchIndex kTwoTo32 = ArchIndex{1} << 32, kTwoTo64 = ArchIndex{1} << 64;

// Values of groups, put back into digits, against plain 128-bit decoding of the same place.
void expect_digits(const Radices& radices, const IndexRange& run, std::uint64_t position, std::uint64_t most,
                   std::uint64_t step) {
  const DigitSplit split = split_digits(radices);
  const auto groups = group_digits(radices, split, most, most);
  const Start start = start_at(run, position, split, run.shuffled ? 1 : step);
  EXPECT_LT(start.skip, step);
  const int n = static_cast<int>(radices.size());
  std::vector<std::uint32_t> expected(n), actual(n);
  for (const std::uint64_t offset : std::vector<std::uint64_t>{0, 1, 12345, 0xFFFFFFFF, 0x100000011}) {
    if (run.begin + position + offset >= DigitCode{radices, 1, {}, 0}.size()) continue;
    decode_digits(index_at(run, position + offset, split), radices.data(), n, expected.data());
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
  EXPECT_EQ(leaf({25, 7371, 7371}, true).segments, 116u);
}

}  // namespace
}  // namespace oneproxy::detail
