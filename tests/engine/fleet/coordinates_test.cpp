#include "oneproxy/engine/fleet/coordinates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "oneproxy/engine/fleet/generator.h"
#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

class CoordinatesOfDevices : public testing::Test {
 protected:
  Fleet fleet{"nasbench201"};
  LatencyBasis basis{Sources(fleet.shared_features, fleet.sources(5))};
  DeviceGenerator generator{basis};
  std::vector<double> weights = generator.draw(200, 1), functions = basis.values(weights);
  int n = basis.n_reference();
  DeviceCoordinates fitted = fit_coordinates(basis.reference(), functions, n, 24);
  std::span<const double> function(int device) const { return std::span(functions).subspan(device * n, n); }
};

TEST_F(CoordinatesOfDevices, HaveUnitVarianceAndNoCorrelation) {
  const int m = fitted.n_coordinates();
  ASSERT_GT(m, 3);
  std::vector<double> products(m * m, 0.0), mean(m, 0.0);
  for (int d = 0; d < 200; ++d) {
    const auto z = fitted.of(function(d)).coordinates;
    for (int a = 0; a < m; ++a) {
      mean[a] += z[a] / 200;
      for (int b = 0; b < m; ++b) products[a * m + b] += z[a] * z[b] / 200;
    }
  }
  for (int a = 0; a < m; ++a) {
    EXPECT_NEAR(mean[a], 0, 1e-8);
    for (int b = 0; b < m; ++b) EXPECT_NEAR(products[a * m + b], a == b, 1e-6) << a << " " << b;
  }
}

// Milliseconds and offset of a device do not matter, and are given back.
TEST_F(CoordinatesOfDevices, AreFreeOfScale) {
  auto predictor = basis.predictors(std::span(weights).first(basis.n_columns()))[0];
  auto& table = std::get<IndexTable>(predictor);
  for (double& value : table.values) value = 40 + 2.5 * value;
  const auto device = fitted.of(predictor), standard = fitted.of(function(0));
  EXPECT_NEAR(device.mean, 40, 1e-9);
  EXPECT_NEAR(device.deviation, 2.5, 1e-9);
  EXPECT_NEAR(device.limit(45), 2, 1e-9);
  for (int j = 0; j < fitted.n_coordinates(); ++j) EXPECT_NEAR(device.coordinates[j], standard.coordinates[j], 1e-9);
}

TEST_F(CoordinatesOfDevices, SayWhatIsFarFromAllThatIsKnown) {
  EXPECT_FALSE(fitted.is_far(fitted.of(function(0))));
  std::vector<double> strange(n);
  for (int i = 0; i < n; ++i) strange[i] = i % 2 ? 1 : -1;  // nothing that features of architectures say
  const auto device = fitted.of(strange);
  EXPECT_TRUE(fitted.is_far(device));
  EXPECT_GT(device.outside, 0.5);
}

TEST_F(CoordinatesOfDevices, RefuseWhatTellsNothing) {
  const std::vector<double> constant(n, 3.0), unknown(n, std::nan(""));
  EXPECT_THAT(error_of([&] { fitted.of(constant); }), HasSubstr("3 for every architecture"));
  EXPECT_THAT(error_of([&] { fitted.of(unknown); }), HasSubstr("knows no value"));
}

}  // namespace
}  // namespace oneproxy
