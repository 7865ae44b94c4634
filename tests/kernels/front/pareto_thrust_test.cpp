// The algorithm of the CUDA twin, run by Thrust's sequential back end: no nvcc, no GPU.
#include "oneproxy/kernels/front/pareto_thrust.h"

#include <gtest/gtest.h>
#include <thrust/system/cpp/execution_policy.h>

#include "tests/kernels/front/pareto_cases.h"

namespace oneproxy {
namespace {

template <typename T>
class HostBuffer {
 public:
  explicit HostBuffer(std::int64_t size) : values_(static_cast<std::size_t>(size)) {}
  T* data() { return values_.data(); }
  const std::vector<T>& values() const { return values_; }

 private:
  std::vector<T> values_;
};

class ParetoThrust : public testing::TestWithParam<test::ParetoCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, ParetoThrust, testing::ValuesIn(test::pareto_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(ParetoThrust, FrontIsTheOneByDefinition) {
  const auto& [name, latency, quality] = GetParam();
  const auto front = detail::pareto_front_thrust<HostBuffer>(thrust::cpp::par, latency.data(), quality.data(),
                                                             static_cast<std::int64_t>(latency.size()));
  EXPECT_EQ(front.values(), test::front_by_definition(latency, quality));
}

}  // namespace
}  // namespace oneproxy
