#include "oneproxy/kernels/score/cuda/divider.h"

#include <gtest/gtest.h>

#include "oneproxy/kernels/base/random.h"

namespace oneproxy::detail {
namespace {

TEST(Dividers, AreDivisions) {
  constexpr std::uint32_t limit = 1u << 31;
  const Philox random{3, 3};
  std::vector<std::uint32_t> divisors;
  for (std::uint32_t d = 1; d <= 1000; ++d) divisors.push_back(d);
  for (int bit = 10; bit < 32; ++bit)
    for (const int off : {-1, 0, 1})
      if (const std::int64_t d = (std::int64_t{1} << bit) + off; d <= limit)
        divisors.push_back(static_cast<std::uint32_t>(d));
  for (std::uint64_t i = 0; i < 1000; ++i) divisors.push_back(1 + static_cast<std::uint32_t>(random.below(i, limit)));
  for (const std::uint32_t d : divisors) {
    const Divider divider(d);
    EXPECT_EQ(divider.divisor, d);
    const auto check = [&](std::uint64_t n) {
      if (n >= limit) return;
      ASSERT_EQ(divider.quotient(static_cast<std::uint32_t>(n)), n / d) << n << " / " << d;
    };
    const std::uint64_t last = (limit - 1) / d * d;  // where a rounded factor errs first
    for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{d} - 1, std::uint64_t{d}, std::uint64_t{d} + 1,
                                  last - 1, last, last + 1, std::uint64_t{limit} - 1})
      check(n);
    for (std::uint64_t i = 0; i < 20; ++i) {
      const std::uint64_t multiple = random.below(i + 7 * d, limit) / d * d;
      check(multiple - 1), check(multiple), check(multiple + 1);
    }
  }
  EXPECT_EQ(Divider().quotient(12345), 12345u);
}

}  // namespace
}  // namespace oneproxy::detail
