#include "oneproxy/engine/space/subspace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "oneproxy/kernels/base/random.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

TEST(SubSpace, AllOfItIsTheSpace) {
  for (const auto* name : {"nasbench201", "fbnet", "ofa_mbv3"}) {
    const auto space = SearchSpace::load(name);
    const SubSpace part(space);
    EXPECT_TRUE(part.is_whole());
    EXPECT_EQ(part.size(), space.size());
    const Philox random{3, 3};
    for (int i = 0; i < 200; ++i) {
      const ArchIndex index =
          ((static_cast<ArchIndex>(random.bits(2 * i)) << 64) | random.bits(2 * i + 1)) % space.size();
      EXPECT_EQ(part.choices(index), space.choices(index));
      EXPECT_EQ(part.digits(space.choices(index)), space.digits_of(space.choices(index)));
    }
  }
}

TEST(SubSpace, KeepsWhatIsFixedAndTheOrder) {
  const auto space = SearchSpace::load("nasbench201");
  SubSpace part(space);
  part.fix("edge 0-2=none|nor_conv_3x3");
  part.fix("edge 2-3=skip_connect");
  EXPECT_EQ(part.size(), ArchIndex{5 * 2 * 5 * 5 * 5});
  std::set<std::vector<std::uint8_t>> expected, got;
  for (int i = 0; i < 15625; ++i) {
    const auto choices = space.choices(i);
    if ((choices[1] == 0 || choices[1] == 3) && choices[5] == 1) expected.insert(choices);
  }
  ArchIndex before = 0;
  for (ArchIndex i = 0; i < part.size(); ++i) {
    const auto choices = part.choices(i);
    got.insert(choices);
    const ArchIndex index = space.index(choices);
    if (i > 0) {
      EXPECT_GT(index, before);
    }
    before = index;
    EXPECT_EQ(part.choices(part.digits(choices)), choices);
  }
  EXPECT_EQ(got, expected);
  EXPECT_TRUE(part.digits(space.choices(0)).empty()) << "edge 2-3 is none there";
  EXPECT_THAT(part.describe(), HasSubstr("edge 2-3=skip_connect"));
}

// 3 depths of 9 blocks: 27 values of each stage.
TEST(SubSpace, StagesAlike) {
  const auto space = SearchSpace::load("ofa_mbv3");
  SubSpace part(space);
  part.keep_uniform_stages();
  part.fix("resolution=160|176|192|208|224");
  EXPECT_EQ(to_decimal(part.size()), std::to_string(5LL * 27 * 27 * 27 * 27 * 27));
  const Philox random{4, 3};
  for (int i = 0; i < 300; ++i) {
    const auto choices = part.choices(static_cast<ArchIndex>(random.below(i, 71744535)));
    EXPECT_EQ(space.fault(choices), "");
    for (int stage = 0; stage < 5; ++stage) {
      std::set<int> blocks;
      for (int b = 0; b < 4; ++b)
        if (const int choice = choices[1 + 4 * stage + b]) blocks.insert(choice);
      EXPECT_EQ(blocks.size(), 1u);
    }
  }
}

TEST(SubSpace, CodeIsThatOfTheChoices) {
  const auto space = SearchSpace::load("ofa_mbv3");
  SubSpace part(space);
  part.fix("resolution=200|128");
  part.keep_uniform_stages();
  const auto code = part.code();
  std::vector<int> first_row(space.n_decisions(), 0);
  for (int d = 1; d < space.n_decisions(); ++d) first_row[d] = first_row[d - 1] + space.radices()[d - 1];
  std::size_t value = 0;
  for (int d = 0; d < part.n_digits(); ++d)
    for (std::uint32_t v = 0; v < part.radices()[d]; ++v, ++value) {
      std::vector<std::uint32_t> digits(part.n_digits(), 0);
      digits[d] = v;
      const auto choices = part.choices(digits);
      const auto& digit = space.digits()[d];
      std::multiset<int> rows, expected;
      for (int p = 0; p < code.parts; ++p)
        if (const int row = code.rows[value * code.parts + p]; row >= 0) rows.insert(row);
      for (int i = digit.first_decision; i < digit.first_decision + digit.n_decisions; ++i)
        expected.insert(first_row[i] + choices[i]);
      ASSERT_EQ(rows, expected) << "digit " << d << " value " << v;
    }
}

TEST(SubSpace, FixTakesPatternsOfDecisionsAndChoices) {
  const auto space = SearchSpace::load("fbnet");
  SubSpace part(space), by_name(space);
  part.fix("layer 1?=k5*");
  for (int layer = 10; layer < 20; ++layer)
    by_name.fix("layer " + std::to_string(layer) + "=k5_e1|k5_e1_g2|k5_e3|k5_e6");
  EXPECT_EQ(part.fixes(), by_name.fixes());
  EXPECT_EQ(part.size(), by_name.size());
  part.fix("layer *=k*|skip");  // nothing is left out
  EXPECT_EQ(part.size(), by_name.size());
  EXPECT_THAT(error_of([&] { part.fix("stage *=k5*"); }), HasSubstr("unknown decision 'stage *'"));
  EXPECT_THAT(error_of([&] { part.fix("layer *=k7*"); }), HasSubstr("unknown choice 'k7*'"));
  EXPECT_THAT(error_of([&] { part.fix("layer 1*=k3*"); }), HasSubstr("leaves no choice for layer 10"));
}

TEST(SubSpace, SaysWhatIsNotKnown) {
  const auto space = SearchSpace::load("nasbench201");
  SubSpace part(space);
  EXPECT_THAT(error_of([&] { part.fix("edge 0-2"); }), HasSubstr("DECISION=CHOICE"));
  EXPECT_THAT(error_of([&] { part.fix("edge 0-9=none"); }), HasSubstr("edge 0-"));
  EXPECT_THAT(error_of([&] { part.fix("edge 0-2=nor_conv_3x4"); }), HasSubstr("nor_conv_3x3"));
  part.fix("edge 0-2=none");
  EXPECT_THAT(error_of([&] { part.fix("edge 0-2=skip_connect"); }), HasSubstr("leaves no choice for edge 0-2"));
}

}  // namespace
}  // namespace oneproxy
