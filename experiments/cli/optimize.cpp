// `oneproxy train-optimizer` and `oneproxy optimize`: architectures for many devices, by a trained network or exactly.
#include <algorithm>
#include <cmath>

#include "experiments/cli/commands.h"
#include "experiments/cli/new_file.h"
#include "experiments/kinds/scaling_up/settings.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/fleet/fleet_search.h"
#include "oneproxy/engine/optimizer/optimizer.h"
#include "oneproxy/engine/optimizer/train_optimizer.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/train/network.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

// What a name of an objective is found in.
struct Found {
  Found(const std::string& space_name, const std::string& set, const std::string& store_file)
      : store(store_file.empty() ? shipped_store() : store_file), space(SearchSpace::load(space_name)) {
    const auto known = store.spaces();
    if (std::find(known.begin(), known.end(), space.name()) != known.end())
      data.emplace(store, space, set.empty() ? space.measured_set() : set);
  }
  ObjectiveSources sources() const { return {space, data ? &*data : nullptr, store.path(), "", Backend::cpu}; }
  std::vector<Objective> qualities(const std::vector<std::string>& names) const {
    std::vector<Objective> all;
    for (const auto& name : names) all.push_back(make_objective(sources(), name, "--quality", Direction::maximise));
    return all;
  }
  // A file, or what objectives are named by: table:NAME, proxy:DEVICE, model:macs.
  std::shared_ptr<const Predictor> device(const std::string& what, const std::string& option) const {
    const bool is_file = what.find(':') == std::string::npos;
    auto objective = make_objective(sources(), is_file ? "table:" + what : what, option, Direction::minimise);
    if (!objective.model)
      throw Error(option + " " + what +
                  ": measurements of single architectures are no predictor; adapt to them first "
                  "(`oneproxy adapt`), or name table:, predictor: or proxy:");
    return objective.model;
  }

  Store store;
  SearchSpace space;
  std::optional<Measurements> data;
};

std::string unit_of(const Predictor& predictor) {
  return std::visit([](const auto& model) { return model.unit; }, predictor);
}

// What is answered, as a table for people and as CSV.
class Answers {
 public:
  Answers(const SearchSpace& space, const std::string& quality)
      : space_(space), table_({"device", "limit", "latency", quality, "architecture"}) {}

  void add(const std::string& device, std::optional<double> limit, std::span<const std::uint8_t> choices,
           double latency, double quality, std::optional<double> energy) {
    const auto arch = space_.to_string(choices);
    table_.row({device, limit ? plain(*limit) : "-", brief(latency), brief(quality), arch});
    csv_ += csv_field(device) + "," + (limit ? plain(*limit) : "") + "," + plain(latency) + "," + plain(quality) + "," +
            (energy ? plain(*energy) : "") + "," + csv_field(arch) + "\n";
  }
  // For standard output; the CSV goes to the file, where one is named.
  std::string text(const std::string& file) const {
    if (file.empty()) return table_.markdown();
    write_file_atomically(file, csv_);
    return table_.markdown() + "\n" + file + "\n";
  }

 private:
  const SearchSpace& space_;
  Table table_;
  std::string csv_ = "device,limit,latency,quality,energy,arch\n";
};

// Error where the optimizer was made from other sources, or other measurements of them, than those of the store.
void require_sources(const AskOptimizerOptions& options, const SavedOptimizer& saved, const Found& found) {
  SourceQuery query;
  query.set = options.set.empty() ? found.space.measured_set() : options.set;
  query.store = options.store;
  query.devices = options.sources;
  if (const auto seed = saved.record.find("seed"); seed != saved.record.end())  // of the draws of their measurements
    query.seed = static_cast<std::uint64_t>(std::get<std::int64_t>(seed->second));
  const auto features = std::make_shared<ArchitectureFeatures>(SearchSpace::load(found.space.reference()));
  const auto loaded = load_sources(features, query);
  check_sources(saved, loaded.sources.names(), checksum(loaded.sources.devices), options.optimizer);
}

// Without an optimizer: exactly.
std::string ask_exactly(const AskOptimizerOptions& options) {
  if (options.space.empty() || options.quality.empty() || options.limits.empty())
    throw Error("optimize: without --optimizer answers are exact, and need --space, --quality and --limit");
  if (!options.preference.empty() || !options.energies.empty())
    throw Error(
        "optimize: a preference and an energy are for an --optimizer; exact answers are for limits on a latency");
  const Found found(options.space, options.set, options.store);
  const auto quality = make_objective(found.sources(), options.quality, "--quality", Direction::maximise);
  const FleetSearch search(found.space, quality);
  std::vector<Predictor> devices;
  std::vector<double> limits;
  for (const auto& name : options.devices) {
    devices.push_back(*found.device(name, "--device"));
    const auto own = values_in_unit(options.limits, unit_of(devices.back()), "--limit");
    limits.insert(limits.end(), own.begin(), own.end());
  }
  const auto found_best = search.best(devices, limits, Backend::cpu);
  Answers answers(found.space, options.quality);
  for (std::size_t i = 0; i < found_best.size(); ++i) {
    const auto& device = options.devices[i / options.limits.size()];
    const auto& best = found_best[i];
    if (best.found())
      answers.add(device, limits[i], best.choices, best.latency, best.quality, std::nullopt);
    else
      log_warning(device + ": no architecture keeps " + plain(limits[i]));
  }
  return answers.text(options.out);
}

}  // namespace

std::string make_optimizer(const MakeOptimizerOptions& options) {
  require_torch();
  require_new_file(options.out, options.force);
  if (options.qualities.empty()) throw Error("train-optimizer: name at least one --quality to maximise");
  const Found found(options.space, options.set, options.store);
  auto features = std::make_shared<ArchitectureFeatures>(SearchSpace::load(options.space));
  OptimizerSettings settings;
  auto keys = Config::load("", options.keys);
  scaling_up::read_optimizer(keys, settings);
  keys.finish();
  settings.data.energy = options.energy;
  settings.data.seed = settings.training.seed = options.seed;
  SourceQuery query;
  query.set = options.set.empty() ? found.space.measured_set() : options.set;
  query.store = options.store;
  query.devices = options.sources;
  query.seed = options.seed;
  const auto loaded = load_sources(features, query);
  const auto qualities = found.qualities(options.qualities);
  const LatencyBasis basis(loaded.sources);
  const auto optima = make_optima(found.space, qualities, features->reference_choices());
  log_info("exact answers about " + std::to_string(settings.data.devices) + " generated devices");
  const auto set = make_training_set(basis, *optima, static_cast<int>(qualities.size()), settings.data);
  const auto saved = train_optimizer(loaded.sources, *optima, options.qualities, set, settings);
  save_optimizer(options.out, saved);
  return "trained on " + std::to_string(set.examples.size()) + " exact answers about " +
         std::to_string(set.devices.size()) + " devices made from " + std::to_string(loaded.sources.devices.size()) +
         " sources\n" + options.out + "\n";
}

std::string ask_optimizer(const AskOptimizerOptions& options) {
  require_new_file(options.out, options.force);
  if (options.optimizer.empty()) return ask_exactly(options);
  const auto saved = load_optimizer(options.optimizer);
  const Found found(options.space.empty() ? saved.space : options.space, options.set, options.store);
  if (!options.sources.empty()) require_sources(options, saved, found);
  const Optimizer optimizer(saved, found.space, found.qualities(saved.qualities), options.optimizer);
  if (options.limits.empty() == options.preference.empty())
    throw Error("optimize: give either --limit or --preference");
  if (!options.energies.empty() && options.energies.size() != options.devices.size())
    throw Error("--energy: " + count_of(std::ssize(options.energies), "predictor") + " for " +
                count_of(std::ssize(options.devices), "device") + "; give one for each, in order");
  Optimizer::Question question;
  question.proposals = options.proposals;
  question.seed = options.seed;
  question.quality = options.quality.empty() ? 0 : quality_index(saved.qualities, options.quality, options.optimizer);
  if (options.preference.size() > question.preference.size())
    throw Error("--preference: " + std::to_string(options.preference.size()) +
                " weights; give those of quality, latency and, where it was trained with one, energy");
  std::copy(options.preference.begin(), options.preference.end(), question.preference.begin());
  Answers answers(found.space, saved.qualities[question.quality]);
  for (std::size_t d = 0; d < options.devices.size(); ++d) {
    const auto latency = found.device(options.devices[d], "--device");
    const auto energy = options.energies.empty() ? nullptr : found.device(options.energies[d], "--energy");
    const auto device = optimizer.device(*latency, energy.get());
    if (!device.remark.empty()) log_warning(options.devices[d] + ": " + device.remark);
    const auto values = values_in_unit(options.limits, unit_of(*latency), "--limit");
    std::vector<std::optional<double>> limits(values.begin(), values.end());
    if (limits.empty()) limits.push_back(std::nullopt);
    for (const auto& limit : limits) {
      question.limit = limit;
      const auto answer = optimizer.answer(device, question);
      if (answer.choices.empty()) {
        log_warning(options.devices[d] + ": none of " + std::to_string(answer.n_proposals) + " proposals keeps " +
                    plain(*limit) + "; ask for more --proposals, or take `oneproxy search`");
        continue;
      }
      answers.add(options.devices[d], limit, answer.choices, answer.latency, answer.quality,
                  energy ? std::optional(answer.energy) : std::nullopt);
    }
  }
  return answers.text(options.out);
}

}  // namespace oneproxy
