#include "tests/support/simt_on_host.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace oneproxy::detail {
namespace {

// A kernel whose threads do not all reach a barrier is found, and so is one that reads before another thread writes.
TEST(Emulation, FindsAMissingBarrier) {
  EXPECT_THROW(simt::launch({1, 64},
                            [] {
                              if (threadIdx.x < 40) __syncthreads();
                            }),
               std::logic_error);
  int wrong = 0;
  for (const bool backwards : {false, true}) {
    std::vector<int> seen(32);
    simt::launch({1, 32, 32 * sizeof(int), backwards}, [&] {
      auto* values = reinterpret_cast<int*>(dynamic_shared());
      values[threadIdx.x] = 1;
      seen[threadIdx.x] = values[(threadIdx.x + 1) % 32];
    });
    for (const int value : seen) wrong += value != 1;
  }
  EXPECT_GT(wrong, 0);
}

}  // namespace
}  // namespace oneproxy::detail
