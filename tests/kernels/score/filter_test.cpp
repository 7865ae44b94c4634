#include "oneproxy/kernels/score/cuda/filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/random.h"

namespace oneproxy::detail {
namespace {

// Points in several orders, filtered in rounds: the reduction is that of all points. With margins, no point is ruled
// out whose exact values could matter.
TEST(Filters, LoseNoPointThatCounts) {
  for (const double margin : {0.0, 0.01})
    for (const int shape : {0, 1, 2, 3, 4}) {
      const Philox random{static_cast<std::uint64_t>(shape), 9};
      std::vector<Candidate> points;
      for (std::uint64_t i = 0; i < 6000; ++i) {
        double x = random.uniform(2 * i), y = random.uniform(2 * i + 1);
        if (shape == 1) y = std::sqrt(x) + 0.01 * y;                     // nearly all on the front
        if (shape == 2) x = std::floor(10 * x), y = std::floor(10 * y);  // ties
        if (shape == 3) x = 5;                                           // one latency
        if (shape == 4) x = y;                                           // the same model for both
        points.push_back({i, x, y});
      }
      ReductionSettings settings;
      settings.limits = {0.1, 0.5, 5};
      settings.best = 4;
      settings.latency_margin = settings.quality_margin = margin;
      Reduction all(settings), filtered(settings);
      for (const auto& point : points) all.add(point);
      std::size_t kept = 0;
      for (std::size_t begin = 0; begin < points.size(); begin += 500) {
        const FilterArrays arrays = make_filter(filtered);
        const Filter filter = arrays.view();
        for (std::size_t i = begin; i < begin + 500; ++i)
          if (may_count(filter, points[i].latency, points[i].quality)) filtered.add(points[i]), ++kept;
      }
      const auto indices = [](const std::vector<Candidate>& list) {
        std::vector<std::uint64_t> of;
        for (const auto& point : list) of.push_back(static_cast<std::uint64_t>(point.index));
        return of;
      };
      EXPECT_EQ(indices(filtered.front()), indices(all.front())) << "shape " << shape << ", margin " << margin;
      for (int limit = 0; limit < 3; ++limit)
        EXPECT_EQ(indices(filtered.best(limit)), indices(all.best(limit))) << "shape " << shape;
      EXPECT_LE(kept, shape == 0 && margin == 0 ? 1500u : 6000u);
    }
}

TEST(Filters, NanAndInfinityDoNoHarm) {
  ReductionSettings settings;
  Reduction reduction(settings);
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const FilterArrays empty = make_filter(reduction);
  EXPECT_TRUE(may_count(empty.view(), 1, 1));
  EXPECT_FALSE(may_count(empty.view(), nan, 1));
  EXPECT_FALSE(may_count(empty.view(), 1, nan));
  reduction.add(Candidate{0, 1.0, 2.0});
  reduction.add(Candidate{1, 2.0, 3.0});
  reduction.add(Candidate{2, infinity, 4.0});
  const FilterArrays some = make_filter(reduction);
  EXPECT_TRUE(may_count(some.view(), -infinity, -infinity));
  EXPECT_FALSE(may_count(some.view(), infinity, 2.5));
  EXPECT_TRUE(may_count(some.view(), infinity, infinity));
}

}  // namespace
}  // namespace oneproxy::detail
