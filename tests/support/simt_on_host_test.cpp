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

void touch_shared(std::size_t bytes) { dynamic_shared()[bytes - 1] = 1; }

// The attribute belongs to the function: who sets a smaller one forbids the launches of who set a larger one before.
TEST(Emulation, KnowsHowMuchSharedMemoryAFunctionMayHave) {
  simt::Runtime runtime(100'000);
  EXPECT_NO_THROW(runtime.launch(touch_shared, {1, 32, 48 * 1024}, 48 * 1024));
  EXPECT_THROW(runtime.launch(touch_shared, {1, 32, 48 * 1024 + 1}, 1), std::logic_error);
  EXPECT_EQ(runtime.resident_blocks(touch_shared, 32, 60'000), 0);
  runtime.allow_shared_bytes(touch_shared, 80'000);
  EXPECT_EQ(runtime.resident_blocks(touch_shared, 32, 60'000), 1);
  EXPECT_NO_THROW(runtime.launch(touch_shared, {1, 32, 80'000}, 80'000));
  runtime.allow_shared_bytes(touch_shared, 60'000);
  EXPECT_THROW(runtime.launch(touch_shared, {1, 32, 80'000}, 1), std::logic_error);
  EXPECT_THROW(runtime.allow_shared_bytes(touch_shared, 100'001), std::logic_error);
}

// Each order visits every thread of every block once; orders differ.
TEST(Emulation, RunsThreadsInManyOrders) {
  std::vector<std::vector<unsigned>> orders;
  for (const std::uint64_t order : {0u, 1u, 2u}) {
    std::vector<unsigned> seen;
    simt::launch({4, 64, 0, false, order}, [&] { seen.push_back(blockIdx.x * 64 + threadIdx.x); });
    orders.push_back(seen);
    std::sort(seen.begin(), seen.end());
    for (unsigned i = 0; i < 256; ++i) ASSERT_EQ(seen[i], i);
  }
  EXPECT_NE(orders[0], orders[1]);
  EXPECT_NE(orders[1], orders[2]);
}

}  // namespace
}  // namespace oneproxy::detail
