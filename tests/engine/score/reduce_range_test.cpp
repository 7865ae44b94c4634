#include "oneproxy/engine/score/reduce_range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "oneproxy/engine/base/hdf5.h"
#include "tests/engine/error_of.h"
#include "tests/engine/share/thread_processes.h"
#include "tests/engine/temporary_folder.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy {
namespace {

using testing::HasSubstr;

struct Case {
  test::OwnedDigits digits{std::vector<std::uint32_t>(6, 9), 1, 1};
  test::OwnedDigitTable latency{digits, false, 2};
  test::OwnedMlp quality{digits, {16, 16}, 3};
  std::vector<ScoreFunction> models{latency.table(), quality.mlp()};
  Scorer scorer{digits.code(), models, Backend::cpu, Precision::fp32};
  IndexRange run{7, 500000};
  ReductionSettings settings;
  std::string identity = identity_of(digits.code(), models, Precision::fp32);
};

void expect_same_points(const std::vector<Candidate>& x, const std::vector<Candidate>& y) {
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(x[i].index, y[i].index);
    EXPECT_EQ(x[i].latency, y[i].latency);
    EXPECT_EQ(x[i].quality, y[i].quality);
  }
}

void expect_same(const Reduction& a, const Reduction& b) {
  expect_same_points(a.front(), b.front());
  EXPECT_EQ(a.n_scored(), b.n_scored());
}

TEST(ScoreRun, PiecesDoNotShow) {
  const Case c;
  Reduction whole(c.settings);
  c.scorer.reduce(c.run, whole);
  expect_same(reduce_range(c.scorer, c.run, c.settings, "", {}, "test"), whole);
}

// A checkpoint of the first half, as a killed run leaves it: the other half completes it to the same state.
TEST(ScoreRun, GoesOnFromACheckpoint) {
  const TemporaryFolder folder;
  Case c;
  const auto path = folder / "run.checkpoint";
  c.settings.limits = {1.0, 5.0};
  c.settings.best = 3;
  Reduction whole(c.settings);
  c.scorer.reduce(c.run, whole);
  // Half a run under the whole run's name: the run is cut by its own count.
  {
    EXPECT_EQ(reduce_range(c.scorer, c.run, c.settings, c.identity, {path, 0.0}, "test").n_scored(), c.run.count);
    EXPECT_FALSE(std::filesystem::exists(path + ".partial")) << "left behind";
  }
  // The last checkpoint stands until the result is safe; it lies before the end.
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto done = H5File(path, H5Mode::read).read_integers("done").at(1);
  EXPECT_GT(done, 0);
  EXPECT_LT(done, static_cast<std::int64_t>(c.run.count));
  const auto resumed = reduce_range(c.scorer, c.run, c.settings, c.identity, {path, 1e9}, "test");
  expect_same(resumed, whole);
  for (int l = 0; l < 2; ++l) ASSERT_EQ(resumed.best(l).size(), whole.best(l).size());
}

// Of any number of shards, in any order, with margins: the merged survivors are those of one process.
TEST(ScoreRun, ShardsMergeToTheSameState) {
  Case c;
  c.settings.limits = {1.0, 5.0};
  c.settings.best = 3;
  c.settings.quality_margin = c.scorer.error_bound(1);
  Reduction whole(c.settings);
  c.scorer.reduce(c.run, whole);
  for (const int count : {2, 3, 7, 64}) {
    const TemporaryFolder folder;
    Sharing merge;
    for (int i = count; i >= 1; --i) {
      Sharing sharing{folder / std::to_string(i)};
      sharing.shard = {i, count};
      const auto part = reduce_range(c.scorer, c.run, c.settings, c.identity, sharing, "test");
      EXPECT_EQ(part.n_scored(), part_of(sharing.shard, c.run.count).length());
      merge.merged.push_back({sharing.state, sharing.shard});
    }
    const auto merged = reduce_range(c.scorer, c.run, c.settings, c.identity, merge, "test");
    expect_same(merged, whole);
    for (int l = 0; l < 2; ++l) expect_same_points(merged.best(l), whole.best(l));
  }
}

TEST(ScoreRun, RanksEndWithTheSameState) {
  Case c;
  c.settings.limits = {1.0, 5.0};
  c.settings.best = 3;
  Reduction whole(c.settings);
  c.scorer.reduce(c.run, whole);
  for (const int size : {1, 2, 3, 6}) {
    test::ThreadProcesses threads(size);
    threads.run([&](Processes& processes) {
      Sharing sharing;
      sharing.processes = &processes;
      const auto own = reduce_range(c.scorer, c.run, c.settings, c.identity, sharing, "test");
      expect_same(own, whole);
      for (int l = 0; l < 2; ++l) expect_same_points(own.best(l), whole.best(l));
    });
  }
}

// The states that killed ranks left, with a piece that two of them have: another number of ranks goes on.
TEST(ScoreRun, GoesOnWithAnotherNumberOfRanks) {
  Case c;
  Reduction whole(c.settings);
  c.scorer.reduce(c.run, whole);
  for (const int size : {0, 1, 2, 5}) {
    const TemporaryFolder folder;
    Sharing sharing{folder / "state"};
    for (int i = 1; i <= 3; ++i) {  // shards of four, as the states of ranks 0 to 2
      Sharing part{folder / ("part" + std::to_string(i))};
      part.shard = {i, 4};
      reduce_range(c.scorer, c.run, c.settings, c.identity, part, "test");
      std::filesystem::rename(part.state, sharing.state + (i == 1 ? "" : "." + std::to_string(i - 1)));
    }
    std::filesystem::copy(sharing.state + ".2", sharing.state + ".4");
    if (size == 0) {
      expect_same(reduce_range(c.scorer, c.run, c.settings, c.identity, sharing, "test"), whole);
    } else {
      test::ThreadProcesses threads(size);
      threads.run([&](Processes& processes) {
        Sharing own = sharing;
        own.processes = &processes;
        expect_same(reduce_range(c.scorer, c.run, c.settings, c.identity, own, "test"), whole);
      });
    }
    for (const auto& file : states_of(sharing)) EXPECT_LT(file.rank, std::max(size, 1)) << "taken over and left";
  }
}

TEST(ScoreRun, NamesAShardThatIsNotFinished) {
  const TemporaryFolder folder;
  Case c;
  Sharing merge;
  for (int i = 1; i <= 2; ++i) {
    Sharing sharing{folder / std::to_string(i)};
    sharing.shard = {i, 2};
    reduce_range(c.scorer, c.run, c.settings, c.identity, sharing, "test");
    merge.merged.push_back({sharing.state, {i, 2}});
  }
  merge.merged[1].shard = {2, 2};
  std::filesystem::copy(folder / "1", folder / "2", std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(error_of([&] { reduce_range(c.scorer, c.run, c.settings, c.identity, merge, "test"); }),
              HasSubstr("shard 2/2 is not finished (0 of 250000)"));
}

TEST(ScoreRun, RefusesWhatIsNotItsCheckpoint) {
  const TemporaryFolder folder;
  Case c;
  const auto path = folder / "run.checkpoint";
  reduce_range(c.scorer, c.run, c.settings, c.identity, {path, 0.0}, "test");
  test::OwnedMlp other(c.digits, {16, 16}, 4);
  const std::vector<ScoreFunction> models = {c.latency.table(), other.mlp()};
  EXPECT_NE(identity_of(c.digits.code(), models, Precision::fp32), c.identity);
  EXPECT_NE(identity_of(c.digits.code(), c.models, Precision::fp64), c.identity);
  EXPECT_THAT(error_of([&] {
                reduce_range(c.scorer, c.run, c.settings, "another", {path, 1.0}, "test");
              }),
              HasSubstr("other settings"));
  IndexRange shorter = c.run;
  shorter.count = 10;
  EXPECT_THAT(error_of([&] {
                reduce_range(c.scorer, shorter, c.settings, c.identity, {path, 1.0}, "test");
              }),
              HasSubstr("remove this checkpoint"));
  const auto resume = [&] { reduce_range(c.scorer, c.run, c.settings, c.identity, {path, 1.0}, "test"); };
  {
    H5File file(path, H5Mode::append);
    const auto sum = file.attributes("front/values").at("sha256");
    auto values = file.read_doubles("front/values");
    values[0] *= 1.5;
    file.remove("front/values");
    file.write("front/values", values);
    file.set_attribute("front/values", "sha256", sum);
    file.close();
  }
  EXPECT_THAT(error_of(resume), HasSubstr("does not match its checksum"));
  std::filesystem::resize_file(path, 100);
  EXPECT_NE(error_of(resume), "no error");
}

}  // namespace
}  // namespace oneproxy
