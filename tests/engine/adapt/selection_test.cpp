#include "oneproxy/engine/adapt/design/selection.h"

#include <gmock/gmock.h>

#include "oneproxy/engine/adapt/design/design.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const BlockLayout kLayout = {{"A"}, {0, 2}};
const std::vector<double> kRows = {0, 1, 0, 2, 0, 3, 0, 4};  // [4, 2]

std::vector<std::int64_t> chosen(const SearchSpace& space, Selection selection, int k,
                                 std::span<const std::int64_t> measured = {}) {
  const std::vector<std::uint8_t> choices(4 * space.n_decisions());
  const DesignProblem problem{.candidates = kRows, .reference = kRows, .th = {4}, .space = &space, .choices = choices};
  return choose_samples(kLayout, problem, selection, k, 5, measured);
}

TEST(Selection, ARegisteredOneChoosesAmongWhatIsNotMeasured) {
  const auto space = SearchSpace::load("nasbench201");
  const auto own = register_selection(
      "own",
      [](const SelectionPool& pool) {
        EXPECT_EQ(pool.n(), 3);
        EXPECT_EQ(pool.seed, 5u);
        EXPECT_THAT(pool.measured_features, ElementsAre(0, 4, 1));  // scaled by 2, and the constant
        EXPECT_THAT(pool.features, ElementsAre(0, 2, 1, 0, 6, 1, 0, 8, 1));
        return std::vector<std::int64_t>{2, 0};
      },
      "v1");
  EXPECT_THAT(chosen(space, own, 2, std::vector<std::int64_t>{1}), ElementsAre(3, 0));
  EXPECT_EQ(parse_selection("own"), own);
  EXPECT_STREQ(to_string(own), "own");
  EXPECT_EQ(selection_version(own), "v1");
  EXPECT_EQ(selection_version(Selection::kmeans), "");
  EXPECT_FALSE(is_nested(own));
  EXPECT_TRUE(is_nested(Selection::a_optimal) && !is_nested(Selection::kmeans));
}

TEST(Selection, BadAnswersAndNamesAreRefused) {
  const auto space = SearchSpace::load("nasbench201");
  std::vector<std::int64_t> answer;
  const auto bad = register_selection("bad", [&](const SelectionPool&) { return answer; });
  for (const auto& [given, what] : std::vector<std::pair<std::vector<std::int64_t>, std::string>>{
           {{0}, "selection bad: chose 1 architectures; return the positions of 2"},
           {{0, 0}, "position 0 twice"},
           {{0, 4}, "position 4; the candidates have the positions 0 to 3"},
           {{-1, 0}, "position -1"}}) {
    answer = given;
    EXPECT_THAT(error_of([&] { chosen(space, bad, 2); }), HasSubstr(what));
  }
  EXPECT_THAT(error_of([] { register_selection("random", {}); }), HasSubstr("ships with oneproxy"));
  EXPECT_THAT(error_of([] { register_selection("two words", {}); }), HasSubstr("letters, digits"));
}

}  // namespace
}  // namespace oneproxy
