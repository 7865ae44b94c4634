#include "oneproxy/engine/adapt/gaussian_process/posterior_table.h"

#include <gmock/gmock.h>

#include "tests/engine/adapt/made_up_fleet.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

// Sums over decisions, sums given the resolution, every architecture; few measurements and many.
TEST(PosteriorTable, IsTheGaussianProcess) {
  for (const char* name : {"fbnet", "ofa_mbv3", "nasbench201"})
    for (const int n : {15, 140}) {
      const Fleet fleet(name);
      for (const bool split : {false, true}) {
        if (split && n > 15) continue;
        BayesOptions options;
        options.split_sources = split;
        const auto model = fleet.model(4, options);
        const auto adapted = model.adapt(fleet.z(model, first(n)), fleet.latency(4, first(n)));
        const auto posterior = tabulate_posterior(model, adapted);
        const auto expected = model.deviation_ms(adapted, fleet.z(model, first(300)));
        std::vector<double> deviations(300);
        posterior.deviations(fleet.choices, deviations);
        for (int i = 0; i < 300; ++i) ASSERT_NEAR(deviations[i], expected[i], 1e-9 * expected[i]) << name << n << i;
        EXPECT_EQ(posterior.noise.typical, adapted.mean_ms);
        EXPECT_DOUBLE_EQ(posterior.noise.variance(0),
                         0.15 * 0.15 * adapted.posterior.noise * adapted.deviation_ms * adapted.deviation_ms);
      }
    }
}

TEST(PosteriorTable, NeedsAnAdaptation) {
  const Fleet fleet("nasbench201");
  const auto model = fleet.model(4);
  const auto adapted = model.adapt(fleet.z(model, first(2)), fleet.latency(4, first(2)));
  EXPECT_THAT(error_of([&] { tabulate_posterior(model, adapted); }), HasSubstr("too few"));
}

}  // namespace
}  // namespace oneproxy
