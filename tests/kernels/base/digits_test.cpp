#include "oneproxy/kernels/base/digits.h"

#include <gtest/gtest.h>

#include <set>

#include "oneproxy/kernels/base/error.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy {
namespace {

TEST(Digits, IndexAndDigitsAreInverse) {
  const std::vector<std::uint32_t> radices = {25, 7371, 7371, 7371, 7371, 7371};
  const ArchIndex size = DigitCode{radices, 1, {}, 0}.size();
  EXPECT_EQ(to_decimal(size), "543966387314312146275");  // 25 * 7371^5, by Python's integers
  const Philox random{1, 1};
  for (int i = 0; i < 2000; ++i) {
    const ArchIndex index = ((static_cast<ArchIndex>(random.bits(2 * i)) << 64) | random.bits(2 * i + 1)) % size;
    std::uint32_t digits[6];
    decode_digits(index, radices.data(), 6, digits);
    ArchIndex by_hand = index;
    for (int d = 5; d >= 0; --d, by_hand /= radices[d + 1]) ASSERT_EQ(digits[d], by_hand % radices[d]) << i;
    ASSERT_EQ(encode_digits(digits, radices.data(), 6), index);
  }
}

TEST(Digits, CountThroughASmallSpaceWithTheLastOneFastest) {
  const std::vector<std::uint32_t> radices = {3, 1, 4, 2};
  ArchIndex index = 0;
  for (std::uint32_t a = 0; a < 3; ++a)
    for (std::uint32_t c = 0; c < 4; ++c)
      for (std::uint32_t e = 0; e < 2; ++e, ++index) {
        const std::vector<std::uint32_t> expected = {a, 0, c, e};
        std::vector<std::uint32_t> digits(4);
        decode_digits(index, radices.data(), 4, digits.data());
        EXPECT_EQ(digits, expected) << to_decimal(index);
        EXPECT_EQ(encode_digits(expected.data(), radices.data(), 4), index);
      }
  EXPECT_EQ(index, (DigitCode{radices, 1, {}, 0}.size()));
}

TEST(Digits, SizesUpTo128Bits) {
  const auto size = [](const std::vector<std::uint32_t>& radices) { return DigitCode{radices, 1, {}, 0}.size(); };
  EXPECT_EQ(to_decimal(size(std::vector<std::uint32_t>(22, 9))), "984770902183611232881");
  EXPECT_EQ(to_decimal(size(std::vector<std::uint32_t>(127, 2))), "170141183460469231731687303715884105728");
  // 255 * 2^120 fits, twice as much does not.
  std::vector<std::uint32_t> radices(120, 2);
  radices.push_back(255);
  EXPECT_EQ(size(radices), ArchIndex{255} << 120);
  radices.push_back(2);
  EXPECT_THROW(size(radices), Error);
  EXPECT_THROW(size(std::vector<std::uint32_t>(128, 2)), Error);
}

TEST(Digits, RefusesFaultyCodes) {
  const std::vector<std::uint32_t> radices = {2, 3}, zero = {2, 0}, huge(43, 9);
  const std::vector<std::int32_t> rows = {0, 1, 2, 3, 4}, beyond = {0, 1, 2, 3, 5};
  EXPECT_NO_THROW(check_code({radices, 1, rows, 5}, "test"));
  EXPECT_THROW(check_code({radices, 2, rows, 5}, "test"), Error);
  EXPECT_THROW(check_code({radices, 1, beyond, 5}, "test"), Error);
  EXPECT_THROW(check_code({zero, 1, rows, 5}, "test"), Error);
  EXPECT_THROW(check_code({}, "test"), Error);
  EXPECT_THROW(check_code({huge, 1, std::vector<std::int32_t>(43 * 9, 0), 1}, "test"), Error);  // 9^43 > 2^128
}

TEST(Shuffle, IsAPermutationOfWholeSpaces) {
  for (const auto& radices : std::vector<std::vector<std::uint32_t>>{
           {5, 5, 5, 5, 5, 5}, {1}, {7}, {2, 1, 3}, {1000, 3}, {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}}) {
    const auto split = split_digits(radices);
    const ArchIndex size = DigitCode{radices, 1, {}, 0}.size();
    for (const std::uint64_t seed : {1, 2, 77}) {
      std::set<std::uint64_t> seen;
      for (ArchIndex place = 0; place < size; ++place) {
        const ArchIndex index = shuffled_index(place, split, seed);
        ASSERT_LT(index, size);
        seen.insert(static_cast<std::uint64_t>(index));
      }
      EXPECT_EQ(ArchIndex{seen.size()}, size);
    }
  }
}

// Choices at each decision come evenly, and neighbours in the order have nothing in common. 100,000 draws of 9 choices:
// a chi-squared of 8 degrees of freedom passes 40 once in 3e5 cases.
TEST(Shuffle, SpreadsOverAHugeSpace) {
  const std::vector<std::uint32_t> radices(22, 9);
  const auto split = split_digits(radices);
  EXPECT_EQ(split.left_digits, 11);
  const int n = 100000;
  std::vector<std::vector<int>> counts(22, std::vector<int>(9, 0));
  std::vector<int> equal(22, 0);
  std::uint32_t before[22] = {}, digits[22];
  for (int i = 0; i < n; ++i) {
    decode_digits(shuffled_index(i, split, 5), radices.data(), 22, digits);
    for (int d = 0; d < 22; ++d) {
      ++counts[d][digits[d]];
      equal[d] += i > 0 && digits[d] == before[d];
      before[d] = digits[d];
    }
  }
  for (int d = 0; d < 22; ++d) {
    double chi = 0;
    for (const int count : counts[d]) chi += (count - n / 9.0) * (count - n / 9.0) / (n / 9.0);
    EXPECT_LT(chi, 40) << "decision " << d;
    EXPECT_NEAR(equal[d], n / 9.0, 6 * std::sqrt(n / 9.0)) << "decision " << d;
  }
}

TEST(Shuffle, RefusesASpaceThatDoesNotSplit) {
  EXPECT_THROW(split_digits(std::vector<std::uint32_t>(127, 2)), Error);
  EXPECT_NO_THROW(split_digits(std::vector<std::uint32_t>(40, 9)));
}

}  // namespace
}  // namespace oneproxy
