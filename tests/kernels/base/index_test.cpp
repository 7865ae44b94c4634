#include "oneproxy/kernels/base/index.h"

#include <gtest/gtest.h>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"

namespace oneproxy {
namespace {

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

}  // namespace
}  // namespace oneproxy
