#include "oneproxy/engine/device/collected_measurements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CollectedMeasurements : public testing::Test {
 protected:
  const std::vector<std::uint8_t> choices_ = {3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  SearchSpace space_ = SearchSpace::load("nasbench201");
};

TEST_F(CollectedMeasurements, AreThoseOfAFileThatHoldsThem) {
  const std::vector<double> latency_ms = {5, 2, 9, std::nan("")};
  TemporaryFolder folder;
  const auto file =
      folder.write("m.csv", "arch,latency_ms\n3;0;0;0;0;0,5\n0;0;0;0;0;1,2\n3;0;0;0;0;0,9\n0;0;0;0;0;2,\n");
  const auto read = read_measurements(space_, {file}, MeasurementForm{}), told = collect_measurements(space_, choices_, latency_ms);
  EXPECT_EQ(told.choices, read.choices);
  EXPECT_EQ(told.repeats, read.repeats);
  EXPECT_EQ(told.lines, read.lines);
  EXPECT_EQ(told.n_failed, read.n_failed);
  ASSERT_EQ(told.n(), 3);
  EXPECT_THAT(std::vector(told.latency_ms.begin(), told.latency_ms.begin() + 2), ElementsAre(7, 2));
  EXPECT_TRUE(std::isnan(told.latency_ms[2]));
}

TEST_F(CollectedMeasurements, NameWhatIsWrong) {
  const auto refused = [&](std::vector<double> latency_ms, std::vector<std::uint8_t> choices) {
    return error_of([&] { collect_measurements(space_, choices, latency_ms); });
  };
  EXPECT_THAT(refused({5, -1, 9, 3}, choices_), HasSubstr("latency_ms[1] = -1"));
  EXPECT_THAT(refused({5, 1, 9, INFINITY}, choices_), HasSubstr("latency_ms[3] = inf"));
  EXPECT_THAT(refused({1e12, 1, 9, 3}, choices_), HasSubstr("latency_ms[0]"));
  EXPECT_THAT(refused({1, 1, 9}, choices_), HasSubstr("4 architectures have 3 latencies"));
  auto broken = choices_;
  broken[6] = 5;
  EXPECT_THAT(refused({1, 1, 9, 3}, broken), HasSubstr("measurement 1"));
}

}  // namespace
}  // namespace oneproxy
