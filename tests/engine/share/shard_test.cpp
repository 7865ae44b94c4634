#include "oneproxy/engine/share/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

TEST(Shards, HaveEachPlaceOnceAndAlikeMany) {
  for (const std::uint64_t n : {0ull, 1ull, 7ull, 1000ull, 1ull << 62})
    for (const int count : {1, 2, 3, 7, 64, 1000}) {
      std::uint64_t at = 0;
      for (int i = 1; i <= count; ++i) {
        const auto part = part_of({i, count}, n);
        EXPECT_EQ(part.begin, at);
        EXPECT_GE(part.length(), n / count);
        EXPECT_LE(part.length(), n / count + 1);
        at = part.end;
      }
      EXPECT_EQ(at, n);
    }
}

TEST(Shards, AreReadAsPeopleWriteThem) {
  const auto shard = parse_shard("3/16");
  EXPECT_EQ(shard.number, 3);
  EXPECT_EQ(shard.count, 16);
  EXPECT_EQ(to_string(shard), "3/16");
  EXPECT_TRUE(parse_shard("1/1").is_whole());
  EXPECT_THAT(error_of([] { parse_shard("17/16"); }), HasSubstr("no shard 17 of 16; they are 1/16 to 16/16"));
  for (const std::string bad : {"", "3", "0/4", "4/0", "-1/4", "a/4", "1/4/2", "1/ 4", "1/10000000", "1/99999999999"})
    EXPECT_THAT(error_of([&] { parse_shard(bad); }), HasSubstr("--shard " + bad + ": should be i/n"));
}

}  // namespace
}  // namespace oneproxy
