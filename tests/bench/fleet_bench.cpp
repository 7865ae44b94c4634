// Fleets over NAS-Bench-201: 1,000 devices, 5 limits each, all 15,625 cells, one quality. fleet_baseline.py adds what
// NumPy and PyTorch need for it.
//   fleet_bench [--filter REGEX] [--list]  every case
//   fleet_bench --write KIND FILE          numbers and answers of `tables` or `cells`, all f64, for another program:
//     weights [rows, devices], quality [cells], limits [devices, limits], index of the best or -1 [devices, limits]
// floor_seconds: all additions of all scores (of MLPs: all multiply-adds of the hidden layers) at the rate that the
// same instructions reach in registers, measured in between. Fleets that look at fewer scores may stay below it.
#include <cmath>
#include <fstream>
#include <numeric>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/isa.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/score/cpu/mlp_on_tiles.h"
#include "oneproxy/kernels/score/fleet.h"
#include "tests/bench/bench.h"
#include "tests/kernels/score/score_cases.h"

namespace oneproxy::bench {
namespace {

constexpr std::int64_t kDevices = 1'000, kLimits = 5;
constexpr double kShares[kLimits] = {0.1, 0.3, 0.5, 0.7, 0.9};  // of the cells that keep a limit
constexpr IndexRange kAll{0, 15'625};

// Devices that differ by a factor and by the speed of their operations, and a quality that rises with latency as
// accuracies do (a correlation of 0.7). Multiples of 2^-20: sums are exact in any order.
class Fleet {
 public:
  Fleet() : digits_(std::vector<std::uint32_t>(6, 5), 1, 1) {
    const Philox random{1, 1};
    const auto number = [&](std::uint64_t draw) { return std::round(std::ldexp(random.uniform(draw), 20)) / 0x1p20; };
    for (std::uint64_t row = 0; row < 30; ++row)
      for (std::uint64_t device = 0; device < kDevices; ++device)
        weights_.push_back(2 * number(row) + number(100 + row * kDevices + device));
    bias_.assign(kDevices, 0);
    cells_.resize(kAll.count * kDevices);
    for (std::uint32_t cell = 0; cell < kAll.count; ++cell) {
      std::uint32_t digits[6];
      decode_digits(cell, digits_.radices.data(), 6, digits);
      double* own = cells_.data() + cell * kDevices;
      double common = 0;
      for (std::uint32_t d = 0; d < 6; ++d) {
        common += number(5 * d + digits[d]);
        for (std::int64_t device = 0; device < kDevices; ++device)
          own[device] += weights_[(5 * d + digits[d]) * kDevices + device];
      }
      quality_.push_back(common + 2.5 * number(1'000'000 + cell));
    }
    for (std::int64_t device = 0; device < kDevices; ++device) {
      std::vector<double> latencies;
      for (std::uint64_t cell = 0; cell < kAll.count; ++cell) latencies.push_back(cells_[cell * kDevices + device]);
      append_limits(std::move(latencies), limits_);
    }
    for (std::int32_t cell = 0; cell < 15'625; ++cell) cell_rows_.push_back(cell);
  }

  static void append_limits(std::vector<double> latencies, std::vector<double>& limits) {
    std::sort(latencies.begin(), latencies.end());
    for (const double share : kShares)
      limits.push_back(latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size()))]);
  }

  const test::OwnedDigits& digits() const { return digits_; }
  std::span<const double> quality() const { return quality_; }
  std::span<const double> limits() const { return limits_; }
  std::span<const double> weights(bool cells) const { return cells ? cells_ : weights_; }

  std::vector<FleetBest> reduce(bool cells, Backend backend) const {
    const DigitCode one_digit{kRadix, 1, cell_rows_, 15'625};
    return reduce_fleet(cells ? one_digit : digits_.code(), TableFleet{kDevices, weights(cells), bias_}, quality(),
                        limits_, kAll, backend);
  }

 private:
  static constexpr std::uint32_t kRadix[1] = {15'625};
  test::OwnedDigits digits_;
  std::vector<std::int32_t> cell_rows_;
  std::vector<double> weights_, bias_, cells_, quality_, limits_;
};

// Multiply-adds a second of all threads together.
double peak(Precision precision) {
  std::vector<double> done(thread_count());
  const auto start = std::chrono::steady_clock::now();
  parallel_for(thread_count(),
               [&](std::int64_t t) { done[t] = detail::spin_multiply_adds(precision, chosen_isa(), 1'000'000); });
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return std::accumulate(done.begin(), done.end(), 0.0) / elapsed.count();
}

void report_fleet(const std::string& name, Backend backend, Precision precision, double operations_per_score,
                  const std::function<std::vector<FleetBest>()>& reduce) {
  std::vector<FleetBest> best;
  const Timing timing = time_median(21, [&] { best = reduce(); });
  const double scores = static_cast<double>(kAll.count) * kDevices;
  double qualities = 0;
  for (const auto& one : best) qualities += one.found() ? one.quality : 0;
  char more[300];
  std::snprintf(more, sizeof(more), ", \"scores_per_s\": %.4g, \"qualities\": %.17g", scores / timing.seconds_median,
                qualities);
  std::string text = more;
  if (backend == Backend::cpu) {
    const double floor = scores * operations_per_score / peak(precision);
    std::snprintf(more, sizeof(more), ", \"floor_seconds\": %.4g, \"isa\": \"%s\"", floor, to_string(chosen_isa()));
    text += more;
  }
  report(name, static_cast<std::int64_t>(scores), backend, timing, text);
}

void run_tables(const std::string& name, bool cells, Backend backend) {
  const Fleet fleet;
  report_fleet(name, backend, Precision::fp64, cells ? 1 : 6, [&] { return fleet.reduce(cells, backend); });
}

void run_mlps(const std::string& name, Backend backend, Precision precision) {
  const Fleet fleet;
  std::vector<test::OwnedMlp> owners;
  std::vector<Mlp> models;
  for (std::uint64_t m = 0; m < kDevices; ++m) owners.emplace_back(fleet.digits(), std::vector<int>{64, 64}, m);
  for (const auto& owner : owners) models.push_back(owner.mlp());
  std::vector<float> scores(kDevices * kAll.count);
  score_fleet(fleet.digits().code(), models, kAll, scores, Backend::cpu, Precision::fp32);
  std::vector<double> limits;
  for (std::int64_t m = 0; m < kDevices; ++m) {
    const auto own = scores.begin() + m * static_cast<std::int64_t>(kAll.count);
    Fleet::append_limits(std::vector<double>(own, own + static_cast<std::ptrdiff_t>(kAll.count)), limits);
  }
  report_fleet(name, backend, precision, 64 * 64, [&] {
    return reduce_fleet(fleet.digits().code(), models, fleet.quality(), limits, kAll, backend, precision);
  });
}

std::vector<Case> fleet_cases() {
  std::vector<Case> cases;
  for (const Backend backend : {Backend::cpu, Backend::cuda}) {
    if (backend == Backend::cuda && cuda_device_count() == 0) continue;
    for (const bool cells : {false, true}) {
      const std::string name = std::string("fleet_") + (cells ? "cells_" : "tables_") + to_string(backend);
      cases.push_back({name, [=] { run_tables(name, cells, backend); }});
    }
    for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::tf32}) {
      if (backend == Backend::cpu && precision != Precision::fp32) continue;
      const std::string name = std::string("fleet_mlps_") + to_string(backend) + "_" + to_string(precision);
      cases.push_back({name, [=] { run_mlps(name, backend, precision); }});
    }
  }
  return cases;
}

void write(const std::string& kind, const std::string& path) {
  if (kind != "tables" && kind != "cells") throw Error("--write " + kind + ": neither 'tables' nor 'cells'");
  const Fleet fleet;
  const bool cells = kind == "cells";
  std::ofstream file(path, std::ios::binary);
  const auto put = [&](std::span<const double> numbers) {
    file.write(reinterpret_cast<const char*>(numbers.data()), static_cast<std::streamsize>(numbers.size_bytes()));
  };
  put(fleet.weights(cells));
  put(fleet.quality());
  put(fleet.limits());
  std::vector<double> index;
  for (const auto& best : fleet.reduce(cells, Backend::cpu))
    index.push_back(best.found() ? static_cast<double>(best.index) : -1);
  put(index);
  if (!file) throw Error(path + " can not be written");
}

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) {
  using namespace oneproxy::bench;
  if (argc != 4 || std::string(argv[1]) != "--write") return run_cases(argc, argv, fleet_cases());
  try {
    write(argv[2], argv[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
