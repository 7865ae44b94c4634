#include "oneproxy/engine/device/samples.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace oneproxy {
namespace {

template <class To, class From>
constexpr bool becomes =
    std::is_convertible_v<From, To> || std::is_constructible_v<To, From> || std::is_assignable_v<To&, From>;

// What chooses a setting is never fitted on, and what has no use, as test latencies, fits nowhere.
static_assert(!becomes<TrainingSamples, ValidationSamples> && !becomes<ValidationSamples, TrainingSamples>);
static_assert(!becomes<TrainingSamples, StoppingSamples> && !becomes<TrainingSamples, TestSamples>);
static_assert(!becomes<TargetSamples, SourceSamples> && !becomes<TargetSamples, TestSamples>);
static_assert(!becomes<TrainingSamples, Samples> && !becomes<TargetSamples, Samples>);
// Reading does not ask what for.
static_assert(std::is_convertible_v<const TestSamples&, const Samples&>);

TEST(Samples, AddKeepsChoicesAndValuesTogether) {
  TrainingSamples samples({0, 1, 2, 3}, {5, 6});
  samples.add(std::vector<std::uint8_t>{4, 5}, 7);
  TrainingSamples more;
  more.add(samples);
  more.add(samples);
  EXPECT_EQ(more.n(), 6);
  EXPECT_EQ(more.values, (std::vector<double>{5, 6, 7, 5, 6, 7}));
  EXPECT_EQ(more.choices, (std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace oneproxy
