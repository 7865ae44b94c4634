#pragma once
// A kind of experiment: reads its keys, resolves its names, runs. One small file a kind composes the parts
// of the engine; what every kind needs (store, space, result folder, provenance) is here.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiments/labels.h"
#include "oneproxy/engine/adapt/adaproxy/trial.h"
#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/base/provenance.h"
#include "oneproxy/engine/base/summary.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/share/sharing.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

// One space with the measurements of one set, at a fixed address (the parts refer to each other).
class SpaceData {
 public:
  // space: the name of one that ships, or the path of its file.
  SpaceData(const Store& store, const std::string& space, const std::string& set, const std::string& geometry,
            std::int64_t n_architectures, std::uint64_t seed);
  SpaceData(const SpaceData&) = delete;
  SpaceData& operator=(const SpaceData&) = delete;
  const SearchSpace space;
  const Measurements data;

  // What the pictures and exports say about the data.
  void label(LabelledArrays& arrays) const;
};

// Whether a kind of experiment takes the file of a part of a space: those that draw architectures of the space do;
// those that work on all rows of a set would pass over it.
enum class SpaceParts { refused, taken };

// A key `space`: the name of one that ships, or a file (*.toml). Returns what SearchSpace::load takes.
std::string read_space(Config& config, SpaceParts parts = SpaceParts::refused);

// The keys that say which data: space, set, geometry, architectures.
struct DataSettings {
  std::string space;            // its name
  std::string space_reference;  // what loads it: the name, or the path of its file
  std::string set, geometry;
  std::int64_t n_architectures = 0;  // 0: all rows of the set
  static DataSettings read(Config& config, SpaceParts parts = SpaceParts::refused);
  std::unique_ptr<SpaceData> open(const Store& store, std::uint64_t seed) const;
};

// The keys of AdaProxy: p, samples_train, samples_validation.
struct AdaProxySettings {
  Norm norm = Norm::l2;
  SampleBudget budget;
  static AdaProxySettings read(Config& config);
};

// What a running experiment writes to.
struct Workspace {
  Backend backend = Backend::cpu;
  Summary summary;
  std::optional<LabelledArrays> arrays;
  std::string folder;    // of the result while it is made: for files of a kind's own
  Sharing sharing;       // with whom the work is done; its state survives a kill, and goes when the result is finished
  std::string identity;  // of settings and data, a line each
  std::string report;    // Markdown; grows as the run goes on
  Timings timings;
};

class Experiment {
 public:
  virtual ~Experiment() = default;
  // Opens the data and resolves every name, so that errors come before work. `oneproxy check` stops here.
  virtual void prepare(const Store& store) = 0;
  // A shard ends after the work that is shared: what follows would be of a part.
  virtual void run(Workspace& work) = 0;
  // Why several processes can not share its work, with the remedy; "" where they can. Known after prepare().
  virtual std::string why_not_shared() const {
    return "this kind of experiment does not share its work; few_shot, proxy_sweep, adaproxy, searchers and search "
           "with method = \"exhaustive\" do";
  }
  virtual std::vector<std::string> spaces() const = 0;  // whose data the result depends on
  // What else it depends on, for example the checksum of a predictor's file; known after prepare().
  virtual std::string other_data() const { return ""; }
};

struct ExperimentKind {
  std::string name, description;
  std::vector<Backend> backends;  // those that its work can use; the others are refused
  std::function<std::unique_ptr<Experiment>(Config& config, std::uint64_t seed)> read;
  std::string former_name = "";  // accepted with a warning
};

const std::vector<ExperimentKind>& experiment_kinds();

std::unique_ptr<Experiment> read_monotonicity(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_adaproxy(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_front_transfer(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_search(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_accuracy_model(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_searchers(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_train_predictor(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_few_shot(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_limits_kept(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_front_loop(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_device_features(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_neural_optimizer(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_cost_of_n_devices(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_proxy_sweep(Config& config, std::uint64_t seed);
std::unique_ptr<Experiment> read_reproduce_nb201(Config& config, std::uint64_t seed);

// The spaces of tasks, each once, in order: what Experiment::spaces of a kind with tasks is.
template <class Tasks>
std::vector<std::string> spaces_of(const Tasks& tasks) {
  std::vector<std::string> names;
  for (const auto& task : tasks)
    if (std::find(names.begin(), names.end(), task.space) == names.end()) names.push_back(task.space);
  return names;
}

// Latency limits without those that would have the same name in the summary, in order.
std::vector<double> distinct_limits(const std::vector<double>& limits_ms);

}  // namespace oneproxy
