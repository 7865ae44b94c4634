#include "oneproxy/engine/fleet/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

Sources sources_of(const Fleet& fleet, int count) { return Sources(fleet.shared_features, fleet.sources(count)); }

// Values of a predictor in standard units are those of its weights, over the reference.
TEST(LatencyBasis, PredictorsAreTheFunctions) {
  for (const char* name : {"nasbench201", "fbnet", "ofa_mbv3"}) {
    const Fleet fleet(name);
    const LatencyBasis basis(sources_of(fleet, 4));
    const auto weights = DeviceGenerator(basis).draw(3, 7);
    const auto values = basis.values(weights);
    const auto predictors = basis.predictors(weights);
    ASSERT_EQ(predictors.size(), 3u);
    const int n = basis.n_reference();
    for (int d = 0; d < 3; ++d) {
      std::vector<double> predicted(n);
      predict(predictors[d], basis.reference(), predicted);
      double mean = 0, squares = 0;
      for (int i = 0; i < n; ++i) {
        EXPECT_NEAR(predicted[i], values[d * n + i], 1e-9) << name << " device " << d << " architecture " << i;
        mean += predicted[i] / n;
        squares += predicted[i] * predicted[i] / n;
      }
      EXPECT_NEAR(mean, 0, 1e-9);
      EXPECT_NEAR(squares, 1, 1e-9);
    }
  }
}

TEST(LatencyBasis, ASourceIsItsPredictor) {
  const Fleet fleet("nasbench201");
  const auto sources = sources_of(fleet, 4);
  const LatencyBasis basis(sources);
  const DeviceGenerator generator(basis);
  const auto values = basis.values(generator.sources());
  const auto said = sources.predictors[2].predict(fleet.features.rows(basis.reference()));
  const int n = basis.n_reference();
  // Up to scale and shift: so the correlation is 1.
  double mean = 0, xx = 0, xy = 0;
  for (const double x : said) mean += x / n;
  for (int i = 0; i < n; ++i) xx += (said[i] - mean) * (said[i] - mean), xy += (said[i] - mean) * values[2 * n + i];
  EXPECT_NEAR(xy / std::sqrt(xx * n), 1, 1e-12);
}

TEST(LatencyBasis, NeedsThreeSourcesThatDiffer) {
  const Fleet fleet("nasbench201");
  EXPECT_THAT(error_of([&] { LatencyBasis(sources_of(fleet, 2)); }),
              HasSubstr("at least 3 source devices, there are 2"));
}

TEST(DeviceGenerator, ADeviceDependsOnItsNumberAndTheSeedAlone) {
  const Fleet fleet("nasbench201");
  const LatencyBasis basis(sources_of(fleet, 5));
  const DeviceGenerator generator(basis);
  const auto many = generator.draw(20, 3), few = generator.draw(4, 3, 16), other = generator.draw(4, 4, 16);
  const int columns = basis.n_columns();
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin() + 16 * columns));
  EXPECT_NE(few, other);
}

// A share alone draws what it says: without physics nothing but sources is in a mixture, and a physics draw has none.
TEST(DeviceGenerator, SharesSayWhatIsDrawn) {
  const Fleet fleet("nasbench201");
  const LatencyBasis basis(sources_of(fleet, 5));
  const int columns = basis.n_columns(), sources = basis.n_sources();
  const auto size = [&](std::span<const double> weights, int from, int to) {
    double sum = 0;
    for (int j = from; j < to; ++j) sum += std::abs(weights[j]);
    return sum;
  };
  GeneratorSettings mixture{.pca_share = 0, .mixture_share = 1, .physics_amplitude = 0};
  for (const auto& [settings, of_sources, of_physics] :
       {std::tuple{mixture, true, false},
        std::tuple{GeneratorSettings{.pca_share = 1, .mixture_share = 0, .physics_amplitude = 0}, true, false},
        std::tuple{GeneratorSettings{.pca_share = 0, .mixture_share = 0}, false, true}}) {
    const auto drawn = DeviceGenerator(basis, settings).draw(10, 1);
    for (int i = 0; i < 10; ++i) {
      const auto one = std::span(drawn).subspan(i * columns, columns);
      EXPECT_EQ(size(one, 0, sources) > 0, of_sources);
      EXPECT_EQ(size(one, sources, columns) > 0, of_physics);
    }
  }
}

// Along each component the draws spread as the sources do, times the inflation.
TEST(DeviceGenerator, InflatesTheSourcesVariance) {
  const Fleet fleet("nasbench201", 300, 0.3);
  const LatencyBasis basis(sources_of(fleet, 5));
  const int n = basis.n_reference();
  const auto variance_of = [&](std::span<const double> functions, int count) {  // around their mean, summed
    double total = 0;
    for (int i = 0; i < n; ++i) {
      double mean = 0, squares = 0;
      for (int d = 0; d < count; ++d) mean += functions[d * n + i] / count;
      for (int d = 0; d < count; ++d) squares += std::pow(functions[d * n + i] - mean, 2) / (count - 1);
      total += squares / n;
    }
    return total;
  };
  const auto of_sources = variance_of(basis.values(DeviceGenerator(basis).sources()), 5);
  for (const double inflation : {1.0, 4.0}) {
    const DeviceGenerator generator(
        basis, {.pca_share = 1, .mixture_share = 0, .inflation = inflation, .physics_amplitude = 0});
    const auto drawn = variance_of(basis.values(generator.draw(2000, 1)), 2000);
    // Unit deviation is restored after the draw, which takes a part of a large spread away.
    EXPECT_GT(drawn, 0.5 * inflation * of_sources) << inflation;
    EXPECT_LT(drawn, 1.1 * inflation * of_sources) << inflation;
  }
}

TEST(DeviceGenerator, RefusesShares) {
  const Fleet fleet("nasbench201");
  const LatencyBasis basis(sources_of(fleet, 3));
  EXPECT_THAT(error_of([&] { DeviceGenerator(basis, {.pca_share = 0.8, .mixture_share = 0.3}); }),
              HasSubstr("together at most 1"));
  EXPECT_THAT(error_of([&] { DeviceGenerator(basis, {.pca_share = -0.1}); }), HasSubstr("0 to 1"));
}

TEST(DeviceGenerator, TheNearestIsTheHighestSrcc) {
  const std::vector<double> device = {1, 2, 3, 4, 5}, others = {5, 4, 3, 2, 1, 1, 2, 3, 5, 4, 2, 1, 3, 4, 5};
  EXPECT_NEAR(nearest_srcc(device, others), 0.9, 1e-12);
}

}  // namespace
}  // namespace oneproxy
