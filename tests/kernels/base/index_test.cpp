#include "oneproxy/kernels/base/index.h"

#include <gtest/gtest.h>

#include <vector>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy {
namespace {

using Radices = std::vector<std::uint8_t>;

std::string decimal_of_size(const Radices& radices) { return to_decimal(space_size(radices)); }

std::string message_of(const Radices& radices) {
  try {
    space_size(radices);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(SpaceSize, KnownSpaces) {
  EXPECT_EQ(decimal_of_size({}), "1");
  EXPECT_EQ(decimal_of_size({7}), "7");
  EXPECT_EQ(decimal_of_size(Radices(6, 5)), "15625");
  EXPECT_EQ(decimal_of_size(Radices(22, 9)), "984770902183611232881");                     // 9^22, beyond 64 bits
  EXPECT_EQ(decimal_of_size(Radices(127, 2)), "170141183460469231731687303715884105728");  // 2^127
}

TEST(SpaceSize, RefusesWhatPasses128Bits) {
  EXPECT_EQ(decimal_of_size({255, 1, 1}), "255");
  // 255 * 2^120 fits, twice as much does not.
  Radices radices(120, 2);
  radices.push_back(255);
  EXPECT_EQ(space_size(radices), ArchIndex{255} << 120);
  radices.push_back(2);
  EXPECT_NE(message_of(radices).find("decision 121"), std::string::npos) << message_of(radices);
  EXPECT_THROW(space_size(Radices(128, 2)), Error);
}

TEST(SpaceSize, RefusesRadixZero) {
  EXPECT_NE(message_of({3, 0, 2}).find("decision 1 "), std::string::npos) << message_of({3, 0, 2});
  Radices large(200, 255);
  large.back() = 0;  // reported even behind an overflow
  EXPECT_NE(message_of(large).find("decision 199 "), std::string::npos) << message_of(large);
}

TEST(Decimal, RoundTrip) {
  const ArchIndex largest = ~ArchIndex{0};
  EXPECT_EQ(to_decimal(0), "0");
  EXPECT_EQ(to_decimal(largest), "340282366920938463463374607431768211455");
  EXPECT_EQ(to_decimal(ArchIndex{1} << 64), "18446744073709551616");
  const Philox random{3, 0};
  for (std::uint64_t i = 0; i < 500; ++i) {
    const ArchIndex index = ((static_cast<ArchIndex>(random.bits(2 * i)) << 64) | random.bits(2 * i + 1)) >> (i % 128);
    EXPECT_EQ(from_decimal(to_decimal(index)), index) << to_decimal(index);
  }
  EXPECT_EQ(from_decimal("340282366920938463463374607431768211455"), largest);
  EXPECT_EQ(from_decimal("007"), 7);
}

TEST(Decimal, RefusesAnythingElse) {
  for (const char* text : {"", " ", "-1", "+1", "1 ", " 1", "1e3", "0x10", "1.0", "12a", "\xef\xbc\x91",
                           "340282366920938463463374607431768211456", "340282366920938463463374607431768211460",
                           "999999999999999999999999999999999999999", "3402823669209384634633746074317682114550"})
    EXPECT_THROW(from_decimal(text), Error) << "'" << text << "'";
}

TEST(DecodeIndex, CountsThroughASmallSpaceWithTheLastDecisionFastest) {
  const Radices radices = {3, 1, 4, 2};
  const int n = static_cast<int>(radices.size());
  std::uint8_t choices[4];
  ArchIndex index = 0;
  for (std::uint8_t a = 0; a < 3; ++a)
    for (std::uint8_t c = 0; c < 4; ++c)
      for (std::uint8_t e = 0; e < 2; ++e, ++index) {
        decode_index(index, radices.data(), n, choices);
        const std::uint8_t expected[4] = {a, 0, c, e};
        EXPECT_TRUE(std::equal(choices, choices + n, expected)) << to_decimal(index);
        EXPECT_EQ(encode_index(expected, radices.data(), n), index);
      }
  EXPECT_EQ(index, space_size(radices));
}

TEST(DecodeIndex, RoundTripBeyond64Bits) {
  const Radices radices(22, 9);
  const ArchIndex size = space_size(radices);
  const Philox random{4, 0};
  std::vector<std::uint8_t> choices(radices.size());
  const auto check = [&](ArchIndex index) {
    decode_index(index, radices.data(), 22, choices.data());
    for (const std::uint8_t choice : choices) ASSERT_LT(choice, 9);
    EXPECT_EQ(encode_index(choices.data(), radices.data(), 22), index) << to_decimal(index);
  };
  for (std::uint64_t i = 0; i < 500; ++i)
    check(((static_cast<ArchIndex>(random.bits(2 * i)) << 64) | random.bits(2 * i + 1)) % size);
  check(size - 1);
  EXPECT_EQ(choices, Radices(22, 8));
  check(0);
  EXPECT_EQ(choices, Radices(22, 0));
}

}  // namespace
}  // namespace oneproxy
