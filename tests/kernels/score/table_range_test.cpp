// Ranges of tables through Scorer, on both back ends, where an index is hard: across 2^64, at the ends of a space, with
// radices of 1 and of 255. Every score against the digits of its index, decoded with plain 128-bit arithmetic.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "oneproxy/kernels/score/scorer.h"
#include "tests/kernels/score/score_cases.h"
#include "tests/support/needs_cuda.h"

namespace oneproxy {
namespace {

using Radices = std::vector<std::uint32_t>;

struct RangeCase {
  std::string name;
  Radices radices;
  ArchIndex begin;
  std::uint64_t count;
  bool has_split = true;  // in two parts below 2^64, as CUDA needs it
};
void PrintTo(const RangeCase& range, std::ostream* out) { *out << range.name; }

ArchIndex size_of(const Radices& radices) { return DigitCode{radices, 1, {}, 0}.size(); }

std::vector<RangeCase> range_cases() {
  const Radices fbnet(22, 9), cells(6, 5);
  const ArchIndex two_to_64 = ArchIndex{1} << 64;
  const Radices long_rows = {255, 254, 253}, bits(127, 2);
  Radices ends_with_one(20, 2);
  ends_with_one.push_back(1);
  const Radices mixed = {4, 1, 7, 2, 13, 1, 1, 6, 3, 1, 11, 5, 1};
  return {
      {"all_cells", cells, 0, 15625},
      {"some_cells", cells, 3124, 3127},
      {"last_cell", cells, 15624, 1},
      {"empty", cells, 15625, 0},
      {"one_digit", {7}, 0, 7},
      {"one_architecture", {1}, 0, 1},
      {"only_radix_1", Radices(30, 1), 0, 1},
      {"fbnet_first", fbnet, 0, 200000},
      {"fbnet_odd", fbnet, 123456789012345, 200000},
      {"fbnet_within_a_block", fbnet, 6561 * 5 + 100, 1000},
      {"fbnet_across_2_to_64", fbnet, two_to_64 - 70000, 150000},
      {"fbnet_beyond_2_to_64", fbnet, two_to_64 * 40 + 17, 100000},
      {"fbnet_last", fbnet, size_of(fbnet) - 66000, 66000},
      {"long_rows", long_rows, 1000, 200000},
      {"long_rows_last", long_rows, size_of(long_rows) - 300, 300},
      {"bits", bits, (ArchIndex{1} << 127) - 50000, 50000, false},
      {"bits_carry_far", bits, (ArchIndex{1} << 126) - 30000, 60000, false},
      {"ends_with_one", ends_with_one, 10000, 50000},
      {"mixed", mixed, 12345, static_cast<std::uint64_t>(size_of(mixed)) - 12345},
  };
}

class TableRanges : public testing::TestWithParam<RangeCase> {
 protected:
  void equal_the_definition(Backend backend) {
    const auto& [name, radices, begin, count, has_split] = GetParam();
    const test::OwnedDigits digits(radices, 1, 1);
    const test::OwnedDigitTable one(digits, false, 2), selected(digits, true, 3);
    const std::vector<Model> models = {one.table(), selected.table()};
    std::vector<double> scores(2 * count, -1);
    Scorer(digits.code(), models, backend, Precision::fp64).score({begin, count}, scores);
    Radices own(radices.size());
    for (std::uint64_t i = 0; i < count; ++i) {
      decode_digits(begin + i, radices.data(), static_cast<int>(radices.size()), own.data());
      for (std::size_t m = 0; m < 2; ++m)
        ASSERT_EQ(scores[m * count + i], score_by_definition(models[m], digits.code(), own.data()))
            << "table " << m << " at " << i;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Cases, TableRanges, testing::ValuesIn(range_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(TableRanges, EqualTheDefinitionToTheBit) { equal_the_definition(Backend::cpu); }

TEST_P(TableRanges, EqualTheDefinitionToTheBitOnCuda) {
  ONEPROXY_NEEDS_CUDA();
  if (!GetParam().has_split) return;  // refused: ScoreCudaOnce.ASpaceWithoutASplitIsRefused
  equal_the_definition(Backend::cuda);
}

}  // namespace
}  // namespace oneproxy
