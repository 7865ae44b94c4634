#pragma once
// The commands of the program that are not experiments. Each returns what to print on standard output.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/cli/measurement_options.h"
#include "experiments/runner.h"

namespace oneproxy {

// `oneproxy info STORE`: spaces, sets, devices and metrics, look-up tables and predictors, with their
// sizes and sources.
std::string describe_store(const std::string& path);

// `oneproxy info SPACE.toml`: name, size, decisions and their choices.
std::string describe_space(const std::string& file);

// `oneproxy list`: kinds of experiment and the configurations that ship; small ones for tests are hidden otherwise.
std::string list_everything(bool with_smoke);

struct ImportOptions {
  std::string space, device, file;
  std::string store = "my_store.h5", set = "user";
  std::string source, licence, precision = "unknown";
  std::string metric;           // instead of a device
  std::string unit, direction;  // of a metric, "": as in the store; unit also of latencies, "": ms
  std::int64_t batch = 0;
  FileForm form;                     // of the file
  std::vector<std::string> devices;  // of a file of many: those to take; empty: all
};
// `oneproxy import`: a user's own device from a CSV file with columns arch, latency_ms and optionally repeat; without
// a name of the device all devices of a file with a column each, or with a column of their names.
std::string import_device(const ImportOptions& options);
// `oneproxy import --metric`: values of a metric from a CSV file with columns arch, the metric's (or value) and
// optionally repeat.
std::string import_metric(const ImportOptions& options);

struct ScoreOptions {
  std::string space, archs, out;        // archs "": architectures by index
  std::vector<std::string> predictors;  // as objectives are named: predictor:..., table:..., model:..., or a bare name
  std::string store, backend = "auto", precision = "fp64";
  std::string begin = "0", count;  // of indices; count "": to the end
  std::int64_t top = 0;            // so many best by the first predictor; 0: all
  std::string direction;           // which way that one is better, min or max; "": as it says itself
  bool force = false;              // `out` is replaced where it is there
  bool shuffled = false;
  std::uint64_t seed = 1;
  Shard shard = {};                   // this part alone, into a file of its own
  std::optional<Shards> merged = {};  // nothing is left to score: these have done it
};
// `oneproxy score`: one column a predictor, for a file of architectures or for a range of the space. Returns the file's
// name.
std::string score_architectures(const ScoreOptions& options);
// `oneproxy merge` of its shards; `out` "": the file that they were told.
std::string merge_scores(Shards shards, const std::string& out, bool force);

struct SearchOptions {
  RunOptions run;  // without a configuration: all keys come from the options
  std::string space, latency, quality, limits, method = "annealing", store;
  std::vector<std::string> objectives;  // beside latency and quality, or instead of them
  std::string seconds, evaluations;     // "" leaves the default
  std::string confidence;               // likewise
  std::string optimizer;                // file; "": none
  int best = 1;
  std::vector<std::string> fix;
};
// `oneproxy search`: an experiment of kind search from options alone. Returns its folder.
std::string search_space(SearchOptions options);

struct PruneOptions {
  std::string space, latency, quality, out;
  int keep = 0;
  std::string value = "gain", geometry, set, store;  // set "": the space's
  std::vector<std::string> limits;                   // with or without a unit; empty: quantiles, random architectures
  bool force = false;                                // `out` is replaced where it is there
  int contexts = 64;                                 // architectures in which the choices of a decision are compared
  std::int64_t evaluations = 20000;                  // of either space, where the truth can not be had
  std::uint64_t seed = 1;
};
// `oneproxy prune-space`: writes the file of a part of the space, and says what searching that part alone costs.
std::string prune_space(const PruneOptions& options);

struct PredictorImport {
  std::string file, space, name;  // name "": the file's
  std::string store = "my_store.h5", layout = "onehot";
  std::string target = "unknown", unit = "unknown", source, licence = "unknown";
};
// `oneproxy import --predictor FILE`: a trained Linear/ReLU stack (state_dict of torch, ONNX) into a store.
std::string import_predictor(const PredictorImport& options);

struct TrainOptions {
  RunOptions run;             // its `config` may be empty: then that of the space
  std::string space, target;  // "" leaves what the configuration says
  std::string out;            // file of the predictor; "" leaves it in the result folder only
};
// `oneproxy train`: the result folder, and below it `out`.
std::string train_predictor(TrainOptions options);

struct MakeOptimizerOptions {
  std::string space, set, store, out;  // set "": the space's
  std::vector<std::string> qualities, sources = {"all"};
  std::vector<std::string> keys;  // KEY=VALUE: how it is trained
  bool energy = false, force = false;
  std::uint64_t seed = 1;
};
// `oneproxy train-optimizer`: a network that answers a limit with an architecture, into a file.
std::string make_optimizer(const MakeOptimizerOptions& options);

struct AskOptimizerOptions {
  std::string optimizer, out;                  // optimizer "": exact answers
  std::string space;                           // "": the optimizer's
  std::vector<std::string> devices, energies;  // files of predictors, or as objectives are named
  std::vector<std::string> limits;             // with or without a unit; these,
  std::vector<double> preference;              // or this
  std::string quality;                         // "": the optimizer's first
  std::vector<std::string> sources;            // that it must be made from; empty: whatever they were
  int proposals = 10;
  bool force = false;      // `out` is replaced where it is there
  std::string set, store;  // set "": the space's
  std::uint64_t seed = 1;
};
// `oneproxy optimize`: architectures for devices under limits (exactly too), or by a preference.
std::string ask_optimizer(const AskOptimizerOptions& options);

// `oneproxy export RESULT --csv`: fronts, predictions and matrices of a result as CSV files in `to`
// ("" is RESULT/csv). Error where one is there with another content, unless `force`; nothing is written then.
std::string export_csv(const std::string& result, const std::string& to, bool force);

// `oneproxy arch`: one architecture in all its forms, with its cost. `form` is arch, index or official.
std::string describe_architecture(const std::string& space, const std::string& geometry, const std::string& form,
                                  const std::string& value, const std::string& store);

}  // namespace oneproxy
