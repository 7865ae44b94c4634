#include "oneproxy/engine/share/sharing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/share/thread_processes.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::ElementsAre;

TEST(Sharing, FindsTheStatesOfAllRanksAndNoOthers) {
  const TemporaryFolder folder;
  Sharing sharing;
  sharing.state = folder / "x.checkpoint";
  EXPECT_TRUE(states_of(sharing).empty());
  for (const std::string name : {"", ".2", ".11", ".01", ".0", ".2a", "2", ".-1", ".2.3", ".lock"})
    folder.write("x.checkpoint" + name, "");
  folder.write("y.checkpoint", "");
  std::vector<int> ranks;
  for (const auto& file : states_of(sharing)) ranks.push_back(file.rank);
  EXPECT_THAT(ranks, ElementsAre(0, 2, 11));
  remove_states(sharing);
  EXPECT_TRUE(states_of(sharing).empty());
  EXPECT_EQ(folder.n_files(), 8u);
}

TEST(Sharing, GivesEachStateToOneRank) {
  const TemporaryFolder folder;
  for (const std::string name : {"", ".1", ".2", ".3", ".6"}) folder.write("x" + name, "");
  test::ThreadProcesses threads(3);
  std::mutex mutex;
  std::map<int, int> takers;  // of each file
  threads.run([&](Processes& processes) {
    Sharing sharing;
    sharing.state = folder / "x";
    sharing.processes = &processes;
    EXPECT_EQ(own_state(sharing), sharing.state + (processes.rank() ? "." + std::to_string(processes.rank()) : ""));
    for (const auto& file : states_of(sharing))
      if (takes_over(sharing, file)) {
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(takers.emplace(file.rank, processes.rank()).second);
      }
  });
  EXPECT_EQ(takers, (std::map<int, int>{{0, 0}, {1, 1}, {2, 2}, {3, 0}, {6, 0}}));
}

}  // namespace
}  // namespace oneproxy
