#include "experiments/experiment.h"

#include <algorithm>

#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::vector<std::int64_t> subset(const Store& store, const std::string& space, const std::string& set, std::int64_t k,
                                 std::uint64_t seed) {
  if (k == 0) return {};
  const std::int64_t n = store.rows(space, set).n;
  if (k > n)
    throw Error("architectures = " + std::to_string(k) + ": set " + set + " of space " + space + " has " +
                std::to_string(n) + "; ask for fewer, or 0 for all");
  auto rows = random_permutation(n, random_stream(seed, Draws::architecture_subset, 0));
  rows.resize(k);
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

SpaceData::SpaceData(const Store& store, const std::string& reference, const std::string& set,
                     const std::string& geometry, std::int64_t n_architectures, std::uint64_t seed)
    : space(SearchSpace::load(reference, geometry)),
      data(store, space, set, subset(store, space.name(), set, n_architectures, seed)) {}

void SpaceData::label(LabelledArrays& arrays) const {
  label_space(arrays, space);
  arrays.set_attribute("/", "set", data.set());
  arrays.set_attribute("/", "n", data.n());
}

std::string read_space(Config& config, SpaceParts parts) {
  const std::string reference = config.name_or_file(
      "space", ".toml", "search space: one that ships, for example nasbench201 or fbnet, or a file (*.toml)");
  if (parts == SpaceParts::taken || !names_space_file(reference)) return reference;
  const SearchSpace space = SearchSpace::load(reference);
  if (!space.kept().empty())
    throw Error(config.location("space") + ": space = \"" + reference + "\" is a part of " + space.name() +
                ", and this kind of experiment works on whole sets of measurements; use space = \"" + space.whole() +
                "\" (kinds search and searchers take parts)");
  return reference;
}

DataSettings DataSettings::read(Config& config, SpaceParts parts) {
  DataSettings settings;
  settings.space = settings.space_reference = read_space(config, parts);
  std::string set = "help";
  if (!settings.space.empty()) {
    const SearchSpace space = SearchSpace::load(settings.space);
    settings.space = space.name();
    set = space.measured_set();
  }
  settings.set = config.text("set", set, "set of measurements in the store (default: the space's own)");
  settings.geometry =
      config.text("geometry", "", "data set whose shapes MACs and parameters follow; \"\" is the first");
  settings.n_architectures =
      config.integer("architectures", 0, 0, std::int64_t{1} << 40, "work on so many random rows of the set; 0 is all");
  if (settings.n_architectures == 1)
    throw Error(config.location("architectures") + ": one architecture has no rank; ask for 2 or more, or 0 for all");
  return settings;
}

std::unique_ptr<SpaceData> DataSettings::open(const Store& store, std::uint64_t seed) const {
  return std::make_unique<SpaceData>(store, space_reference, set, geometry, n_architectures, seed);
}

AdaProxySettings AdaProxySettings::read(Config& config) {
  AdaProxySettings settings;
  settings.norm = parse_norm(config.one_of("p", "2", {"1", "2", "inf"}, "norm of AdaProxy's penalty"));
  settings.budget.training =
      static_cast<int>(config.integer("samples_train", 60, 3, 1000000, "measurements that fit the adaptation"));
  settings.budget.validation =
      static_cast<int>(config.integer("samples_validation", 10, 2, 1000000, "measurements that choose lambda"));
  return settings;
}

const std::vector<ExperimentKind>& experiment_kinds() {
  const std::vector<Backend> any = {Backend::cpu, Backend::cuda};
  static const std::vector<ExperimentKind> kinds = {
      {"monotonicity", "rank correlation of latencies between devices (SRCC, Kendall), and which proxies are strong",
       any, read_monotonicity},
      {"adaproxy", "one proxy's predictor adapted to each target with few measurements", any, read_adaproxy},
      {"front_transfer", "Pareto fronts for each target: its own, the proxy's, AdaProxy's", any, read_front_transfer,
       "pareto_search"},
      {"search", "best architectures under latency limits: all scored, proven, or the best found", any, read_search},
      {"searchers",
       "search methods with the same budgets on the same objectives, held against the truth",
       {Backend::cpu},
       read_searchers},
      {"train_predictor", "a multilayer perceptron trained on measurements, and how well it predicts unseen ones", any,
       read_train_predictor},
      {"accuracy_model",
       "a stand-in for accuracy, learnt on networks that were trained, and how well it ranks others",
       {Backend::cpu},
       read_accuracy_model},
      {"few_shot",
       "adaptation to targets with a handful of measurements, many sources or one",
       {Backend::cpu},
       read_few_shot},
      {"limits_kept",
       "whether what searches under adapted predictors answer keeps its limits on the device, and at what confidence",
       {Backend::cpu},
       read_limits_kept},
      {"front_loop",
       "how many measurements the true front of a device needs: chosen in a loop, beside a plan, AdaProxy and random "
       "ones",
       {Backend::cpu},
       read_front_loop},
      {"device_features",
       "which description of a device predicts it best: data sheet, reference latencies, adapted predictor",
       {Backend::cpu},
       read_device_features},
      {"proxy_sweep", "every device as the proxy of every other: which one, or which few, serve a fleet", any,
       read_proxy_sweep},
      {"neural_optimizer",
       "a network that answers with an architecture, on devices it has not seen, beside exact and evolutionary search",
       {Backend::cpu},
       read_neural_optimizer},
      {"cost_of_n_devices",
       "measurements and seconds for 1 to 1,000 devices, by the ways there are, with what they lose and break",
       {Backend::cpu},
       read_cost_of_n_devices},
      {"reproduce_nb201", "the paper's NAS-Bench-201 figures, ours beside the published", any, read_reproduce_nb201},
  };
  return kinds;
}

std::vector<double> distinct_limits(const std::vector<double>& limits_ms) {
  std::vector<double> distinct;
  for (const double limit : limits_ms) {
    const auto same = [&](double other) { return key_number(other) == key_number(limit); };
    if (std::none_of(distinct.begin(), distinct.end(), same)) distinct.push_back(limit);
  }
  return distinct;
}

}  // namespace oneproxy
