#include "oneproxy/engine/share/shared_units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "oneproxy/engine/base/interrupt.h"
#include "tests/engine/error_of.h"
#include "tests/engine/share/thread_processes.h"
#include "tests/engine/temporary_folder.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

UnitResult result_of(std::int64_t unit) {
  UnitResult result;
  for (std::int64_t i = 0; i <= unit % 3; ++i) result.numbers.push_back(1.0 / static_cast<double>(unit + i + 1));
  result.text = unit % 4 ? "" : "unit " + std::to_string(unit);
  return result;
}

void expect_all(const std::vector<UnitResult>& results, std::int64_t n) {
  ASSERT_EQ(std::ssize(results), n);
  for (std::int64_t unit = 0; unit < n; ++unit) {
    EXPECT_EQ(results[unit].numbers, result_of(unit).numbers) << unit;
    EXPECT_EQ(results[unit].text, result_of(unit).text) << unit;
  }
}

const UnitStage kFirst{"first", "working", "units", 17}, kSecond{"second", "working", "units", 5, true, false};

// Both stages, as a kind of experiment runs them.
void work(const Sharing& sharing, bool expect_whole = true) {
  SharedUnits units(sharing, "the run");
  const auto first = units.run(kFirst, result_of), second = units.run(kSecond, result_of);
  if (!expect_whole) return;
  expect_all(first, kFirst.n);
  expect_all(second, kSecond.n);
}

TEST(SharedUnits, OfOneProcessAreAllDone) { work({}); }

TEST(SharedUnits, OfShardsMergeInAnyOrder) {
  for (const int count : {1, 2, 3, 16, 30}) {
    const TemporaryFolder folder;
    std::vector<ShardFile> files;
    std::multiset<std::int64_t> done;
    std::mutex mutex;
    for (int i = 1; i <= count; ++i) {
      Sharing sharing;
      sharing.shard = {i, count};
      sharing.state = folder / ("shard" + std::to_string(i));
      sharing.about = {{"shard", to_string(sharing.shard)}};
      SharedUnits units(sharing, "the run");
      for (const auto& stage : {kFirst, kSecond})
        units.run(stage, [&](std::int64_t unit) {
          const std::lock_guard lock(mutex);
          done.insert(stage.n * 100 + unit);
          return result_of(unit);
        });
      if (count == 1) continue;
      // Again: nothing is left.
      SharedUnits(sharing, "the run").run(kFirst, [](std::int64_t) -> UnitResult {
        ADD_FAILURE();
        return {};
      });
      files.insert(files.begin(), {sharing.state, sharing.shard});
    }
    EXPECT_EQ(std::ssize(done), kFirst.n + kSecond.n);
    EXPECT_EQ(std::set(done.begin(), done.end()).size(), done.size()) << "twice";
    if (count == 1) continue;
    Sharing merge;
    merge.merged = files;
    work(merge);
  }
}

TEST(SharedUnits, OfRanksAreEverywhere) {
  for (const int size : {1, 2, 3, 7}) {
    test::ThreadProcesses threads(size);
    threads.run([&](Processes& processes) {
      Sharing sharing;
      sharing.processes = &processes;
      work(sharing);
    });
  }
}

// Ranks that end after some units leave their states; any number of ranks goes on, and no unit is done again.
TEST(SharedUnits, GoOnWithAnotherNumberOfRanks) {
  for (const auto& [before, after] : {std::pair(1, 3), {3, 1}, {2, 5}, {5, 2}, {3, 3}, {4, 0}}) {
    const TemporaryFolder folder;
    std::mutex mutex;
    std::set<std::int64_t> done;
    Sharing sharing;
    sharing.state = folder / "state";
    sharing.seconds = 0;
    const auto some = [&](Sharing own) {
      SharedUnits units(own, "the run");
      units.run(kFirst, [&](std::int64_t unit) {
        const std::lock_guard lock(mutex);
        if (done.size() > 8) throw Error("killed");
        done.insert(unit);
        return result_of(unit);
      });
    };
    if (before == 1) {
      EXPECT_EQ(error_of([&] { some(sharing); }), "killed");
    } else {
      test::ThreadProcesses threads(before);
      EXPECT_EQ(error_of([&] {
                  threads.run([&](Processes& processes) {
                    Sharing own = sharing;
                    own.processes = &processes;
                    some(own);
                    throw Error("killed");
                  });
                }),
                "killed");
    }
    ASSERT_FALSE(done.empty());
    std::set<std::int64_t> again;
    const auto rest = [&](Sharing own) {
      SharedUnits units(own, "the run");
      expect_all(units.run(kFirst,
                           [&](std::int64_t unit) {
                             const std::lock_guard lock(mutex);
                             again.insert(unit);
                             return result_of(unit);
                           }),
                 kFirst.n);
    };
    if (after == 0) {
      rest(sharing);
    } else {
      test::ThreadProcesses threads(after);
      threads.run([&](Processes& processes) {
        Sharing own = sharing;
        own.processes = &processes;
        rest(own);
      });
    }
    // The last unit before the end may not have been saved.
    for (const auto unit : again) EXPECT_LE(done.count(unit), 1u);
    EXPECT_GE(done.size() + again.size(), static_cast<std::size_t>(kFirst.n));
    EXPECT_LE(done.size() + again.size(), static_cast<std::size_t>(kFirst.n + before));
    remove_states(sharing);
    EXPECT_EQ(folder.n_files(), 0u);
  }
}

TEST(SharedUnits, SaysWhichShardIsNotFinished) {
  const TemporaryFolder folder;
  Sharing merge;
  for (int i = 1; i <= 2; ++i) {
    Sharing sharing;
    sharing.shard = {i, 2};
    sharing.state = folder / ("shard" + std::to_string(i));
    sharing.seconds = 0;
    SharedUnits units(sharing, "the run");
    try {
      units.run(kFirst, [&](std::int64_t unit) {
        if (unit >= 12) throw Error("killed");
        return result_of(unit);
      });
    } catch (const Error&) {
    }
    merge.merged.push_back({sharing.state, sharing.shard});
  }
  EXPECT_THAT(error_of([&] { work(merge); }),
              testing::MatchesRegex(".*shard2: shard 2/2 is not finished \\([0-4] of 9\\); "
                                    "run it again, it goes on from there"));
}

TEST(SharedUnits, RefuseTheStateOfAnotherRun) {
  const TemporaryFolder folder;
  Sharing sharing;
  sharing.shard = {1, 2};
  sharing.state = folder / "state";
  work(sharing, false);
  EXPECT_THAT(error_of([&] { SharedUnits(sharing, "another run"); }), HasSubstr("other settings"));
  std::filesystem::resize_file(sharing.state, 200);
  EXPECT_THAT(error_of([&] { SharedUnits(sharing, "the run"); }), HasSubstr("remove this checkpoint"));
}

}  // namespace
}  // namespace oneproxy
