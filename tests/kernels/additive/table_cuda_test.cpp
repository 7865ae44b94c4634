#include <gtest/gtest.h>

#include "oneproxy/kernels/base/error.h"
#include "tests/kernels/additive/table_cases.h"
#include "tests/support/needs_cuda.h"

namespace oneproxy {
namespace {

using test::OwnedTable;

class TablesCuda : public testing::TestWithParam<test::TableCase> {
 protected:
  void SetUp() override { ONEPROXY_NEEDS_CUDA(); }
};
INSTANTIATE_TEST_SUITE_P(Cases, TablesCuda, testing::ValuesIn(test::table_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(TablesCuda, ListsEqualTheDefinitionToTheBit) {
  const auto& [name, radices, several] = GetParam();
  const OwnedTable owned(radices, several, 1);
  const auto choices = test::drawn_choices(radices, 10007);
  std::vector<double> scores(10007, -1);
  score_table(owned.table(), radices, choices, scores, Backend::cuda);
  EXPECT_TRUE(test::same_bits(scores, test::scores_by_definition(owned, choices)));
}

TEST(TablesCudaErrors, NamesTheSameBadChoiceAsTheCpuTwin) {
  ONEPROXY_NEEDS_CUDA();
  const OwnedTable owned({9, 4, 255}, false, 6);
  auto choices = test::drawn_choices(owned.radices, 30000);
  choices[3 * 29000] = 9;
  choices[3 * 12345 + 1] = 200;
  std::vector<double> scores(30000);
  std::string messages[2];
  for (const Backend backend : {Backend::cpu, Backend::cuda}) {
    try {
      score_table(owned.table(), owned.radices, choices, scores, backend);
    } catch (const Error& error) {
      messages[backend == Backend::cuda] = error.what();
    }
  }
  EXPECT_NE(messages[0], "");
  EXPECT_EQ(messages[1], messages[0]);
}

TEST(TablesCudaMissing, IsAnErrorAndNoFallback) {
  if (cuda_device_count() > 0) GTEST_SKIP() << "this machine has a CUDA device";
  const OwnedTable owned({5, 5}, false, 1);
  std::vector<double> score(1);
  EXPECT_THROW(score_table(owned.table(), owned.radices, std::vector<std::uint8_t>(2), score, Backend::cuda), Error);
}

}  // namespace
}  // namespace oneproxy
