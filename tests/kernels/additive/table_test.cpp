// The kernel of the CUDA twin runs here on the CPU; the emulation comes before what it emulates.
// clang-format off
#include "tests/support/simt_on_host.h"
#include "oneproxy/kernels/additive/table_device.cuh"
// clang-format on

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "tests/kernels/additive/table_cases.h"

namespace oneproxy {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

using Radices = std::vector<std::uint8_t>;
using test::OwnedTable;
using test::same_bits;

template <typename Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

bool mentions(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts)
    if (text.find(part) == std::string::npos) return false;
  return true;
}

class Tables : public testing::TestWithParam<test::TableCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, Tables, testing::ValuesIn(test::table_cases()),
                         [](const auto& instance) { return instance.param.name; });

// Short lists go without the tables by byte, long ones end in rows that fill no vector.
TEST_P(Tables, ListsEqualTheDefinitionToTheBit) {
  const auto& [name, radices, several] = GetParam();
  const OwnedTable owned(radices, several, 1);
  for (const std::int64_t n : {0, 1, 2, 63, 5000, 30001}) {
    const auto choices = test::drawn_choices(radices, n);
    const auto expected = test::scores_by_definition(owned, choices);
    for (const int threads : {1, 5}) {
      set_thread_count(threads);
      std::vector<double> scores(n, -1);
      score_table(owned.table(), radices, choices, scores, Backend::cpu);
      EXPECT_TRUE(same_bits(scores, expected)) << n << " architectures, " << threads << " threads";
    }
    set_thread_count(0);
    for (std::int64_t i = 0; i < n; i += 97)
      ASSERT_EQ(additive_score(owned.table(), std::span<const std::uint8_t>(radices),
                               choices.data() + i * static_cast<std::int64_t>(radices.size())),
                expected[i]);
  }
}

TEST_P(Tables, TheDeviceKernelEqualsTheDefinitionToTheBit) {
  const auto& [name, radices, several] = GetParam();
  const OwnedTable owned(radices, several, 2);
  const auto choices = test::drawn_choices(radices, 200);
  const detail::DeviceTableView view{owned.weights.data(),  owned.bias.data(),
                                     radices.data(),        static_cast<int>(radices.size()),
                                     owned.table().width(), owned.bias.size() > 1};
  std::vector<double> scores(200, -1);
  unsigned long long first_bad = 1000;
  const auto run = [&](const std::vector<std::uint8_t>& of) {
    simt::launch({2, 32}, [&] { detail::score_table_kernel(view, of.data(), 200, scores.data(), &first_bad); });
  };
  run(choices);
  EXPECT_EQ(first_bad, 1000u);
  EXPECT_TRUE(same_bits(scores, test::scores_by_definition(owned, choices)));
  auto bad = choices;
  for (const std::size_t arch : {150, 33, 34}) bad[(arch + 1) * radices.size() - 1] = 255;
  run(bad);
  EXPECT_EQ(first_bad, 33u);
}

TEST(ScoreTable, NamesTheFirstBadChoice) {
  for (const bool several : {false, true}) {
    const OwnedTable owned({9, 4, 255}, several, 6);
    const std::int64_t n = 30000;
    auto choices = test::drawn_choices(owned.radices, n);
    std::vector<double> scores(n);
    const auto message = [&] {
      return message_of([&] { score_table(owned.table(), owned.radices, choices, scores, Backend::cpu); });
    };
    choices[3 * 29000] = 9;
    EXPECT_TRUE(mentions(message(), {"architecture 29000 ", "choice 9 ", "decision 0 ", "radix 9"})) << message();
    choices[3 * 29000] = 255;
    EXPECT_TRUE(mentions(message(), {"architecture 29000 ", "choice 255 ", "decision 0 "})) << message();
    choices[3 * 12345 + 1] = 200;
    choices[3 * 12345 + 2] = 255;
    EXPECT_TRUE(mentions(message(), {"architecture 12345 ", "choice 200 ", "decision 1 ", "radix 4"})) << message();
    choices[3 * 12345 + 1] = 3;
    EXPECT_TRUE(mentions(message(), {"architecture 12345 ", "choice 255 ", "decision 2 ", "radix 255"})) << message();
    choices.resize(9);
    scores.resize(3);
    choices[4] = 4;
    EXPECT_TRUE(mentions(message(), {"architecture 1 ", "choice 4 ", "decision 1 "})) << message();
  }
}

TEST(ScoreTable, WeightsMayBeNanOrInfinite) {
  const Radices radices = {2, 3};
  const std::vector<double> weights = {nan, inf, -inf, 1, 2}, bias = {0};
  const AdditiveTable<double> table{weights, bias};
  for (const std::size_t repeats : {1, 1000}) {
    Radices choices;
    for (std::size_t i = 0; i < repeats; ++i)
      for (const std::uint8_t choice : {0, 1, 1, 0, 1, 1, 1, 2}) choices.push_back(choice);
    std::vector<double> scores(4 * repeats);
    score_table(table, radices, choices, scores, Backend::cpu);
    EXPECT_TRUE(std::isnan(scores[0]));
    EXPECT_TRUE(std::isnan(scores[1]));
    EXPECT_EQ(scores[2], inf);
    EXPECT_EQ(scores[3], inf);
    Radices bad = choices;
    bad[1] = 3;  // behind a score that is NaN anyway
    EXPECT_TRUE(mentions(message_of([&] { score_table(table, radices, bad, scores, Backend::cpu); }),
                         {"architecture 0 ", "choice 3 ", "decision 1 "}));
  }
}

// A bias that is NaN: no table for this value of digit 0. The others are not touched.
TEST(ScoreTable, ATableMayBeMissing) {
  OwnedTable owned({3, 4}, true, 6);
  owned.bias[1] = nan;
  const auto choices = test::drawn_choices(owned.radices, 2000);
  std::vector<double> scores(2000);
  score_table(owned.table(), owned.radices, choices, scores, Backend::cpu);
  const auto expected = test::scores_by_definition(owned, choices);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    ASSERT_EQ(std::isnan(scores[i]), choices[2 * i] == 1);
    if (choices[2 * i] != 1) {
      ASSERT_EQ(scores[i], expected[i]);
    }
  }
}

TEST(ScoreTable, RefusesWhatDoesNotFit) {
  const OwnedTable cells(Radices(6, 5), false, 7);
  const Radices choices(12);
  std::vector<double> two(2), three(3);
  const auto message = [&](const AdditiveTable<double>& table, const Radices& radices, const Radices& of,
                           std::vector<double>& scores) {
    return message_of([&] { score_table(table, radices, of, scores, Backend::cpu); });
  };
  EXPECT_EQ(message(cells.table(), cells.radices, choices, two), "no error");
  EXPECT_TRUE(mentions(message(cells.table(), cells.radices, choices, three), {"12 choices", "3 scores"}));
  EXPECT_TRUE(mentions(message(cells.table(), cells.radices, Radices(13), two), {"13 choices"}));
  AdditiveTable<double> table = cells.table();
  table.weights = table.weights.first(29);
  EXPECT_TRUE(mentions(message(table, cells.radices, choices, two), {"29 weights", "need 30"}));
  EXPECT_TRUE(mentions(message({}, {}, {}, two), {"no digits"}));
  EXPECT_TRUE(mentions(message({}, cells.radices, choices, two), {"0 tables"}));
  const std::vector<double> two_biases = {1, 2};
  EXPECT_TRUE(mentions(message({cells.weights, two_biases}, cells.radices, choices, two), {"2 tables", "5 values"}));
  EXPECT_TRUE(mentions(message({std::span(cells.weights).first(5), cells.bias}, {5, 0}, choices, two),
                       {"digit 1 ", "radix 0"}));
}

// Fixed point: the same definition, exact.
TEST(AdditiveScore, SumsWholeNumbersToo) {
  const std::vector<std::int64_t> weights = {1, 2, 10, 20, 30, 3, 4, 100, 200, std::int64_t{1} << 60}, bias = {5, 6};
  const std::vector<std::uint32_t> radices = {2, 3}, digits = {1, 2};
  const AdditiveTable<std::int64_t> table{weights, bias};
  check_table(table, std::span<const std::uint32_t>(radices), "it");
  EXPECT_EQ(additive_score(table, std::span<const std::uint32_t>(radices), digits.data()),
            6 + 4 + (std::int64_t{1} << 60));
}

}  // namespace
}  // namespace oneproxy
