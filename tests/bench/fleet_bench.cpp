// Fleets over NAS-Bench-201: 1,000 devices, 5 limits each, all 15,625 cells, one quality. fleet_baseline.py adds what
// NumPy and PyTorch need for it.
//   fleet_bench [--filter REGEX] [--list]  every case
//   fleet_bench --write KIND FILE          numbers and answers of `tables`, `cells` or `mlps`, all f64, for others:
//     weights [rows, devices] or, of MLPs, [devices, (30 + 1) * 64 + (64 + 1) * 64 + 64 + 1] layer after layer, inputs
//     or outputs first as score_function.h has them; quality [cells], limits [devices, limits], index of the best or
//     -1 [devices, limits]
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
// accuracies do (a correlation of 0.6). Multiples of 2^-20: sums are exact in any order.
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
  double least = 1e300;  // of one call: others may load the machine
  const Timing timing = time_median(21, [&] {
    const auto start = std::chrono::steady_clock::now();
    best = reduce();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    least = std::min(least, elapsed.count());
  });
  const double scores = static_cast<double>(kAll.count) * kDevices;
  double qualities = 0;
  for (const auto& one : best) qualities += one.found() ? one.quality : 0;
  char more[300];
  std::snprintf(more, sizeof(more),
                ", \"precision\": \"%s\", \"seconds_best\": %.6g, \"scores_per_s\": %.4g, \"qualities\": %.17g",
                to_string(precision), least, scores / timing.seconds_median, qualities);
  std::string text = more;
  if (backend == Backend::cpu) {
    const double floor = scores * operations_per_score / peak(precision);
    std::snprintf(more, sizeof(more), ", \"floor_seconds\": %.4g, \"isa\": \"%s\"", floor, to_string(chosen_isa()));
    text += more;
  }
  report(name, static_cast<std::int64_t>(scores), backend, timing, text);
}

void run_tables(bool cells, Backend backend) {
  const Fleet fleet;
  report_fleet(cells ? "fleet_cells" : "fleet_tables", backend, Precision::fp64, cells ? 1 : 6,
               [&] { return fleet.reduce(cells, backend); });
}

class MlpFleet {
 public:
  MlpFleet() {
    for (std::uint64_t m = 0; m < kDevices; ++m) owners_.emplace_back(fleet_.digits(), std::vector<int>{64, 64}, m);
    for (const auto& owner : owners_) models_.push_back(owner.mlp());
    std::vector<float> scores(kDevices * kAll.count);
    score_fleet(fleet_.digits().code(), models_, kAll, scores, Backend::cpu, Precision::fp32);
    for (std::int64_t m = 0; m < kDevices; ++m) {
      const auto own = scores.begin() + m * static_cast<std::int64_t>(kAll.count);
      Fleet::append_limits(std::vector<double>(own, own + static_cast<std::ptrdiff_t>(kAll.count)), limits_);
    }
  }
  std::vector<double> weights() const {
    std::vector<double> all;
    const auto append = [&all](const std::vector<double>& more) { all.insert(all.end(), more.begin(), more.end()); };
    for (const auto& owner : owners_) {
      append(owner.rows);
      append(owner.first_bias);
      for (std::size_t l = 0; l < owner.weights.size(); ++l) append(owner.weights[l]), append(owner.biases[l]);
    }
    return all;
  }
  std::span<const double> quality() const { return fleet_.quality(); }
  std::span<const double> limits() const { return limits_; }
  std::vector<FleetBest> reduce(Backend backend, Precision precision) const {
    return reduce_fleet(fleet_.digits().code(), models_, fleet_.quality(), limits_, kAll, backend, precision);
  }

 private:
  Fleet fleet_;
  std::vector<test::OwnedMlp> owners_;
  std::vector<Mlp> models_;
  std::vector<double> limits_;
};

void run_mlps(Backend backend, Precision precision) {
  const MlpFleet fleet;
  report_fleet("fleet_mlps", backend, precision, 64 * 64, [&] { return fleet.reduce(backend, precision); });
}

std::vector<Case> fleet_cases() {
  std::vector<Case> cases;
  for (const Backend backend : {Backend::cpu, Backend::cuda}) {
    if (backend == Backend::cuda && cuda_device_count() == 0) continue;
    const auto add = [&](const std::string& name, Precision precision, const std::function<void()>& run) {
      cases.push_back({name + "_" + to_string(backend) + "_" + to_string(precision), run});
    };
    add("fleet_tables", Precision::fp64, [=] { run_tables(false, backend); });
    add("fleet_cells", Precision::fp64, [=] { run_tables(true, backend); });
    for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::tf32}) {
      if (backend == Backend::cpu && precision != Precision::fp32) continue;
      add("fleet_mlps", precision, [=] { run_mlps(backend, precision); });
    }
  }
  return cases;
}

void write(const std::string& path, std::span<const double> weights, std::span<const double> quality,
           std::span<const double> limits, const std::vector<FleetBest>& answers) {
  std::vector<double> index;
  for (const auto& best : answers) index.push_back(best.found() ? static_cast<double>(best.index) : -1);
  std::ofstream file(path, std::ios::binary);
  for (const std::span<const double> numbers : {weights, quality, limits, std::span<const double>(index)})
    file.write(reinterpret_cast<const char*>(numbers.data()), static_cast<std::streamsize>(numbers.size_bytes()));
  if (!file) throw Error(path + " can not be written");
}

void write(const std::string& kind, const std::string& path) {
  if (kind == "mlps") {
    const MlpFleet fleet;
    const std::vector<double> weights = fleet.weights();
    write(path, weights, fleet.quality(), fleet.limits(), fleet.reduce(Backend::cpu, Precision::fp32));
    return;
  }
  if (kind != "tables" && kind != "cells") throw Error("--write " + kind + ": not tables, cells or mlps");
  const Fleet fleet;
  const bool cells = kind == "cells";
  write(path, fleet.weights(cells), fleet.quality(), fleet.limits(), fleet.reduce(cells, Backend::cpu));
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
