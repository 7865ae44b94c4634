#include "oneproxy/engine/predictor/limit_calibration.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

// 1, 2, ..., 99
LimitCalibration counted() {
  LimitCalibration calibration;
  for (int i = 1; i <= 99; ++i) calibration.errors.push_back(i);
  calibration.n_devices = 9;
  return calibration;
}

TEST(LimitCalibration, SpreadsAreTheConformalQuantile) {
  const auto calibration = counted();
  EXPECT_EQ(calibration.spreads(0.5), 50);
  EXPECT_EQ(calibration.spreads(0.9), 90);
  EXPECT_EQ(calibration.spreads(0.901), 91);
  EXPECT_EQ(calibration.spreads(0.99), 99);
}

TEST(LimitCalibration, NeverPassesTheLimit) {
  auto calibration = counted();
  for (double& error : calibration.errors) error -= 80;
  EXPECT_EQ(calibration.spreads(0.5), 0);
  EXPECT_EQ(calibration.spreads(0.9), 10);
}

TEST(LimitCalibration, ProbabilityUndoesSpreads) {
  const auto calibration = counted();
  for (const double confidence : {0.5, 0.75, 0.9, 0.95})
    EXPECT_NEAR(calibration.probability(calibration.spreads(confidence)), confidence, 0.006);
  EXPECT_GT(calibration.probability(-1e9), 0);
  EXPECT_LT(calibration.probability(1e9), 1);
}

TEST(LimitCalibration, RefusesWhatItsErrorsDoNotTell) {
  EXPECT_THAT(error_of([] { counted().spreads(0.995); }), HasSubstr("confidence = 0.995 is outside [0.5, 0.99]"));
  EXPECT_THAT(error_of([] { counted().spreads(0.4); }), HasSubstr("0.4"));
  EXPECT_THAT(error_of([] { counted().spreads(std::nan("")); }), HasSubstr("nan"));
}

TEST(LimitCalibration, StatedErrorsAreStudents) {
  const auto stated = stated_calibration();
  EXPECT_EQ(stated.n_devices, 0);
  ASSERT_EQ(stated.errors.size(), 199U);
  EXPECT_TRUE(std::is_sorted(stated.errors.begin(), stated.errors.end()));
  // Tables of Student's t with 4 degrees of freedom: 1.533 at .9, 2.132 at .95.
  EXPECT_NEAR(stated.errors[179] / stated.errors[189], 1.5332 / 2.1318, 1e-4);
  EXPECT_NEAR(stated.errors[99], 0, 1e-7);
  EXPECT_NEAR(stated.errors[19], -stated.errors[179], 1e-9);
}

TEST(LimitCalibration, FewDevicesCountForLittle) {
  const std::vector<double> none(60, 0.0);  // devices whose predictions were right
  const auto of = [&](int devices) { return calibration_of(none, devices); };
  EXPECT_GT(of(3).spreads(0.9), 0.5);
  EXPECT_GT(of(3).spreads(0.9), of(10).spreads(0.9));
  EXPECT_EQ(of(20).spreads(0.9), 0);
  EXPECT_EQ(of(3).n_devices, 3);
  EXPECT_EQ(calibration_of({}, 0).errors, stated_calibration().errors);
}

}  // namespace
}  // namespace oneproxy
