#include <gtest/gtest.h>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/front/pareto.h"
#include "tests/kernels/front/pareto_cases.h"
#include "tests/support/needs_cuda.h"

namespace oneproxy {
namespace {

class ParetoCuda : public testing::TestWithParam<test::ParetoCase> {
 protected:
  void SetUp() override { ONEPROXY_NEEDS_CUDA(); }
};
INSTANTIATE_TEST_SUITE_P(Cases, ParetoCuda, testing::ValuesIn(test::pareto_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(ParetoCuda, EqualsTheCpuTwin) {
  const auto& [name, latency, quality] = GetParam();
  EXPECT_EQ(pareto_front(latency, quality, Backend::cuda), pareto_front(latency, quality, Backend::cpu));
}

TEST(ParetoCudaLarge, EqualsTheCpuTwin) {
  ONEPROXY_NEEDS_CUDA();
  const std::int64_t n = 3000000;
  const Philox random{5, 0};
  std::vector<double> latency(n), quality(n);
  for (std::int64_t i = 0; i < n; ++i) {
    latency[i] = static_cast<double>(random.below(2 * i, 100000));
    quality[i] = latency[i] + 1e4 * random.uniform(2 * i + 1);
  }
  EXPECT_EQ(pareto_front(latency, quality, Backend::cuda), pareto_front(latency, quality, Backend::cpu));
}

TEST(ParetoCudaMissing, IsAnErrorAndNoFallback) {
  if (cuda_device_count() > 0) GTEST_SKIP() << "this machine has a CUDA device";
  const std::vector<double> one(1);
  EXPECT_THROW(pareto_front(one, one, Backend::cuda), Error);
}

}  // namespace
}  // namespace oneproxy
