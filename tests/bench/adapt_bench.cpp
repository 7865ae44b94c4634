// Adaptation of `bayes` to one target on one thread: nine source devices are fitted and the features are ready; the
// fit, the latencies of all architectures (NAS-Bench-201: of the space, FBNet: of 10,000) and the expected SRCC are
// timed.
//   adapt_bench                        the cases
//   adapt_bench --measure SPACE FOLDER one space; what a baseline needs goes to FOLDER (adapt_baseline.py)
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/gaussian_process/bayes.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/kernels/base/error.h"
#include "tests/bench/bench.h"

namespace oneproxy::bench {
namespace {

const std::vector<std::string> kSources = {"1080ti_1",    "1080ti_32", "1080ti_256",     "silver_4114", "silver_4210r",
                                           "samsung_a50", "pixel3",    "essential_ph_1", "samsung_s7"};
const std::string kTarget = "fpga";
constexpr int kSourceSamples = 800, kRepeats = 21;
constexpr int kSamples[] = {5, 10, 20, 70};

// Raw numbers in the machine's byte order.
void write(const std::string& path, std::span<const double> values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
  if (!file) throw Error("cannot write " + path + "; is the folder there, and the disk not full?");
}

struct Problem {
  SearchSpace space;
  ArchitectureFeatures features;
  SetRows rows;
  std::vector<double> latency;        // of the target, [rows]
  std::vector<std::int64_t> order;    // rows that the target has, in the order in which they are measured
  std::unique_ptr<BayesModel> model;  // prior learnt from the sources

  explicit Problem(const std::string& name) : space(SearchSpace::load(name)), features(space) {
    const Store store(shipped_store());
    rows = store.rows(name, "help");
    latency = store.latency(name, "help", kTarget).values;
    for (const auto row : random_permutation(rows.n, random_stream(1, Draws::measurement_order, 0)))
      if (!std::isnan(latency[row])) order.push_back(row);
    std::vector<SourceDevice> sources;
    std::vector<SourcePredictor> predictors;
    for (std::string device : kSources) {
      if (name == "fbnet" && device == "1080ti_256") device = "1080ti_64";
      const auto all = store.latency(name, "help", device).values;
      auto& source = sources.emplace_back(SourceDevice{device, {}});
      for (const auto row : random_permutation(rows.n, random_stream(1, Draws::source_samples, 0))) {
        if (source.samples.n() == kSourceSamples) break;
        source.samples.add(rows.row(row), all[row]);
      }
      predictors.push_back(fit_source(features, source));
    }
    model = std::make_unique<BayesModel>(features, predictors, BayesOptions{},
                                         learn_prior(features, sources, BayesOptions{}, 1));
  }

  // The first n measurements.
  void sample(int n, std::vector<double>& z, std::vector<double>& y) const {
    std::vector<std::uint8_t> choices;
    y.clear();
    for (int i = 0; i < n; ++i) {
      const auto one = rows.row(order[i]);
      choices.insert(choices.end(), one.begin(), one.end());
      y.push_back(latency[order[i]]);
    }
    z = model->design(features.rows(choices));
  }

  void write_to(const std::string& folder) const {
    const auto& layout = model->layout();
    const auto& prior = model->prior();
    const std::vector<double> begin(layout.begin.begin(), layout.begin.end());
    write(folder + "/begin.bin", begin);
    write(folder + "/log_mean.bin", prior.log_mean);
    write(folder + "/deviation.bin", prior.deviation);
    write(folder + "/rho.bin", prior.rho);
    write(folder + "/direction.bin", model->direction());
    write(folder + "/gram.bin", model->gram());
    write(folder + "/space.bin", model->design(features.reference()));
  }
};

// `folder` "": times alone.
void measure(const std::string& space, const std::string& folder) {
  const Problem problem(space);
  const auto& model = *problem.model;
  const auto& all = problem.features.reference();
  if (!folder.empty()) problem.write_to(folder);
  for (const int n : kSamples) {
    std::vector<double> z, y, latency;
    problem.sample(n, z, y);
    AdaptedBayes adapted;
    ExpectedSrcc expected;
    const auto fit = [&] { adapted = model.adapt(z, y); };
    const auto predict = [&] { latency = model.latency_ms(adapted, all); };
    const auto expect = [&] { expected = model.expected_srcc(adapted); };
    const auto busy = std::clock();
    const Timing whole = time_median(kRepeats, [&] { fit(), predict(), expect(); });
    const double processor = static_cast<double>(std::clock() - busy) / CLOCKS_PER_SEC / (kRepeats + 1);
    const double parts[] = {time_median(kRepeats, fit).seconds_median, time_median(kRepeats, predict).seconds_median,
                            time_median(kRepeats, expect).seconds_median};
    if (!folder.empty()) {
      const std::string suffix = "_" + std::to_string(n) + ".bin";
      write(folder + "/z" + suffix, z);
      write(folder + "/y" + suffix, y);
      write(folder + "/latency" + suffix, latency);
    }
    char more[400];
    std::snprintf(
        more, sizeof(more),
        ", \"samples\": %d, \"columns\": %d, \"points\": %zu, \"processor_seconds\": %.4g, \"adapt_seconds\": %.4g, "
        "\"latency_seconds\": %.4g, \"expected_seconds\": %.4g, \"expected_srcc\": %.15g",
        n, model.layout().n_columns(), adapted.posterior.point_weights.size(), processor, parts[0], parts[1], parts[2],
        expected.value);
    report("adapt_" + space + "_" + std::to_string(n), all.n, Backend::cpu, whole, more);
  }
}

}  // namespace
}  // namespace oneproxy::bench

int main(int argc, char** argv) {
  using namespace oneproxy::bench;
  oneproxy::set_thread_count(1);
  std::vector<Case> cases;
  for (const std::string space : {"nasbench201", "fbnet"}) {
    if (argc == 4 && std::string_view(argv[1]) == "--measure" && space == argv[2]) {
      const std::string folder = argv[3];
      char* none[] = {argv[0], nullptr};
      return run_cases(1, none, {{space, [=] { measure(space, folder); }}});
    }
    cases.push_back({"adapt_" + space, [=] { measure(space, ""); }});
  }
  return run_cases(argc, argv, cases);
}
