#include "oneproxy/kernels/score/cuda/less_memory.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace oneproxy::detail {
namespace {

struct NoMemory : std::runtime_error {
  NoMemory() : std::runtime_error("no memory") {}
};

// A device of so many places, of which earlier work holds some until they are released.
struct Device {
  std::int64_t places, held = 0;
  int releases = 0;
  std::vector<std::int64_t> tried = {};

  std::int64_t run(std::int64_t& size, std::int64_t least) {
    return with_less_memory<NoMemory>(
        size, least,
        [this] {
          held = 0;
          ++releases;
        },
        [this](std::int64_t n) {
          tried.push_back(n);
          if (n + held > places) throw NoMemory();
          return n;
        });
  }
};

TEST(LessMemory, WhatFitsRunsOnce) {
  Device device{100};
  std::int64_t size = 100;
  EXPECT_EQ(device.run(size, 10), 100);
  EXPECT_EQ(device.releases, 0);
}

TEST(LessMemory, WhatEarlierWorkHoldsIsReleased) {
  Device device{100, 90};
  std::int64_t size = 100;
  EXPECT_EQ(device.run(size, 10), 50);
  EXPECT_EQ(device.releases, 1);
  EXPECT_EQ(size, 50);  // the next work begins with what fits
}

TEST(LessMemory, HalvesDownToTheLeast) {
  Device device{30};
  std::int64_t size = 100;
  EXPECT_EQ(device.run(size, 27), 27);
  EXPECT_EQ(device.tried, (std::vector<std::int64_t>{100, 50, 27}));
}

TEST(LessMemory, TheLastFailureGoesOn) {
  Device device{5};
  std::int64_t size = 100;
  EXPECT_THROW(device.run(size, 40), NoMemory);
  EXPECT_EQ(device.tried, (std::vector<std::int64_t>{100, 50, 40}));
  EXPECT_EQ(device.releases, 3);
  device.tried.clear();
  std::int64_t small = 7;  // below the least from the start: once more, for what was released
  EXPECT_THROW(device.run(small, 40), NoMemory);
  EXPECT_EQ(device.tried, (std::vector<std::int64_t>{7, 7}));
}

TEST(LessMemory, OtherFailuresAreNotRepeated) {
  std::int64_t size = 100;
  int runs = 0;
  const auto work = [&](std::int64_t) {
    ++runs;
    throw std::logic_error("another failure");
  };
  EXPECT_THROW(with_less_memory<NoMemory>(
                   size, 1, [] {}, work),
               std::logic_error);
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace oneproxy::detail
