// Pareto fronts of scattered points, of correlated ones as latency and accuracy are, and of points that are all on
// the front, where no filter helps. The baseline is the textbook way on one thread: sort the indices, sweep.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/base/random.h"
#include "oneproxy/kernels/front/pareto.h"
#include "tests/bench/bench.h"

namespace oneproxy::bench {
namespace {

struct Points {
  std::vector<double> latency, quality;
};

Points make_points(const std::string& shape, std::int64_t n) {
  Points points{std::vector<double>(n), std::vector<double>(n)};
  const Philox random{1, 0};
  for (std::int64_t i = 0; i < n; ++i) {
    const double latency = 10 * random.uniform(2 * i), noise = random.uniform(2 * i + 1);
    points.latency[i] = latency;
    points.quality[i] =
        shape == "scattered" ? noise : std::log(1 + latency) + (shape == "correlated" ? 0.3 * noise : 0);
  }
  return points;
}

std::size_t sort_and_sweep(const Points& points) {
  const auto& [latency, quality] = points;
  std::vector<std::int64_t> order(latency.size()), front;
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    if (latency[a] != latency[b]) return latency[a] < latency[b];
    return quality[a] != quality[b] ? quality[a] > quality[b] : a < b;
  });
  for (const std::int64_t i : order)
    if (front.empty() || quality[i] > quality[front.back()]) front.push_back(i);
  return front.size();
}

void run_case(const std::string& shape, std::int64_t n, Backend backend) {
  const Points points = make_points(shape, n);
  const int repeats = n <= 100'000 ? 201 : n <= 1'000'000 ? 21 : 5;
  std::size_t size = 0;
  const Timing timing =
      time_median(repeats, [&] { size = pareto_front(points.latency, points.quality, backend).size(); });
  std::size_t baseline_size = 0;
  const Timing baseline = time_median(std::min(repeats, 3), [&] { baseline_size = sort_and_sweep(points); });
  if (size != baseline_size)
    throw Error("pareto_front_" + shape + ": a front of " + std::to_string(size) + " points instead of " +
                std::to_string(baseline_size));
  report("pareto_front_" + shape, n, backend, timing,
         ", \"front\": " + std::to_string(size) +
             against("sort and sweep, one thread", baseline.seconds_median, timing.seconds_median));
}

std::vector<Case> pareto_cases() {
  std::vector<Case> cases;
  for (const Backend backend : {Backend::cpu, Backend::cuda}) {
    if (backend == Backend::cuda && cuda_device_count() == 0) continue;
    for (const std::string shape : {"scattered", "correlated", "all_on_the_front"})
      for (const std::int64_t n : {15'625, 1'000'000, 10'000'000})
        cases.push_back({"pareto_front_" + shape + "_" + to_string(backend) + "_" + std::to_string(n),
                         [=] { run_case(shape, n, backend); }});
  }
  return cases;
}

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) { return oneproxy::bench::run_cases(argc, argv, oneproxy::bench::pareto_cases()); }
