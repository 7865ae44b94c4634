// Architectures a second on a GPU, end to end: an index range in, a Pareto front out; and fleets of predictors. One
// JSON object a line, and first the device with what it reaches on matrix products and copies in this very run.
// tests/bench/score_cuda_baseline.py puts PyTorch's rates beside them. Where there is no GPU it says so and ends well.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "oneproxy/kernels/base/backend.h"
#include "oneproxy/kernels/score/scorer.h"
#include "tests/bench/bench.h"
#include "tests/kernels/score/score_cases.h"

#ifdef ONEPROXY_HAS_CUDA
#include "oneproxy/kernels/score/fleet_detail.h"
#include "tests/bench/device_peak.h"
#endif

namespace oneproxy::bench {
namespace {

#ifdef ONEPROXY_HAS_CUDA

using test::OwnedDigits;
using test::OwnedDigitTable;
using test::OwnedMlp;

const DevicePeak& peak() {
  static const DevicePeak measured = measure_device_peak();
  return measured;
}

double peak_of(Precision precision) {
  return precision == Precision::bf16 ? peak().bf16 : precision == Precision::tf32 ? peak().tf32 : peak().fp32;
}

// Operations of the products between hidden layers, those of scoring.md's table.
double hidden_flops(const std::vector<int>& widths) {
  double flops = 0;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) flops += 2.0 * widths[l] * widths[l + 1];
  return flops;
}

std::string widths_name(int inputs, const std::vector<int>& widths) {
  std::string name = std::to_string(inputs);
  for (const int width : widths) name += "-" + std::to_string(width);
  return name + "-1";
}

void print(const std::string& name, const std::string& predictor, const std::string& precision, double archs,
           const Timing& timing, double flops, double peak_flops, const std::string& path,
           const std::string& more = "") {
  const double rate = archs / timing.seconds_median;
  std::printf(
      "{\"case\": \"%s\", \"predictor\": \"%s\", \"backend\": \"cuda\", \"precision\": \"%s\", \"threads\": 1, "
      "\"n\": %.0f, \"archs_per_s\": %.6g, \"seconds_median\": %.6g, \"repeats\": %d, \"share_of_peak\": ",
      name.c_str(), predictor.c_str(), precision.c_str(), archs, rate, timing.seconds_median, timing.repeats);
  if (flops > 0 && peak_flops > 0)
    std::printf("%.4g", rate * flops / peak_flops);
  else
    std::printf("null");
  std::printf(", \"isa\": \"%s\", \"path\": \"%s\"%s}\n", peak().name.c_str(), path.c_str(), more.c_str());
  std::fflush(stdout);
}

// A latency table and an MLP for the accuracy; Pareto front and the ten best within a limit.
void mlp_front(const std::string& name, const OwnedDigits& digits, int inputs, const std::vector<int>& widths,
               Precision precision, std::uint64_t count) {
  const OwnedDigitTable latency(digits, false, 1);
  const OwnedMlp quality(digits, widths, 2);
  const std::vector<ScoreFunction> models = {latency.table(), quality.mlp()};
  const Scorer scorer(digits.code(), models, Backend::cuda, precision);
  ReductionSettings settings;
  const Timing timing = time_median(5, [&] {
    Reduction reduction(settings);
    scorer.reduce({12345, count}, reduction);
  });
  print(name, widths_name(inputs, widths), to_string(precision), static_cast<double>(count), timing,
        hidden_flops(widths), peak_of(precision), scorer.paths()[1]);
}

void table_front(const std::string& name, const OwnedDigits& digits, std::uint64_t count) {
  const OwnedDigitTable latency(digits, false, 1), quality(digits, false, 2);
  const std::vector<ScoreFunction> models = {latency.table(), quality.table()};
  const Scorer scorer(digits.code(), models, Backend::cuda, Precision::fp64);
  const Timing timing = time_median(5, [&] {
    Reduction reduction(ReductionSettings{});
    scorer.reduce({12345, count}, reduction);
  });
  print(name, "table", "fp64", static_cast<double>(count), timing, 0, 0, scorer.paths()[0]);
}

// Thousands of predictors over all cells. The scores reach the host; the kernels' own time is stated beside it.
void fleet(const std::string& name, Precision precision, std::size_t n_models, int repeats) {
  const OwnedDigits digits(std::vector<std::uint32_t>(6, 5), 1, 1);
  const std::vector<int> widths = {64, 64};
  std::vector<OwnedMlp> owned;
  for (std::uint64_t seed = 0; seed < 64; ++seed) owned.emplace_back(digits, widths, seed);
  std::vector<Mlp> models;  // the device knows nothing of equal weights
  for (std::size_t m = 0; m < n_models; ++m) models.push_back(owned[m % owned.size()].mlp());
  const IndexRange run{0, 15625};
  std::vector<float> scores(n_models * run.count);
  double kernel_seconds = 0;
  const Timing timing = time_median(
      repeats, [&] { kernel_seconds = detail::score_fleet_cuda_timed(digits.code(), models, run, scores, precision); });
  const auto archs = static_cast<double>(scores.size());
  char more[120] = "";
  if (kernel_seconds > 0)
    std::snprintf(more, sizeof(more), ", \"kernel_archs_per_s\": %.6g, \"kernel_share_of_peak\": %.4g",
                  archs / kernel_seconds, archs / kernel_seconds * hidden_flops(widths) / peak_of(precision));
  print(name, "30-64-64-1", to_string(precision), archs, timing, hidden_flops(widths), peak_of(precision),
        kernel_seconds > 0 ? "fused fleet" : "model after model", more);
}

std::vector<Case> cases() {
  const OwnedDigits fbnet(std::vector<std::uint32_t>(22, 9), 1, 1), cells(std::vector<std::uint32_t>(6, 5), 1, 1);
  const OwnedDigits ofa({25, 7371, 7371, 7371, 7371, 7371}, 4, 1);
  std::vector<Case> all;
  for (const Precision precision : {Precision::bf16, Precision::tf32, Precision::fp32}) {
    const std::string p = std::string("_") + to_string(precision);
    const bool fp32 = precision == Precision::fp32;
    all.push_back({"fleet_30_64_64" + p, [=] { fleet("fleet_30_64_64", precision, fp32 ? 256 : 65536, 3); }});
    all.push_back({"front_198_64_64" + p, [=] {
                     mlp_front("front_198_64_64", fbnet, 198, {64, 64}, precision, 1ull << (fp32 ? 28 : 31));
                   }});
    all.push_back({"front_198_128_128" + p, [=] {
                     mlp_front("front_198_128_128", fbnet, 198, {128, 128}, precision, 1ull << (fp32 ? 27 : 30));
                   }});
    all.push_back({"front_128_400_400_400" + p, [=] {
                     mlp_front("front_128_400_400_400", ofa, 128, {400, 400, 400}, precision, 1ull << (fp32 ? 23 : 26));
                   }});
  }
  all.push_back({"front_tables_fbnet", [=] { table_front("front_tables_fbnet", fbnet, 1ull << 38); }});
  all.push_back({"front_tables_ofa", [=] { table_front("front_tables_ofa", ofa, 1ull << 36); }});
  return all;
}

#endif

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) {
#ifdef ONEPROXY_HAS_CUDA
  const bool lists = std::find(argv, argv + argc, std::string_view("--list")) != argv + argc;
  if (!lists && oneproxy::cuda_device_count() > 0) {
    const auto& peak = oneproxy::bench::peak();
    std::printf(
        "{\"case\": \"device\", \"device\": \"%s\", \"driver\": %d, \"bf16_flops\": %.6g, \"tf32_flops\": %.6g, "
        "\"fp32_flops\": %.6g, \"bytes_per_s\": %.6g}\n",
        peak.name.c_str(), peak.driver, peak.bf16, peak.tf32, peak.fp32, peak.bytes);
  }
  if (lists || oneproxy::cuda_device_count() > 0)
    return oneproxy::bench::run_cases(argc, argv, oneproxy::bench::cases());
#else
  (void)argc, (void)argv;
#endif
  std::fprintf(stderr, "skipped: no usable CUDA device\n");
  return 0;
}
