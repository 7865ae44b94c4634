// Exact fronts of whole spaces by dynamic programming over digits, on tables shaped as those of FBNet: 22 digits of 9
// values, latency a noisy power of the multiply-accumulates, as a fit to a device. Tables of a real device come from
// the baseline script:
//   additive_front_bench --tables FILE N_DIGITS RADIX N_OBJECTIVES REPEATS TRACE NAME
// FILE: int64 [n_objectives, n_digits * radix]; TRACE 1: all architectures of the front are traced back, too.
// "checksum": of the front, for the script to compare.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "oneproxy/kernels/additive/front.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "tests/bench/bench.h"

namespace oneproxy::bench {
namespace {

constexpr double kScale = 0x1p40;

struct Tables {
  std::vector<std::uint32_t> radices;
  std::vector<std::int64_t> objectives[3];  // the third may be empty

  AdditiveProblem problem() const {
    static constexpr std::int64_t kNoBias[1] = {0};
    AdditiveProblem problem{radices, {objectives[0], kNoBias}, {objectives[1], kNoBias}, {}, {}};
    if (!objectives[2].empty()) problem.third = {objectives[2], kNoBias};
    return problem;
  }
};

// Multiply-accumulates of FBNet's blocks on CIFAR-100 (configs/spaces/fbnet.toml), in millions, and a noise of +-1 for
// each block; [22 * 9].
struct Blocks {
  std::vector<double> macs, noise;
};

Blocks fbnet_blocks() {
  struct Stage {
    int channels, layers, stride;
  };
  const Stage stages[] = {{16, 1, 1}, {24, 4, 1}, {32, 4, 2}, {64, 4, 2}, {112, 4, 1}, {184, 4, 2}, {352, 1, 1}};
  const int kernels[] = {3, 3, 3, 3, 5, 5, 5, 5}, expansions[] = {1, 1, 3, 6, 1, 1, 3, 6};
  const double groups[] = {1, 2, 1, 1, 1, 2, 1, 1};
  Blocks blocks;
  const Philox random{1, 0};
  double in = 16, side = 32;
  for (const Stage& stage : stages)
    for (int layer = 0; layer < stage.layers; ++layer) {
      const double stride = layer == 0 ? stage.stride : 1, before = side * side, after = before / (stride * stride);
      for (int op = 0; op < 8; ++op) {
        const double wide = in * expansions[op];
        blocks.macs.push_back(1e-6 * ((in * wide * before + wide * stage.channels * after) / groups[op] +
                                      wide * kernels[op] * kernels[op] * after));
      }
      blocks.macs.push_back(in == stage.channels && stride == 1 ? 0 : 1e-6 * in * stage.channels * after);
      in = stage.channels;
      side /= stride;
    }
  for (std::size_t i = 0; i < blocks.macs.size(); ++i) blocks.noise.push_back(2 * random.uniform(i) - 1);
  return blocks;
}

std::int64_t fixed(double value) { return static_cast<std::int64_t>(std::llround(value * kScale)); }

// latency = macs^0.7 with 15 % of noise. quality: "macs", or a power of the latency; third: a noisy sum of both.
Tables fbnet_tables(const std::string& quality, double power, double noise, bool third) {
  const Blocks blocks = fbnet_blocks();
  Tables tables;
  tables.radices.assign(22, 9);
  for (std::size_t i = 0; i < blocks.macs.size(); ++i) {
    const double latency = std::pow(blocks.macs[i], 0.7) * (1 + noise * blocks.noise[i]);
    tables.objectives[0].push_back(fixed(latency));
    tables.objectives[1].push_back(fixed(quality == "macs" ? blocks.macs[i] : std::pow(latency, power)));
    if (third) tables.objectives[2].push_back(fixed(blocks.macs[i] * (1 + 0.2 * blocks.noise[(i * 7 + 3) % 198])));
  }
  return tables;
}

// Shaped as OFA's MobileNet-V3: digit 0 selects one of 25 resolutions, which change all latencies; five stages of 2..4
// blocks with 9 variants each are digits of 7,371 values.
struct OfaTables {
  std::vector<std::uint32_t> radices = {25, 7371, 7371, 7371, 7371, 7371};
  std::vector<std::int64_t> latency, latency_bias, quality;

  AdditiveProblem problem() const {
    static constexpr std::int64_t kNoBias[1] = {0};
    return {radices, {latency, latency_bias}, {quality, kNoBias}, {}, {}};
  }
};

OfaTables ofa_tables() {
  OfaTables tables;
  const Philox random{2, 0};
  const double expansions[] = {3, 4, 6}, kernels[] = {3, 5, 7};
  for (int table = 0; table < 25; ++table) {
    const double area = std::pow((128 + 4 * table) / 224.0, 2);
    tables.latency_bias.push_back(fixed(5 * area));
    for (int r = 0; r < 25; ++r) {
      tables.latency.push_back(0);
      if (table == 0) tables.quality.push_back(fixed(3 * std::log1p(r)));
    }
    for (int stage = 0; stage < 5; ++stage) {
      double latency[4][9], quality[4][9];
      for (int block = 0; block < 4; ++block)
        for (int op = 0; op < 9; ++op) {
          const auto draw = static_cast<std::uint64_t>(((table * 5 + stage) * 4 + block) * 9 + op);
          const double size = expansions[op % 3] * (1 + 0.1 * kernels[op / 3]);
          latency[block][op] = area * size * (0.2 + 0.02 * random.uniform(draw));
          quality[block][op] = std::log(size) * (1 + 0.2 * random.uniform(100'000 + draw % (5 * 36))) / (1 + block);
        }
      for (int depth = 2; depth <= 4; ++depth) {
        const int n = depth == 2 ? 81 : depth == 3 ? 729 : 6561;
        for (int value = 0; value < n; ++value) {
          double t = 0, q = 0;
          for (int block = 0, rest = value; block < depth; ++block, rest /= 9) {
            t += latency[block][rest % 9];
            q += quality[block][rest % 9];
          }
          tables.latency.push_back(fixed(t));
          if (table == 0) tables.quality.push_back(fixed(q));
        }
      }
    }
  }
  return tables;
}

// Of this program alone, which getrusage() does not tell of a program that another one started.
double peak_resident_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (double kilobytes; word == "VmHWM:" && status >> kilobytes) return kilobytes / 1024;
  return 0;
}

template <typename AnyTables>
void run_front(const std::string& name, const AnyTables& tables, int repeats, bool trace) {
  AdditiveFront front;
  std::vector<std::uint32_t> digits;
  std::vector<double> processor_seconds;  // of all threads: what holds on a machine that others use as well
  const Timing timing = time_median(repeats, [&] {
    const std::clock_t start = std::clock();
    front = AdditiveFront();
    front = additive_front(tables.problem());
    if (trace) digits = front.all_digits();
    processor_seconds.push_back(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  });
  std::sort(processor_seconds.begin(), processor_seconds.end());
  std::uint64_t checksum = 0;
  for (std::int64_t i = 0; i < front.size(); ++i) {
    const AdditivePoint point = front.point(i);
    checksum = checksum * 31 + static_cast<std::uint64_t>(point.latency);
    checksum = checksum * 31 + static_cast<std::uint64_t>(point.quality);
    checksum = checksum * 31 + static_cast<std::uint64_t>(point.third);
  }
  char more[400];
  std::snprintf(more, sizeof(more),
                ", \"processor_seconds\": %.4g, \"front\": %lld, \"stored_points\": %lld, \"traced_back\": %s, "
                "\"levels_mb\": %.4g, "
                "\"peak_resident_mb\": %.4g, \"checksum\": %lld",
                processor_seconds[processor_seconds.size() / 2], static_cast<long long>(front.size()),
                static_cast<long long>(front.stored_points()), trace ? "true" : "false",
                static_cast<double>(front.peak_bytes()) / 1e6, peak_resident_mb(),
                static_cast<long long>(checksum >> 16));
  report(name, front.size(), Backend::cpu, timing, more);
}

void run_limits(const std::string& name, const Tables& tables) {
  std::vector<std::int64_t> limits;
  const AdditiveFront front = additive_front(tables.problem());
  for (int i = 1; i <= 4; ++i) limits.push_back(front.point(front.size() * i / 5).latency);
  std::vector<AdditiveBest> best;
  const Timing timing = time_median(21, [&] { best = additive_best(tables.problem(), limits); });
  for (std::size_t i = 0; i < limits.size(); ++i)
    if (best[i].point.quality != front.point(front.last_within(limits[i])).quality)
      throw Error("the best under a limit is not the front's");
  report(name, static_cast<std::int64_t>(limits.size()), Backend::cpu, timing);
}

std::vector<Case> cases() {
  return {
      {"additive_front_fbnet_macs",
       [] { run_front("additive_front_fbnet_macs", fbnet_tables("macs", 1, 0.15, false), 201, true); }},
      {"additive_front_fbnet_sqrt",
       [] { run_front("additive_front_fbnet_sqrt", fbnet_tables("power", 0.5, 0.15, false), 21, true); }},
      {"additive_front_fbnet_three",
       [] { run_front("additive_front_fbnet_three", fbnet_tables("macs", 1, 0.08, true), 5, true); }},
      {"additive_front_ofa", [] { run_front("additive_front_ofa", ofa_tables(), 5, true); }},
      {"additive_best_fbnet_macs",
       [] { run_limits("additive_best_fbnet_macs", fbnet_tables("macs", 1, 0.15, false)); }},
      {"additive_best_fbnet_sqrt",
       [] { run_limits("additive_best_fbnet_sqrt", fbnet_tables("power", 0.5, 0.15, false)); }},
  };
}

Tables read_tables(const char* path, int n_digits, int radix, int n_objectives) {
  Tables tables;
  tables.radices.assign(n_digits, radix);
  std::ifstream file(path, std::ios::binary);
  for (int o = 0; o < n_objectives; ++o) {
    tables.objectives[o].resize(static_cast<std::size_t>(n_digits) * radix);
    const auto bytes = static_cast<std::streamsize>(tables.objectives[o].size() * sizeof(std::int64_t));
    if (!file.read(reinterpret_cast<char*>(tables.objectives[o].data()), bytes))
      throw Error(std::string(path) + " is too short for " + std::to_string(n_objectives) + " objectives");
  }
  return tables;
}

int run(int argc, char** argv) {
  if (argc != 9 || std::string(argv[1]) != "--tables") return run_cases(argc, argv, cases());
  try {
    run_front(argv[8], read_tables(argv[2], std::atoi(argv[3]), std::atoi(argv[4]), std::atoi(argv[5])),
              std::atoi(argv[6]), std::atoi(argv[7]) != 0);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) { return oneproxy::bench::run(argc, argv); }
