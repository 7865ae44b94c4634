// Tables that add up over digits (a linear predictor, a look-up table): all of a small space, ranges of FBNet's 9^22,
// listed architectures, and the Pareto front of two tables, of which no score is written. table_baseline.py adds
// NumPy's time to the fronts.
//   table_bench [--filter REGEX] [--list]
//   table_bench --front FILE COUNT   of two tables over FBNet, f64 [2][198], bias 0, its first COUNT architectures
// For scores the peak is memset of the same scores with the same threads, for writing them is what remains of the work.
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/score/scorer.h"
#include "tests/bench/bench.h"

namespace oneproxy::bench {
namespace {

// A space of decisions of equal radix and a table over it.
struct Table {
  Table(std::size_t n_digits, std::uint32_t radix, std::uint64_t seed) : radices(n_digits, radix) {
    const Philox random{seed, 0};
    for (std::size_t i = 0; i < n_digits * radix; ++i) {
      weights.push_back(random.uniform(i));
      rows.push_back(static_cast<std::int32_t>(i));
    }
  }
  DigitCode code() const { return {radices, 1, rows, static_cast<int>(rows.size())}; }
  AdditiveTable<double> view() const { return {weights, bias}; }

  std::vector<std::uint32_t> radices;
  std::vector<std::int32_t> rows;
  std::vector<double> weights, bias = {0.5};
};

Timing time_memset(std::vector<double>& scores, int repeats) {
  constexpr std::int64_t piece = std::int64_t{1} << 16;
  const auto n = static_cast<std::int64_t>(scores.size());
  return time_median(repeats, [&] {
    parallel_for((n + piece - 1) / piece, [&](std::int64_t p) {
      std::memset(scores.data() + p * piece, 1, std::min(piece, n - p * piece) * sizeof(double));
    });
  });
}

// bytes: read and written an architecture.
void report_rate(const std::string& name, std::vector<double>& scores, Backend backend, const Timing& timing,
                 double bytes) {
  const auto n = static_cast<double>(scores.size());
  const double rate = n / timing.seconds_median;
  const double peak = n * sizeof(double) / time_memset(scores, timing.repeats).seconds_median;
  char more[300];
  std::snprintf(more, sizeof(more),
                ", \"archs_per_s\": %.4g, \"bytes_per_s\": %.4g, \"peak_bytes_per_s\": %.4g, \"share_of_peak\": %.3g",
                rate, rate * bytes, peak, rate * bytes / peak);
  report(name, static_cast<std::int64_t>(scores.size()), backend, timing, more);
}

int repeats_for(std::int64_t n) { return n <= 100'000 ? 201 : n <= 10'000'000 ? 11 : 5; }

void run_range(const std::string& name, const Table& table, ArchIndex begin, std::int64_t n, Backend backend) {
  const Scorer scorer(table.code(), std::vector<ScoreFunction>{table.view()}, backend, Precision::fp64);
  std::vector<double> scores(n);
  const IndexRange run{begin, static_cast<std::uint64_t>(n)};
  const Timing timing = time_median(repeats_for(n), [&] { scorer.score(run, scores); });
  report_rate(name, scores, backend, timing, sizeof(double));
}

void run_list(const std::string& name, const Table& table, std::int64_t n, Backend backend) {
  const auto n_digits = static_cast<std::int64_t>(table.radices.size());
  const std::vector<std::uint8_t> radices(table.radices.begin(), table.radices.end());
  std::vector<std::uint8_t> choices(n * n_digits);
  parallel_for(n_digits, [&](std::int64_t d) {
    const Philox random{2, static_cast<std::uint64_t>(d)};
    for (std::int64_t i = 0; i < n; ++i)
      choices[i * n_digits + d] = static_cast<std::uint8_t>(random.below(i, radices[d]));
  });
  std::vector<double> scores(n);
  const Timing timing =
      time_median(repeats_for(n), [&] { score_table(table.view(), radices, choices, scores, backend); });
  report_rate(name, scores, backend, timing, static_cast<double>(n_digits) + sizeof(double));
}

void run_front(const std::string& name, const Table& latency, const Table& quality, const IndexRange& run,
               Backend backend) {
  const Scorer scorer(latency.code(), std::vector<ScoreFunction>{latency.view(), quality.view()}, backend,
                      Precision::fp64);
  std::vector<Candidate> front;
  const Timing timing = time_median(repeats_for(static_cast<std::int64_t>(run.count)), [&] {
    Reduction reduction(ReductionSettings{});
    scorer.reduce(run, reduction);
    front = reduction.front();
  });
  double latencies = 0, qualities = 0;  // of the front, to compare by
  for (const Candidate& point : front) latencies += point.latency, qualities += point.quality;
  char more[300];
  std::snprintf(more, sizeof(more),
                ", \"archs_per_s\": %.4g, \"front\": %zu, \"front_latencies\": %.17g, \"front_qualities\": %.17g",
                static_cast<double>(run.count) / timing.seconds_median, front.size(), latencies, qualities);
  report(name, static_cast<std::int64_t>(run.count), backend, timing, more);
}

void run_front_of(const std::string& path, std::uint64_t count) {
  Table tables[2] = {{22, 9, 1}, {22, 9, 1}};
  std::ifstream file(path, std::ios::binary);
  for (Table& table : tables) {
    file.read(reinterpret_cast<char*>(table.weights.data()),
              static_cast<std::streamsize>(table.weights.size() * sizeof(double)));
    table.bias = {0};
  }
  if (!file) throw Error(path + ": does not hold two tables of 198 numbers");
  run_front("table_front_fbnet", tables[0], tables[1], {0, count}, Backend::cpu);
}

std::vector<Case> table_cases() {
  const Table cells(6, 5, 1), fbnet(22, 9, 1), quality(22, 9, 2);
  const ArchIndex beyond_64_bits = (ArchIndex{1} << 64) * 40 + 12345;
  std::vector<Case> cases;
  for (const Backend backend : {Backend::cpu, Backend::cuda}) {
    if (backend == Backend::cuda && cuda_device_count() == 0) continue;
    const auto add = [&](const std::string& name, std::int64_t n, const auto& run) {
      cases.push_back({name + "_" + to_string(backend) + "_" + std::to_string(n), [=] { run(name, n); }});
    };
    add("table_range_nasbench201", 15'625,
        [=](const std::string& name, std::int64_t n) { run_range(name, cells, 0, n, backend); });
    for (const std::int64_t n : {10'000'000, 100'000'000})
      add("table_range_fbnet", n,
          [=](const std::string& name, std::int64_t size) { run_range(name, fbnet, beyond_64_bits, size, backend); });
    for (const std::int64_t n : {15'625, 10'000'000})
      add("table_list_fbnet", n,
          [=](const std::string& name, std::int64_t size) { run_list(name, fbnet, size, backend); });
    add("table_reduce_fbnet", 100'000'000, [=](const std::string& name, std::int64_t n) {
      run_front(name, fbnet, quality, {beyond_64_bits, static_cast<std::uint64_t>(n)}, backend);
    });
  }
  return cases;
}

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) {
  using namespace oneproxy::bench;
  if (argc != 4 || std::string(argv[1]) != "--front") return run_cases(argc, argv, table_cases());
  try {
    run_front_of(argv[2], std::stoull(argv[3]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
