// The CUDA twin of Scorer on a GPU, against the definition and the CPU twin. Skipped where there is no GPU; what the
// kernels compute is tested there by the *_device_test.cpp beside.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/fleet.h"
#include "oneproxy/kernels/score/scorer.h"
#include "tests/kernels/score/like_the_cpu.h"
#include "tests/kernels/score/score_cases.h"
#include "tests/support/needs_cuda.h"

namespace oneproxy {
namespace {

using test::OwnedDigits;
using test::OwnedDigitTable;
using test::OwnedMlp;
using Radices = std::vector<std::uint32_t>;

constexpr Precision kPrecisions[] = {Precision::fp64, Precision::fp32, Precision::tf32, Precision::bf16};

struct CudaCase {
  std::string name;
  Radices radices;
  int parts;
  std::vector<int> widths;
  IndexRange run;
};
void PrintTo(const CudaCase& c, std::ostream* out) { *out << c.name; }

std::vector<CudaCase> cuda_cases() {
  const ArchIndex two_to_32 = ArchIndex{1} << 32, two_to_64 = ArchIndex{1} << 64;
  const Radices cells(6, 5), fbnet(22, 9), ofa = {25, 7371, 7371, 7371, 7371, 7371}, bits(100, 2);
  return {{"cells_64", cells, 1, {64, 64}, {0, 15625}},
          {"cells_odd", cells, 1, {40, 56}, {3124, 3127}},
          {"cells_shuffled", cells, 1, {64, 64}, {0, 15625, true, 3}},
          {"cells_deep", cells, 2, {32, 20, 32, 8}, {77, 9999}},
          {"one_hidden_layer", cells, 1, {100}, {5, 4000}},
          {"one_architecture", cells, 1, {64, 64}, {15624, 1}},
          {"empty", cells, 1, {64, 64}, {15625, 0}},
          {"fixed_neighbours", {5, 1, 1, 7, 1, 1, 6}, 2, {20, 24}, {3, 200}},
          {"one_digit", {7}, 1, {16, 16}, {0, 7}},
          {"fbnet_128", fbnet, 1, {128, 128}, {two_to_32 - 50'000, 100'003}},
          {"fbnet_deep_128", fbnet, 1, {128, 128, 100}, {two_to_64 - 5'003, 9'999}},
          {"fbnet_wide", fbnet, 1, {130, 200, 300}, {two_to_64 - 40'003, 80'011}},
          {"fbnet_shuffled", fbnet, 1, {128, 96}, {two_to_64 - 2'000, 70'001, true, 9}},
          {"across_chunks", Radices(8, 9), 1, {32, 32}, {12'345, (1u << 23) + 333}},
          {"ofa_400", ofa, 4, {400, 400, 400}, {two_to_64 - 4'000, 40'000}},
          {"ofa_shuffled", ofa, 4, {400, 400, 400}, {12'345, 35'000, true, 1}},
          {"bits", bits, 1, {24, 24}, {two_to_64 * 999 + 77, 30'000}}};
}

class ScoreCuda : public testing::TestWithParam<CudaCase> {
 protected:
  void SetUp() override { ONEPROXY_NEEDS_CUDA(); }
};
INSTANTIATE_TEST_SUITE_P(Cases, ScoreCuda, testing::ValuesIn(cuda_cases()),
                         [](const auto& instance) { return instance.param.name; });

std::vector<std::uint32_t> list_of(const IndexRange& run, const Radices& radices) {
  const DigitSplit split = split_digits(radices);
  std::vector<std::uint32_t> digits(run.count * radices.size());
  for (std::uint64_t i = 0; i < run.count; ++i)
    decode_digits(index_at(run, i, split), radices.data(), static_cast<int>(radices.size()),
                  digits.data() + i * radices.size());
  return digits;
}

// Tables and fp64 to the bit, the fast precisions within their proven bound and as near as the CPU comes.
TEST_P(ScoreCuda, EqualsTheDefinition) {
  const auto& [name, radices, parts, widths, run] = GetParam();
  const OwnedDigits digits(radices, parts, 5);
  const OwnedDigitTable table(digits, false, 6), selected(digits, true, 7);
  const auto list = list_of(run, radices);
  for (const std::uint64_t seed : {8u, 9u}) {
    const OwnedMlp mlp(digits, widths, seed);
    const std::vector<ScoreFunction> models = {table.table(), mlp.mlp(), selected.table()};
    const auto n = run.count;
    const bool wide = *std::max_element(widths.begin(), widths.end()) > 128;
    const std::uint64_t step = std::max<std::uint64_t>(n / (wide ? 2'000 : 20'000), 1);  // the definition is slow
    std::vector<std::uint64_t> looked_at;
    for (std::uint64_t i = 0; i < n; i += step) looked_at.push_back(i);
    if (n > 0) looked_at.push_back(n - 1);
    std::vector<std::uint32_t> seen;
    std::vector<double> tables[2];
    for (const std::uint64_t i : looked_at) {
      const std::uint32_t* own = list.data() + i * radices.size();
      seen.insert(seen.end(), own, own + radices.size());
      for (const int t : {0, 1}) tables[t].push_back(score_by_definition(models[2 * t], digits.code(), own));
    }
    const test::ErrorsOfTheCpu errors(mlp, digits, seen);
    for (const Precision precision : kPrecisions) {
      SCOPED_TRACE(std::string(to_string(precision)) + ", seed " + std::to_string(seed));
      const Scorer scorer(digits.code(), models, Backend::cuda, precision);
      std::vector<double> scores(3 * n), listed(3 * n);
      scorer.score(run, scores);
      scorer.score_list(list, listed);
      const double bound = scorer.error_bound(1);
      std::vector<double> fast;
      for (std::size_t k = 0; k < looked_at.size(); ++k) {
        const std::uint64_t i = looked_at[k];
        for (const std::size_t t : {0u, 1u}) {
          ASSERT_EQ(scores[2 * t * n + i], tables[t][k]) << "model " << 2 * t << " at " << i;
          ASSERT_EQ(listed[2 * t * n + i], tables[t][k]) << "model " << 2 * t << " at " << i;
        }
        fast.push_back(scores[n + i]);
        ASSERT_LE(std::abs(fast.back() - errors.exact()[k]), bound) << "at " << i;
        ASSERT_LE(std::abs(listed[n + i] - errors.exact()[k]), bound) << "at " << i;
      }
      const bool general = scorer.paths()[1].find("general") != std::string::npos;
      if (precision == Precision::fp64) continue;  // to the bit, as `bound` is 0
      EXPECT_TRUE(errors.hold_for(fast, precision, general));
    }
  }
}

// Front and lists against brute force on the scorer's own scores: a reduction may lose nothing.
TEST_P(ScoreCuda, ReductionsAreThoseOfBruteForce) {
  const auto& [name, radices, parts, widths, run] = GetParam();
  if (run.count == 0) return;
  const OwnedDigits digits(radices, parts, 5);
  const OwnedDigitTable latency(digits, true, 6), quality(digits, false, 7);
  const OwnedMlp mlp(digits, widths, 8);
  const std::vector<ScoreFunction> models = {latency.table(), mlp.mlp(), quality.table()};
  const DigitSplit split = split_digits(radices);
  const Scorer scorer(digits.code(), models, Backend::cuda, Precision::bf16);
  std::vector<double> scores(3 * run.count);
  scorer.score(run, scores);
  std::vector<double> sorted(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(run.count));
  std::sort(sorted.begin(), sorted.end());
  for (const int quality_model : {1, 2, 0}) {
    ReductionSettings settings;
    settings.quality = quality_model;
    settings.limits = {sorted[sorted.size() / 10], sorted[sorted.size() / 2], sorted[0] - 1};
    settings.best = 5;
    for (const double margin : {0.0, 1e-3}) {
      settings.latency_margin = settings.quality_margin = margin;
      Reduction brute(settings), reduced(settings);
      for (std::uint64_t i = 0; i < run.count; ++i)
        brute.add(Candidate{index_at(run, i, split), scores[i], scores[quality_model * run.count + i]});
      // In two calls, as a resumed run would.
      IndexRange first = run, second = run;
      first.count = run.count / 3;
      second.begin += first.count;
      second.count -= first.count;
      scorer.reduce(first, reduced);
      scorer.reduce(second, reduced);
      EXPECT_EQ(reduced.n_scored(), run.count);
      const auto same = [](const std::vector<Candidate>& a, const std::vector<Candidate>& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Candidate& x, const Candidate& y) {
          return x.index == y.index && x.latency == y.latency && x.quality == y.quality;
        });
      };
      EXPECT_TRUE(same(reduced.front(), brute.front())) << "quality " << quality_model << ", margin " << margin;
      for (int limit = 0; limit < 3; ++limit)
        EXPECT_TRUE(same(reduced.best(limit), brute.best(limit))) << "limit " << limit << ", margin " << margin;
    }
  }
}

class ScoreCudaOnce : public testing::Test {
 protected:
  void SetUp() override { ONEPROXY_NEEDS_CUDA(); }
};

// Tables: the twins keep the same points of a range that is long enough for several rounds, across 2^32.
TEST_F(ScoreCudaOnce, TableFrontsEqualTheCpuTwins) {
  const OwnedDigits digits(Radices(22, 9), 1, 5);
  const OwnedDigitTable latency(digits, false, 6), quality(digits, false, 7);
  const std::vector<ScoreFunction> models = {latency.table(), quality.table()};
  ReductionSettings settings;
  settings.limits = {1e3, 1e5};
  settings.best = 10;
  const IndexRange run{(ArchIndex{1} << 32) - 10'000'000, 30'000'001};
  Reduction cpu(settings), cuda(settings);
  Scorer(digits.code(), models, Backend::cpu, Precision::fp64).reduce(run, cpu);
  Scorer(digits.code(), models, Backend::cuda, Precision::fp64).reduce(run, cuda);
  const auto same = [](const std::vector<Candidate>& a, const std::vector<Candidate>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Candidate& x, const Candidate& y) {
      return x.index == y.index && x.latency == y.latency && x.quality == y.quality;
    });
  };
  EXPECT_TRUE(same(cuda.front(), cpu.front()));
  for (int limit = 0; limit < 2; ++limit) EXPECT_TRUE(same(cuda.best(limit), cpu.best(limit)));
  EXPECT_EQ(cuda.n_scored(), cpu.n_scored());
}

TEST_F(ScoreCudaOnce, FleetsEqualTheirModels) {
  const OwnedDigits digits(Radices(6, 5), 1, 5);
  for (const auto& widths : std::vector<std::vector<int>>{{64, 64}, {20, 30, 10}, {200, 100}})
    for (const IndexRange run :
         {IndexRange{0, 15625}, IndexRange{1234, 4321}, IndexRange{15624, 1}, IndexRange{0, 500, true, 3}})
      for (const Precision precision : kPrecisions) {
        std::vector<OwnedMlp> owned;
        for (std::uint64_t seed = 0; seed < 70; ++seed) owned.emplace_back(digits, widths, seed);
        std::vector<Mlp> models;
        for (const auto& mlp : owned) models.push_back(mlp.mlp());
        std::vector<float> scores(models.size() * run.count);
        score_fleet(digits.code(), models, run, scores, Backend::cuda, precision);
        const auto list = list_of(run, digits.radices);
        for (std::size_t m = 0; m < models.size(); m += 23) {
          const ScoreFunction model = models[m];
          const double bound =
              Scorer(digits.code(), std::span(&model, 1), Backend::cuda, precision).error_bound(0) + 1e-6;
          for (std::uint64_t i = 0; i < run.count; i += 37)
            ASSERT_NEAR(scores[m * run.count + i],
                        score_by_definition(model, digits.code(), list.data() + i * digits.radices.size()), bound)
                << "model " << m << " at " << i;
        }
      }
}

// Each of these models' kernels takes shared memory of its own size, and some share a function: in any order of making
// and scoring, beside each other and beside a fleet, each gives what it gives alone.
TEST_F(ScoreCudaOnce, ScorersLiveBesideEachOtherAndBesideFleets) {
  const OwnedDigits digits(Radices(8, 9), 1, 5);
  const IndexRange run{77, 20'000};
  std::vector<OwnedMlp> owned;
  for (const int depth : {5, 2, 3, 4}) owned.emplace_back(digits, std::vector<int>(depth, 128), depth);
  for (const int depth : {4, 2, 3}) owned.emplace_back(digits, std::vector<int>(depth, 64), depth);
  for (const Precision precision : {Precision::bf16, Precision::tf32, Precision::fp32}) {
    std::vector<ScoreFunction> models;
    for (const auto& mlp : owned) models.push_back(mlp.mlp());
    const auto n = static_cast<std::size_t>(run.count);
    std::vector<double> alone(models.size() * n), together(models.size() * n), one(n);
    for (std::size_t m = 0; m < models.size(); ++m)
      Scorer(digits.code(), std::span(&models[m], 1), Backend::cuda, precision)
          .score(run, std::span(alone).subspan(m * n, n));
    const Scorer all(digits.code(), models, Backend::cuda, precision);
    all.score(run, together);
    EXPECT_EQ(together, alone) << to_string(precision) << ", models of several depths in one scorer";

    std::vector<std::unique_ptr<Scorer>> scorers;
    for (const auto& model : models)
      scorers.push_back(std::make_unique<Scorer>(digits.code(), std::span(&model, 1), Backend::cuda, precision));
    const Mlp small = owned.back().mlp();
    std::vector<float> fleet(1000);
    score_fleet(digits.code(), std::span(&small, 1), {0, fleet.size()}, fleet, Backend::cuda, precision);
    for (std::size_t m = 0; m < models.size(); ++m) {
      scorers[m]->score(run, one);
      const auto own = alone.begin() + static_cast<std::ptrdiff_t>(m * n);
      EXPECT_TRUE(std::equal(one.begin(), one.end(), own)) << to_string(precision) << ", scorer " << m;
    }
  }
}

// What scorer.h says of products of cuBLASLt: an architecture's score has the same bits wherever it stands in a chunk.
TEST_F(ScoreCudaOnce, WideScoresDoNotDependOnTheirPlace) {
  const OwnedDigits digits(Radices(22, 9), 1, 5);
  for (const auto& widths : std::vector<std::vector<int>>{{400, 400, 400}, {130, 200, 300}}) {
    const OwnedMlp mlp(digits, widths, 8);
    const ScoreFunction model = mlp.mlp();
    for (const Precision precision : {Precision::bf16, Precision::tf32, Precision::fp32}) {
      const Scorer scorer(digits.code(), std::span(&model, 1), Backend::cuda, precision);
      std::vector<double> whole(300'000);
      scorer.score({1'000'000, whole.size()}, whole);
      for (const std::uint64_t shift : {1u, 7u, 64u, 1000u, 200'003u}) {
        std::vector<double> part(std::min<std::uint64_t>(70'000, whole.size() - shift));
        scorer.score({1'000'000 + shift, part.size()}, part);
        EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(shift)))
            << to_string(precision) << ", shifted by " << shift;
      }
    }
  }
}

TEST_F(ScoreCudaOnce, PathsSayHowEachModelIsEvaluated) {
  const OwnedDigits digits(Radices(22, 9), 1, 5);
  const OwnedDigitTable table(digits, false, 6);
  const OwnedMlp narrow(digits, {128, 128}, 1), wide(digits, {400, 400}, 1);
  const std::vector<ScoreFunction> models = {table.table(), narrow.mlp(), wide.mlp()};
  const auto paths = Scorer(digits.code(), models, Backend::cuda, Precision::bf16).paths();
  EXPECT_NE(paths[0].find("table"), std::string::npos);
  EXPECT_NE(paths[1].find("fused bf16, 128 wide"), std::string::npos) << paths[1];
  EXPECT_NE(paths[2].find("cuBLASLt"), std::string::npos) << paths[2];
}

TEST_F(ScoreCudaOnce, ASpaceWithoutASplitIsRefused) {
  const OwnedDigits digits(Radices(127, 2), 1, 5);
  const OwnedDigitTable table(digits, false, 6);
  const ScoreFunction model = table.table();
  EXPECT_THROW(Scorer(digits.code(), std::span(&model, 1), Backend::cuda, Precision::fp64), Error);
}

}  // namespace
}  // namespace oneproxy
