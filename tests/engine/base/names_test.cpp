#include "oneproxy/engine/base/names.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace oneproxy {
namespace {

using testing::ElementsAre;

TEST(Names, NearestByMeaningComesBeforeNearestByLetters) {
  const std::vector<std::string> keys = {"list",  "fix",     "begin",  "limits_ms",
                                         "count", "seconds", "method", "samples_train"};
  const auto first = [&](const char* name) { return nearest_names(name, keys, 1).front(); };
  EXPECT_EQ(first("limit"), "limits_ms");
  EXPECT_EQ(first("n"), "count");
  EXPECT_EQ(first("timeout"), "seconds");
  EXPECT_EQ(first("algorithm"), "method");
  EXPECT_EQ(first("n_train"), "samples_train");
}

TEST(Names, ASlipOfTheFingerIsNearest) {
  const std::vector<std::string> keys = {"second_limit", "limits", "limit_at"};
  EXPECT_EQ(nearest_names("limts", keys, 1).front(), "limits");
  EXPECT_EQ(nearest_names("samples_trian", std::vector<std::string>{"seed", "samples_train"}, 1).front(),
            "samples_train");
}

TEST(Names, SameMeaningTakesEachWord) {
  EXPECT_TRUE(same_meaning("limit", "limits_ms"));
  EXPECT_TRUE(same_meaning("n-samples", "sample_count"));
  EXPECT_FALSE(same_meaning("limit_energy", "limits_ms"));
  EXPECT_FALSE(same_meaning("", "limits_ms"));
  EXPECT_FALSE(same_meaning("__", "__"));
}

TEST(Names, NumbersWithinNamesSortAsNumbers) {
  std::vector<std::string> devices = {"pixel10",   "1080ti_256", "pixel3", "raspi4",
                                      "1080ti_32", "Pixel4",     "raspi",  "1080ti_1"};
  std::sort(devices.begin(), devices.end(), natural_less);
  EXPECT_THAT(devices,
              ElementsAre("1080ti_1", "1080ti_32", "1080ti_256", "pixel3", "Pixel4", "pixel10", "raspi", "raspi4"));
}

TEST(Names, NaturalOrderIsStrictAndWeak) {
  const std::vector<std::string> names = {"",   "a",   "A",  "a1", "a01", "a001b", "a1b",
                                          "a2", "a10", "10", "9",  "b",   "a-1"};
  for (const auto& a : names) {
    EXPECT_FALSE(natural_less(a, a));
    for (const auto& b : names) {
      EXPECT_EQ(natural_less(a, b) || natural_less(b, a), a != b) << a << " " << b;
      for (const auto& c : names) {
        if (natural_less(a, b) && natural_less(b, c)) {
          EXPECT_TRUE(natural_less(a, c)) << a << " " << b << " " << c;
        }
      }
    }
  }
}

}  // namespace
}  // namespace oneproxy
