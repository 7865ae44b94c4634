#include "oneproxy/engine/share/processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "oneproxy/engine/share/mpi_module.h"
#include "oneproxy/engine/share/packed.h"
#include "tests/engine/share/thread_processes.h"
#include "tests/support/scoped_variable.h"

namespace oneproxy {
namespace {

class ProcessesOf : public testing::TestWithParam<int> {};

TEST_P(ProcessesOf, BringTheirPartsTogether) {
  const int size = GetParam();
  test::ThreadProcesses threads(size);
  threads.run([&](Processes& own) {
    EXPECT_EQ(broadcast(own, own.rank() == 0 ? "of rank 0" : ""), "of rank 0");
    const auto all = all_gather(own, std::string(own.rank() % 3, 'x') + std::to_string(own.rank()));
    ASSERT_EQ(static_cast<int>(all.size()), size);
    for (int r = 0; r < size; ++r) EXPECT_EQ(all[r], std::string(r % 3, 'x') + std::to_string(r));
  });
}

TEST_P(ProcessesOf, ReduceByATree) {
  const int size = GetParam();
  test::ThreadProcesses threads(size);
  threads.run([&](Processes& own) {
    std::set<int> ranks = {own.rank()};
    int received = 0;
    const auto pack = [&] {
      Packer packer;
      packer.add(std::vector<int>(ranks.begin(), ranks.end()));
      return std::move(packer).bytes();
    };
    reduce_to_first(own, pack, [&](const std::string& bytes) {
      ++received;
      for (const int rank : Unpacker(bytes).vector<int>()) EXPECT_TRUE(ranks.insert(rank).second) << "twice";
    });
    if (own.rank() > 0) return;
    EXPECT_EQ(static_cast<int>(ranks.size()), size);
    EXPECT_EQ(received, std::bit_width(static_cast<unsigned>(size - 1)));  // ceil(log2)
  });
  EXPECT_EQ(threads.n_messages(), size - 1);
}

TEST_P(ProcessesOf, TakeEachNumberOnce) {
  test::ThreadProcesses threads(GetParam());
  std::mutex mutex;
  std::set<std::uint64_t> taken;
  threads.run([&](Processes& own) {
    const auto first = own.new_counter(), second = own.new_counter();
    EXPECT_NE(first, second);
    for (std::uint64_t i; (i = own.take(first, 1)) < 100;) {
      const std::lock_guard lock(mutex);
      EXPECT_TRUE(taken.insert(i).second);
    }
  });
  EXPECT_EQ(taken.size(), 100u);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ProcessesOf, testing::Values(1, 2, 3, 4, 5, 8, 13));

TEST(Packed, ComesBackAsItWas) {
  Packer packer;
  packer.add(std::string("a\0b", 3));
  packer.add(std::vector<double>{1.5, -0.0});
  packer.add(std::vector<std::string>{"", "x"});
  packer.add(std::uint64_t{7});
  const std::string bytes = std::move(packer).bytes();
  Unpacker unpacker(bytes);
  EXPECT_EQ(unpacker.get<std::string>(), std::string("a\0b", 3));
  EXPECT_EQ(unpacker.vector<double>(), (std::vector<double>{1.5, -0.0}));
  EXPECT_EQ(unpacker.vector<std::string>(), (std::vector<std::string>{"", "x"}));
  EXPECT_FALSE(unpacker.at_end());
  EXPECT_EQ(unpacker.get<std::uint64_t>(), 7u);
  EXPECT_TRUE(unpacker.at_end());
}

TEST(MpiModule, IsAskedForUnderALauncherOnly) {
  const test::ScopedVariable size("OMPI_COMM_WORLD_SIZE"), hydra("PMI_SIZE"), pmix("PMIX_RANK");
  EXPECT_FALSE(launched_by_mpi());
  EXPECT_EQ(connect_processes(), nullptr);
  size.set("1");
  EXPECT_FALSE(launched_by_mpi()) << "one process alone";
  size.set("2");
  EXPECT_TRUE(launched_by_mpi());
}

TEST(MpiModule, SharesOutDevices) {
  EXPECT_EQ(devices_of_rank("", 0, 0, 4), "");
  EXPECT_EQ(devices_of_rank("", 8, 3, 8), "3");
  EXPECT_EQ(devices_of_rank("", 8, 1, 2), "4,5,6,7");
  EXPECT_EQ(devices_of_rank("", 3, 0, 2), "0");
  EXPECT_EQ(devices_of_rank("", 3, 1, 2), "1,2");
  EXPECT_EQ(devices_of_rank("5,2,7", 8, 1, 3), "2");
  EXPECT_EQ(devices_of_rank("GPU-a,GPU-b", 8, 3, 4), "GPU-b") << "more ranks than devices";
}

}  // namespace
}  // namespace oneproxy
