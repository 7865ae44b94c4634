// Scores of a linear predictor: all of a small space, ranges of FBNet's 9^22, and listed architectures. The peak is
// memset of the same scores on the host with the same threads, for writing them is what remains of the work.
#include <cstring>
#include <string>
#include <vector>

#include "oneproxy/kernels/additive/linear_score.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/bench/bench.h"

namespace oneproxy::bench {
namespace {

struct Table {
  explicit Table(std::vector<std::uint8_t> of) : radices(std::move(of)) {
    const Philox random{1, 0};
    for (const std::uint8_t radix : radices)
      for (int c = 0; c < radix; ++c) weights.push_back(random.uniform(weights.size()));
  }
  LinearTable view() const { return {radices, weights, 0.5}; }

  std::vector<std::uint8_t> radices;
  std::vector<double> weights;
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

int repeats_for(std::int64_t n) { return n <= 100'000 ? 201 : n <= 10'000'000 ? 11 : 3; }

void run_range(const std::string& name, const Table& table, ArchIndex begin, std::int64_t n, Backend backend) {
  std::vector<double> scores(n);
  const Timing timing = time_median(repeats_for(n), [&] { score_linear_range(table.view(), begin, scores, backend); });
  report_rate(name, scores, backend, timing, sizeof(double));
}

void run_list(const std::string& name, const Table& table, std::int64_t n, Backend backend) {
  const auto n_decisions = static_cast<std::int64_t>(table.radices.size());
  std::vector<std::uint8_t> choices(n * n_decisions);
  parallel_for(n_decisions, [&](std::int64_t d) {
    const Philox random{2, static_cast<std::uint64_t>(d)};
    for (std::int64_t i = 0; i < n; ++i)
      choices[i * n_decisions + d] = static_cast<std::uint8_t>(random.below(i, table.radices[d]));
  });
  std::vector<double> scores(n);
  const Timing timing = time_median(repeats_for(n), [&] { score_linear(table.view(), choices, scores, backend); });
  report_rate(name, scores, backend, timing, static_cast<double>(n_decisions) + sizeof(double));
}

std::vector<Case> linear_score_cases() {
  const Table cells(std::vector<std::uint8_t>(6, 5)), fbnet(std::vector<std::uint8_t>(22, 9));
  const ArchIndex beyond_64_bits = (ArchIndex{1} << 64) * 40 + 12345;
  std::vector<Case> cases;
  for (const Backend backend : {Backend::cpu, Backend::cuda}) {
    if (backend == Backend::cuda && cuda_device_count() == 0) continue;
    const auto add = [&](const std::string& name, std::int64_t n, const auto& run) {
      cases.push_back({name + "_" + to_string(backend) + "_" + std::to_string(n), [=] { run(name, n); }});
    };
    add("score_linear_range_nasbench201", 15'625,
        [=](const std::string& name, std::int64_t n) { run_range(name, cells, 0, n, backend); });
    for (const std::int64_t n : {10'000'000, 100'000'000})
      add("score_linear_range_fbnet", n,
          [=](const std::string& name, std::int64_t size) { run_range(name, fbnet, beyond_64_bits, size, backend); });
    for (const std::int64_t n : {15'625, 10'000'000})
      add("score_linear_fbnet", n,
          [=](const std::string& name, std::int64_t size) { run_list(name, fbnet, size, backend); });
  }
  return cases;
}

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) {
  return oneproxy::bench::run_cases(argc, argv, oneproxy::bench::linear_score_cases());
}
