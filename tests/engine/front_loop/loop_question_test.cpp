#include "oneproxy/engine/front_loop/loop_question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oneproxy/engine/base/resources.h"
#include "tests/engine/error_of.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

class LoopQuestion : public testing::Test {
 protected:
  Objective quality(const SearchSpace& space, const Measurements* data, const std::string& text) {
    return loop_quality({space, data, store_.path(), "", Backend::cpu}, text, "quality");
  }

  Store store_{shipped_store()};
  SearchSpace cells_ = SearchSpace::load("nasbench201"), layers_ = SearchSpace::load("fbnet");
  Measurements data_{store_, cells_, "help"};
};

TEST_F(LoopQuestion, TakesTheDirectionOfAMetricAndMaximisesTheRest) {
  EXPECT_TRUE(quality(cells_, &data_, "metric:natsbench:cifar10").maximised());
  EXPECT_TRUE(quality(cells_, &data_, "model:macs").maximised());
  EXPECT_FALSE(quality(cells_, &data_, "min model:macs").maximised());
  EXPECT_EQ(quality(layers_, nullptr, "").label, quality(layers_, nullptr, "model:accuracy").label);
}

TEST_F(LoopQuestion, ChoosesAmongWhatHasAQuality) {
  const auto rows = loop_candidates(quality(cells_, &data_, "metric:natsbench:cifar10"), SubSpace::of(cells_), false,
                                    &data_, 1, "quality");
  EXPECT_EQ(rows->listed().size(), 15625u * 6);
  SubSpace part = SubSpace::of(cells_);
  part.fix("edge 0-1=none");
  const auto some = loop_candidates(quality(cells_, &data_, "model:macs"), part, false, &data_, 1, "quality");
  EXPECT_EQ(some->listed().size(), 3125u * 6);
  const auto all = loop_candidates(quality(layers_, nullptr, ""), SubSpace::of(layers_), true, nullptr, 1, "quality");
  EXPECT_TRUE(all->listed().empty()) << "too many: they are searched";
}

TEST_F(LoopQuestion, RefusesWhatItCanNotAnswer) {
  EXPECT_THAT(error_of([&] { quality(cells_, &data_, ""); }), HasSubstr("metric:NAME"));
  EXPECT_THAT(error_of([&] { quality(cells_, &data_, "max metric:natsbench:cifar10 >= 90"); }), HasSubstr("limit"));
  EXPECT_THAT(error_of([&] {
                loop_candidates(quality(layers_, nullptr, ""), SubSpace::of(layers_), false, nullptr, 1, "quality");
              }),
              HasSubstr("no sum"));
}

}  // namespace
}  // namespace oneproxy
