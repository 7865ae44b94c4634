// Latencies that a store gives to models.
#include "oneproxy/engine/device/measurements.h"

#include <gmock/gmock.h>

#include <cmath>

#include "oneproxy/engine/base/resources.h"
#include "tests/engine/error_of.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Measurements, WhatIsNoLatencyIsRefusedWithItsPlace) {
  const TemporaryFolder folder;
  const auto space = SearchSpace::load("nasbench201");
  const auto read = [&](double latency_ms) {
    const DeviceMeasurements measured{
        "phone", 6, {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3}, {1.5, latency_ms, 2.5}, {}};
    add_device(folder / "store.h5", shipped_store(), "nasbench201", "mine", measured);
    const Store store(folder / "store.h5");
    return Measurements(store, space, "mine").device("phone").values;
  };
  for (const double bad : {1e300, 1.1e9, 0.9e-9, 5e-324, 0.0, -3.0, HUGE_VAL, -HUGE_VAL})
    EXPECT_THAT(error_of([&] { read(bad); }),
                AllOf(HasSubstr("store.h5"), HasSubstr("device phone in row 1 of set mine"), HasSubstr("unit")))
        << bad;
  for (const double good : {1e-9, 1e9}) EXPECT_EQ(read(good)[1], good);
  EXPECT_TRUE(std::isnan(read(std::nan(""))[1]));
}

}  // namespace
}  // namespace oneproxy
