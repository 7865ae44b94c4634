#include "oneproxy/kernels/additive/linear_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "oneproxy/kernels/additive/linear_score_detail.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/parallel.h"
#include "tests/kernels/additive/linear_score_cases.h"

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

class LinearScoreRange : public testing::TestWithParam<test::RangeCase> {};
INSTANTIATE_TEST_SUITE_P(Cases, LinearScoreRange, testing::ValuesIn(test::range_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(LinearScoreRange, EqualsTheDefinitionToTheBit) {
  const auto& [name, radices, begin, count] = GetParam();
  const OwnedTable owned(radices, 1);
  std::vector<double> scores(count, -1);
  score_linear_range(owned.table(), begin, scores, Backend::cpu);
  EXPECT_TRUE(same_bits(scores, test::range_by_definition(owned.table(), begin, count)));
}

// What the CUDA twin does on the device: the choices of a tile from the first tile's, and each row from its number.
TEST_P(LinearScoreRange, TilesAndRowsMeetTheIndex) {
  const auto& [name, radices, begin, count] = GetParam();
  const OwnedTable owned(radices, 2);
  const auto [tiles, first_choices] = detail::plan_range(radices, begin, count);
  ASSERT_LE(tiles.n_rows, detail::most_rows);
  ASSERT_EQ(first_choices.size(), static_cast<std::size_t>(tiles.n_outer));
  const double* weights = owned.weights.data();
  const int n_inner = tiles.n_decisions - tiles.n_outer - 1;

  std::vector<double> scores(count, -1);
  std::vector<std::uint8_t> choices(tiles.n_outer);
  std::int64_t written = 0;
  for (std::int64_t tile = 0; tile < tiles.n_tiles; ++tile) {
    detail::offset_choices(first_choices.data(), radices.data(), tiles.n_outer, tile, choices.data());
    const double outer = detail::add_choices(0.1, weights, radices.data(), choices.data(), tiles.n_outer);
    for (std::int32_t i = 0; i < tiles.size(); ++i) {
      const std::int64_t at = tile * tiles.size() - tiles.skip + i;
      if (at < 0 || at >= count) continue;
      const std::int32_t row = i / tiles.row_size;
      const double sum = detail::add_row(outer, weights + tiles.row_weights, radices.data() + tiles.n_outer, n_inner,
                                         row, tiles.n_rows);
      scores[at] = sum + weights[tiles.last_weights + i % tiles.row_size];
      ++written;
    }
  }
  EXPECT_EQ(written, count);
  EXPECT_TRUE(same_bits(scores, test::range_by_definition(owned.table(), begin, count)));
}

TEST(OffsetChoices, AddsLikeTheIndexFarBeyond64Bits) {
  const Radices radices(22, 9);
  const ArchIndex size = space_size(radices);
  const Philox random{33, 0};
  std::vector<std::uint8_t> first(22), sum(22), expected(22);
  for (std::uint64_t i = 0; i < 300; ++i) {
    const std::uint64_t offset = random.bits(3 * i) >> (1 + i % 63);
    const ArchIndex begin =
        ((static_cast<ArchIndex>(random.bits(3 * i + 1)) << 64) | random.bits(3 * i + 2)) % (size - offset);
    decode_index(begin, radices.data(), 22, first.data());
    decode_index(begin + offset, radices.data(), 22, expected.data());
    detail::offset_choices(first.data(), radices.data(), 22, offset, sum.data());
    ASSERT_EQ(sum, expected) << to_decimal(begin) << " + " << offset;
  }
}

TEST(LinearScoreRangeThreads, DoNotChangeABit) {
  const OwnedTable owned(Radices(22, 9), 3);
  std::vector<double> alone(1000003), together(alone.size());
  set_thread_count(1);
  score_linear_range(owned.table(), 777, alone, Backend::cpu);
  set_thread_count(5);
  score_linear_range(owned.table(), 777, together, Backend::cpu);
  set_thread_count(0);
  EXPECT_TRUE(same_bits(together, alone));
}

TEST(LinearScoreRangeErrors, NameTheRangeAndTheSpace) {
  const OwnedTable cells(Radices(6, 5), 4);
  std::vector<double> scores(10);
  const auto message = message_of([&] { score_linear_range(cells.table(), 15616, scores, Backend::cpu); });
  EXPECT_TRUE(mentions(message, {"10 architectures", "15616", "15625"})) << message;
  EXPECT_THROW(score_linear_range(cells.table(), 15626, {}, Backend::cpu), Error);
  EXPECT_THROW(score_linear_range(cells.table(), ~ArchIndex{0}, scores, Backend::cpu), Error);
  EXPECT_NO_THROW(score_linear_range(cells.table(), 15615, scores, Backend::cpu));

  const OwnedTable too_large(Radices(129, 2), 4);
  EXPECT_THROW(score_linear_range(too_large.table(), 0, scores, Backend::cpu), Error);
}

TEST(LinearScore, EqualsTheDefinitionToTheBit) {
  for (const Radices& radices : {Radices(22, 9), Radices(6, 5), Radices{1}, Radices{255, 1, 254, 3}, Radices(200, 2)}) {
    for (const std::int64_t n : {0, 1, 2, 3, 5, 4096, 4097, 20011}) {
      const OwnedTable owned(radices, 5);
      const auto choices = test::drawn_choices(radices, n);
      std::vector<double> scores(n, -1), expected;
      for (std::int64_t i = 0; i < n; ++i)
        expected.push_back(test::score_by_definition(owned.table(), choices.data() + i * radices.size()));
      score_linear(owned.table(), choices, scores, Backend::cpu);
      EXPECT_TRUE(same_bits(scores, expected)) << radices.size() << " decisions, " << n << " architectures";
      set_thread_count(5);
      std::vector<double> again(n, -1);
      score_linear(owned.table(), choices, again, Backend::cpu);
      set_thread_count(0);
      EXPECT_TRUE(same_bits(again, expected)) << radices.size() << " decisions, " << n << " architectures";
    }
  }
}

TEST(LinearScore, NamesTheFirstBadChoice) {
  const Radices radices = {9, 4, 255};
  const OwnedTable owned(radices, 6);
  const std::int64_t n = 30000;
  auto choices = test::drawn_choices(radices, n);
  std::vector<double> scores(n);
  choices[3 * 29000] = 9;
  auto message = message_of([&] { score_linear(owned.table(), choices, scores, Backend::cpu); });
  EXPECT_TRUE(mentions(message, {"architecture 29000 ", "choice 9 ", "decision 0 ", "radix 9"})) << message;
  choices[3 * 12345 + 1] = 200;
  choices[3 * 12345 + 2] = 255;
  message = message_of([&] { score_linear(owned.table(), choices, scores, Backend::cpu); });
  EXPECT_TRUE(mentions(message, {"architecture 12345 ", "choice 200 ", "decision 1 ", "radix 4"})) << message;
  choices[3 * 12345 + 1] = 3;
  message = message_of([&] { score_linear(owned.table(), choices, scores, Backend::cpu); });
  EXPECT_TRUE(mentions(message, {"architecture 12345 ", "choice 255 ", "decision 2 ", "radix 255"})) << message;
}

TEST(LinearScore, WeightsMayBeNanOrInfinite) {
  const Radices radices = {2, 3};
  const std::vector<double> weights = {nan, inf, -inf, 1, 2};
  const LinearTable table{radices, weights, 0};
  const Radices choices = {0, 1, 1, 0, 1, 1, 1, 2};
  std::vector<double> scores(4);
  score_linear(table, choices, scores, Backend::cpu);
  EXPECT_TRUE(std::isnan(scores[0]));
  EXPECT_TRUE(std::isnan(scores[1]));
  EXPECT_EQ(scores[2], inf);
  EXPECT_EQ(scores[3], inf);
  Radices bad = choices;
  bad[1] = 3;  // behind a score that is NaN anyway
  EXPECT_TRUE(mentions(message_of([&] { score_linear(table, bad, scores, Backend::cpu); }),
                       {"architecture 0 ", "choice 3 ", "decision 1 "}));
}

TEST(LinearScore, RefusesUnequalSizes) {
  const OwnedTable cells(Radices(6, 5), 7);
  const Radices choices(12);
  std::vector<double> two(2), three(3);
  EXPECT_NO_THROW(score_linear(cells.table(), choices, two, Backend::cpu));
  EXPECT_THROW(score_linear(cells.table(), choices, three, Backend::cpu), Error);
  EXPECT_THROW(score_linear(cells.table(), Radices(13), two, Backend::cpu), Error);
  LinearTable table = cells.table();
  table.weights = table.weights.first(29);
  EXPECT_THROW(score_linear(table, choices, two, Backend::cpu), Error);
  EXPECT_THROW(score_linear_range(table, 0, two, Backend::cpu), Error);
  EXPECT_THROW(score_linear(LinearTable{}, {}, {}, Backend::cpu), Error);
  const Radices zero = {5, 0};
  table = {zero, std::span<const double>(cells.weights).first(5), 0};
  EXPECT_TRUE(
      mentions(message_of([&] { score_linear_range(table, 0, two, Backend::cpu); }), {"decision 1 ", "radix 0"}));
}

}  // namespace
}  // namespace oneproxy
