#include "oneproxy/engine/predictor/cost_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oneproxy/engine/predictor/digit_weights.h"
#include "oneproxy/engine/space/cost.h"
#include "oneproxy/engine/space/subspace.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

// Also where stages have several depths (proxylessnas) and where the resolution selects one of several tables (ofa).
TEST(CostTable, IsTheCostOfTheSpace) {
  for (const char* name : {"nasbench201", "fbnet", "mobilenetv2", "proxylessnas", "ofa_mbv3"}) {
    const auto space = SearchSpace::load(name);
    const SubSpace whole(space);
    const Philox random{3, 0};
    for (const CostMeasure& cost : cost_measures()) {
      const auto table = cost_table(space, cost.name);
      EXPECT_EQ(table.n_tables(), std::string(name) == "ofa_mbv3" ? 25 : 1) << name;
      EXPECT_EQ(table.unit, cost.unit);
      const auto weights = digit_weights(whole.code(), table.weights);
      const AdditiveTable<double> view{weights, table.bias};
      std::uint64_t draw = 0;
      for (int i = 0; i < 200; ++i) {
        std::vector<std::uint32_t> digits;
        for (const auto radix : whole.radices())
          digits.push_back(static_cast<std::uint32_t>(random.below(draw++, radix)));
        const double expected = space.cost(space.choices_of(digits)).*cost.part;
        ASSERT_NEAR(additive_score(view, whole.radices(), digits.data()), expected, 1e-9 * expected)
            << cost.name << " of " << name;
      }
    }
    EXPECT_THAT(error_of([&] { cost_table(space, "model:flops"); }), testing::HasSubstr("macs"));
  }
}

}  // namespace
}  // namespace oneproxy
