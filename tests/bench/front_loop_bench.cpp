// A loop of sixty measurements (engine/front_loop) on one thread: NAS-Bench-201, nine source devices, whose prior is
// learnt before. The device answers at once, so this is all that the loop computes: 12 adaptations, the expected
// improvement of every cell and of a batch after each, 32 drawn devices for the stop.
#include <ctime>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/front_loop/front_loop.h"
#include "tests/bench/bench.h"

namespace oneproxy::bench {
namespace {

constexpr int kMeasurements = 60, kRepeats = 7, kSourceSamples = 800;

void measure(const std::string& target) {
  const Store store(shipped_store());
  const auto features = std::make_shared<const ArchitectureFeatures>(SearchSpace::load("nasbench201"));
  const auto& space = features->space();
  const Measurements data(store, space, "help");
  std::vector<SourceDevice> sources;
  for (const char* name : {"1080ti_1", "1080ti_32", "1080ti_256", "silver_4114", "silver_4210r", "samsung_a50",
                           "pixel3", "essential_ph_1", "samsung_s7"})
    sources.push_back(
        draw_source(data, data.device(name), kSourceSamples, 1, static_cast<std::uint32_t>(sources.size())));
  const auto latency = data.device(target).values;
  std::unordered_map<std::string, double> table;
  for (std::int64_t i = 0; i < data.n(); ++i)
    table[std::string(data.rows().row(i).begin(), data.rows().row(i).end())] = latency[i];
  FrontLoopProblem problem{features, {}, {}, nullptr};
  problem.measured.push_back(measured_objective({"latency_ms", "latency", "ms", Direction::minimise},
                                                Sources(features, std::move(sources)), 1));
  problem.quality = make_objective({space, &data, store.path(), "", Backend::cpu}, "metric:natsbench:cifar100",
                                   "quality", Direction::maximise);
  problem.candidates = listed_candidates(space, data.rows().choices, problem.quality, "all cells");
  FrontLoopSettings settings;
  settings.stop_gain = 0;

  int steps = 0;
  const std::size_t width = space.radices().size();
  const auto loop = [&] {
    FrontLoop own(problem, settings);
    steps = 0;
    for (int n = 0; n < kMeasurements; ++steps) {
      const auto step = own.step();
      for (std::size_t i = 0; i < step.measure.size() && n < kMeasurements; i += width, ++n) {
        const auto one = std::span(step.measure).subspan(i, width);
        own.tell(one, std::vector<double>{table.at({one.begin(), one.end()})});
      }
    }
  };
  const auto busy = std::clock();
  const Timing timing = time_median(kRepeats, loop);
  const double processor = static_cast<double>(std::clock() - busy) / CLOCKS_PER_SEC / (kRepeats + 1);
  char more[200];
  std::snprintf(more, sizeof(more), ", \"measurements\": %d, \"steps\": %d, \"processor_seconds\": %.4g", kMeasurements,
                steps, processor);
  report("front_loop_" + target, data.n(), Backend::cpu, timing, more);
}

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) {
  using namespace oneproxy::bench;
  oneproxy::set_thread_count(1);
  std::vector<Case> cases;
  for (const std::string target : {"fpga", "raspi4"})
    cases.push_back({"front_loop_" + target, [=] { measure(target); }});
  return run_cases(argc, argv, cases);
}
