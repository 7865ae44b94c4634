#include <gtest/gtest.h>

#include "oneproxy/kernels/additive/linear_score.h"
#include "oneproxy/kernels/base/error.h"
#include "tests/kernels/additive/linear_score_cases.h"
#include "tests/support/needs_cuda.h"

namespace oneproxy {
namespace {

using test::OwnedTable;

class LinearScoreCuda : public testing::TestWithParam<test::RangeCase> {
 protected:
  void SetUp() override { ONEPROXY_NEEDS_CUDA(); }
};
INSTANTIATE_TEST_SUITE_P(Cases, LinearScoreCuda, testing::ValuesIn(test::range_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(LinearScoreCuda, RangeEqualsTheCpuTwinToTheBit) {
  const auto& [name, radices, begin, count] = GetParam();
  const OwnedTable owned(radices, 1);
  std::vector<double> cpu(count, -1), cuda(count, -2);
  score_linear_range(owned.table(), begin, cpu, Backend::cpu);
  score_linear_range(owned.table(), begin, cuda, Backend::cuda);
  EXPECT_TRUE(test::same_bits(cuda, cpu));
}

TEST_P(LinearScoreCuda, ChoicesEqualTheCpuTwinToTheBit) {
  const auto& [name, radices, begin, count] = GetParam();
  const OwnedTable owned(radices, 1);
  const auto choices = test::drawn_choices(radices, 10007);
  std::vector<double> cpu(10007, -1), cuda(10007, -2);
  score_linear(owned.table(), choices, cpu, Backend::cpu);
  score_linear(owned.table(), choices, cuda, Backend::cuda);
  EXPECT_TRUE(test::same_bits(cuda, cpu));
}

TEST(LinearScoreCudaErrors, NamesTheSameBadChoiceAsTheCpuTwin) {
  ONEPROXY_NEEDS_CUDA();
  const OwnedTable owned({9, 4, 255}, 6);
  auto choices = test::drawn_choices(owned.radices, 30000);
  choices[3 * 29000] = 9;
  choices[3 * 12345 + 1] = 200;
  std::vector<double> scores(30000);
  std::string messages[2];
  for (const Backend backend : {Backend::cpu, Backend::cuda}) {
    try {
      score_linear(owned.table(), choices, scores, backend);
    } catch (const Error& error) {
      messages[backend == Backend::cuda] = error.what();
    }
  }
  EXPECT_NE(messages[0], "");
  EXPECT_EQ(messages[1], messages[0]);
}

TEST(LinearScoreCudaMissing, IsAnErrorAndNoFallback) {
  if (cuda_device_count() > 0) GTEST_SKIP() << "this machine has a CUDA device";
  const OwnedTable owned({5, 5}, 1);
  std::vector<double> score(1);
  EXPECT_THROW(score_linear_range(owned.table(), 0, score, Backend::cuda), Error);
  EXPECT_THROW(score_linear(owned.table(), std::vector<std::uint8_t>(2), score, Backend::cuda), Error);
}

}  // namespace
}  // namespace oneproxy
