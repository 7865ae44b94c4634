// Several devices at one reduction: the kernels of tables and of reductions on emulated devices, each a host thread.
// clang-format off
#include "tests/kernels/score/device_table.h"
// clang-format on

#include "oneproxy/kernels/score/cuda/deal.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy::detail {
namespace {

using test::OwnedDigitTable;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kLeast = 300;

class Deal : public testing::Test {
 protected:
  Deal() {
    for (auto* table : {&latency, &quality})
      for (double& weight : table->weights) weight = std::floor(4 * weight) / 4;  // few values: ties
    settings.limits = {0.5};
    settings.best = 9;
  }

  // A round of the emulated device: positions begin .. end-1.
  void on_device(std::uint64_t begin, std::uint64_t end, Reduction& part) const {
    const DeviceTable x(digits, latency.table()), y(digits, quality.table());
    const std::uint64_t n = end - begin;
    std::vector<Survivor> survivors(n);
    unsigned long long survived = 0;
    const FilterArrays filter = make_filter(part);
    ReduceArgs args;
    args.filter = filter.view();
    args.survivors = {&survived, survivors.data(), survivors.size()};
    const auto size = x.args.leaf.size;
    const Start start = start_at(run, begin, split, size);
    const auto prefixes = static_cast<std::uint32_t>((start.skip + n + size - 1) / size);
    simt::launch({2, 32},
                 [&] { reduce_tables_kernel(args, x.args, y.args, start.places, prefixes, start.skip, begin, n); });
    survivors.resize(survived);
    add_survivors(survivors, run, split, part);
    part.add_scored(n);
  }

  Reduction by_one() const {
    Reduction reduction(settings);
    on_device(0, run.count, reduction);
    return reduction;
  }

  static void expect_equal(const Reduction& a, const Reduction& b) {
    const auto same = [](const std::vector<Candidate>& x, const std::vector<Candidate>& y) {
      return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const Candidate& p, const Candidate& q) {
        return p.index == q.index && p.latency == q.latency && p.quality == q.quality;
      });
    };
    EXPECT_TRUE(same(a.front(), b.front()));
    EXPECT_TRUE(same(a.best(0), b.best(0)));
    EXPECT_EQ(a.n_scored(), b.n_scored());
    EXPECT_EQ(a.gave_up_margins(), b.gave_up_margins());
  }

  const std::vector<std::uint32_t> radices = std::vector<std::uint32_t>(6, 5);
  const OwnedDigits digits{radices, 1, 5};
  OwnedDigitTable latency{digits, false, 8}, quality{digits, false, 9};
  const DigitSplit split = split_digits(radices);
  const IndexRange run{7, 15000};
  ReductionSettings settings;
};

TEST_F(Deal, AnyNumberOfDevicesHasTheBitsOfOne) {
  const Reduction expected = by_one();
  EXPECT_GT(expected.front().size(), 3u);
  for (const std::size_t n : {1u, 2u, 3u, 8u}) {
    DevicesAtWork devices(n);
    std::vector<std::atomic<std::uint64_t>> did(n);
    Reduction reduction(settings);
    devices.reduce(run.count, kLeast, reduction,
                   [&](std::size_t i, std::uint64_t begin, std::uint64_t end, Reduction& p) {
                     on_device(begin, end, p);
                     did[i] += end - begin;
                   });
    expect_equal(reduction, expected);
    std::uint64_t all = 0;
    for (const auto& one : did) all += one;
    EXPECT_EQ(all, run.count);
    EXPECT_THAT(devices.out_of_memory(), IsEmpty());
  }
}

TEST_F(Deal, ASlowDeviceDoesLess) {
  DevicesAtWork devices(3);
  std::vector<std::atomic<std::uint64_t>> did(3);
  Reduction reduction(settings);
  devices.reduce(run.count, kLeast, reduction,
                 [&](std::size_t i, std::uint64_t begin, std::uint64_t end, Reduction& p) {
                   on_device(begin, end, p);
                   did[i] += end - begin;
                   std::this_thread::sleep_for((end - begin) * std::chrono::microseconds(i == 0 ? 200 : 20));
                 });
  expect_equal(reduction, by_one());
  EXPECT_LT(did[0], did[1]);
  EXPECT_LT(did[0], did[2]);
}

TEST_F(Deal, TheOthersDoThePartOfADeviceWithoutMemory) {
  DevicesAtWork devices(3);
  std::atomic<int> tried{0};
  const auto reduce = [&](std::size_t i, std::uint64_t begin, std::uint64_t end, Reduction& part) {
    on_device(begin, end, part);
    if (i != 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));  // so that the second device gets a piece
      return;
    }
    ++tried;
    throw OutOfDeviceMemory("GPU 1 is full");  // with what it found half way in its part
  };
  for (int call = 0; call < 2; ++call) {  // in the second one it is not asked
    Reduction reduction(settings);
    devices.reduce(run.count, kLeast, reduction, reduce);
    expect_equal(reduction, by_one());
    EXPECT_EQ(tried, 1);
    EXPECT_THAT(devices.out_of_memory(), ElementsAre("GPU 1 is full"));
  }
}

TEST_F(Deal, AShortRunIsTheFirstDevicesWithMemory) {
  DevicesAtWork devices(3);
  std::vector<int> calls(3);
  for (int call = 0; call < 2; ++call) {
    Reduction reduction(settings), expected(settings);
    on_device(0, kLeast, expected);
    devices.reduce(kLeast, kLeast, reduction, [&](std::size_t i, std::uint64_t begin, std::uint64_t end, Reduction& p) {
      ++calls[i];
      on_device(begin, end, p);
      if (i == 0) throw OutOfDeviceMemory("GPU 0 is full");
    });
    expect_equal(reduction, expected);
  }
  EXPECT_THAT(calls, ElementsAre(1, 2, 0));
  EXPECT_THAT(devices.out_of_memory(), ElementsAre("GPU 0 is full"));
}

// The others have nothing left to do when the last piece comes back.
TEST_F(Deal, APieceThatComesBackLateIsDone) {
  DevicesAtWork devices(2);
  std::atomic<int> others{0};
  Reduction reduction(settings);
  devices.reduce(2, 1, reduction, [&](std::size_t i, std::uint64_t begin, std::uint64_t end, Reduction& part) {
    if (i == 0) {
      ++others;
      on_device(begin, end, part);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    throw OutOfDeviceMemory("full");
  });
  EXPECT_EQ(reduction.n_scored(), 2u);
}

TEST_F(Deal, NoDeviceWithMemoryIsAnError) {
  DevicesAtWork devices(2);
  Reduction reduction(settings);
  try {
    devices.reduce(run.count, kLeast, reduction, [](std::size_t i, std::uint64_t, std::uint64_t, Reduction&) {
      throw OutOfDeviceMemory("GPU " + std::to_string(i) + " is full");
    });
    FAIL();
  } catch (const OutOfDeviceMemory& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("is full"));
  }
  EXPECT_EQ(reduction.n_scored(), 0u);
}

// What went before the failure stays, and the rest can be done later, by fewer devices too.
TEST_F(Deal, ADeviceThatFailsLeavesTheReductionAsItWas) {
  const std::uint64_t half = run.count / 2;
  DevicesAtWork devices(3);
  Reduction reduction(settings);
  std::atomic<bool> broken{false};
  std::atomic<std::uint64_t> after{0};
  std::uint64_t offset = 0;
  const auto reduce = [&](std::size_t i, std::uint64_t begin, std::uint64_t end, Reduction& part) {
    if (broken) {
      if (i == 2) throw Error("GPU 2 fell off the bus");
      ++after;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    on_device(offset + begin, offset + end, part);
  };
  devices.reduce(half, kLeast, reduction, reduce);
  const auto before = reduction.state();
  broken = true;
  offset = half;
  try {
    devices.reduce(run.count - half, kLeast, reduction, reduce);
    FAIL();
  } catch (const Error& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("fell off the bus"));
  }
  EXPECT_LE(after, 4u);  // no more than what was under way
  EXPECT_EQ(reduction.state().n_scored, before.n_scored);
  EXPECT_EQ(reduction.state().front.size(), before.front.size());

  broken = false;
  DevicesAtWork fewer(2);
  Reduction resumed(settings);
  resumed.restore(before);
  fewer.reduce(run.count - half, kLeast, resumed, reduce);
  expect_equal(resumed, by_one());
}

TEST_F(Deal, MoreDevicesThanPieces) {
  for (const std::uint64_t count : {0u, 1u, 5u}) {
    DevicesAtWork devices(8);
    Reduction reduction(settings), expected(settings);
    if (count > 0) on_device(0, count, expected);
    devices.reduce(count, 2, reduction, [&](std::size_t, std::uint64_t begin, std::uint64_t end, Reduction& part) {
      EXPECT_LT(begin, end);
      on_device(begin, end, part);
    });
    expect_equal(reduction, expected);
  }
}

}  // namespace
}  // namespace oneproxy::detail
