#include "experiments/kinds/few_shot/settings.h"

#include <algorithm>

#include "experiments/experiment.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/engine/train/network.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::few_shot {
namespace {

// Each reader takes what `s` holds already for the defaults.
void read_fine_tune(Config& t, FineTuneSettings& s) {
  auto whole = [&](const char* key, std::vector<int>& values, std::int64_t low, std::int64_t high, const char* help) {
    const auto read = t.integers(key, {values.begin(), values.end()}, low, high, help);
    values.assign(read.begin(), read.end());
  };
  whole("hidden", s.hidden, 1, 1 << 16, "finetune: widths of the hidden layers");
  s.pretraining_epochs =
      t.integer("pretraining_epochs", s.pretraining_epochs, 1, 1000000, "finetune: on each source, at most");
  s.epochs = t.integer("epochs", s.epochs, 1, 1000000, "finetune: on the target, one step each");
  s.learning_rate = t.number("learning_rate", s.learning_rate, 1e-12, 1e3, "finetune: of AdamW on the target");
  whole("frozen_layers", s.frozen_layers, 0, 100, "finetune: layers kept as pretrained, from 0");
  s.last_layer_only = t.flag("last_layer_only", s.last_layer_only, "finetune: keeps all layers but the last");
  s.l2_sp = t.number("l2_sp", s.l2_sp, 0, 1e9, "finetune: pull towards the pretrained weights");
  if (s.hidden.empty()) throw Error(t.place("hidden") + ": hidden = [] has no layer; try [64, 64]");
  std::vector<char> frozen(s.hidden.size() + 1, s.last_layer_only);
  frozen.back() = 0;
  for (const int layer : s.frozen_layers) {
    if (layer >= static_cast<int>(frozen.size()))
      throw Error(t.place("frozen_layers") + ": frozen_layers names layer " + std::to_string(layer) + ", the last is " +
                  std::to_string(frozen.size() - 1));
    frozen[layer] = 1;
  }
  if (std::count(frozen.begin(), frozen.end(), 0) == 0)
    throw Error(t.place("frozen_layers") + ": all layers are frozen; leave one to train");
}

std::vector<std::int64_t> read_range(Config& t, const char* key, const std::vector<std::int64_t>& range,
                                     const std::string& help) {
  const auto read = t.integers(key, range, 0, std::int64_t{1} << 40,
                               help + " this range of the published numbering [first, last]; [] for all");
  if (!read.empty() && (read.size() != 2 || read[0] >= read[1]))
    throw Error(t.place(key) + ": " + key + " should be [first, last], first below last");
  return read;
}

void read_own(Config& t, Settings& s) {
  s.name = t.text("name", std::nullopt, "of the task, in the summary");
  s.space = s.space_reference = read_space(t);
  if (names_space_file(s.space)) s.space = SearchSpace::load(s.space).name();
  s.sources = t.texts("sources", {}, "devices with many measurements; \"all\" of the set but the target");
  s.targets = t.texts("targets", {}, "devices to adapt to; \"all\" of the set");
  s.published_names = t.texts("published_names", {}, "methods whose published SRCC stands beside ours");
  s.published_srcc = t.numbers("published_srcc", {}, -1, 1, "their published mean SRCC");
  if (s.published_names.size() != s.published_srcc.size())
    throw Error(t.place("published_srcc") + ": task " + s.name + " names " + std::to_string(s.published_names.size()) +
                " published methods and gives " + std::to_string(s.published_srcc.size()) + " values; give one each");
  if (s.sources.empty() || s.targets.empty())
    throw Error(t.place("sources") + ": task " + s.name + " needs sources and targets; name devices, or \"all\"");
}

// What is measured, and how often.
void read_samples(Config& t, Settings& s) {
  s.set = t.text("set", s.set, "set of measurements in the store");
  s.geometry = t.text("geometry", s.geometry, "data set whose shapes the physical features follow; \"\" is the first");
  s.proxies = t.one_of("proxies", s.proxies, {"together", "one"}, "sources together, or each alone as the proxy");
  s.pairs_below = t.number("pairs_below", s.pairs_below, -1, 1, "proxies = one: only pairs of a lower SRCC");
  s.samples_source = static_cast<int>(
      t.integer("samples_source", s.samples_source, 0, 1000000, "measurements of each source device; 0: all"));
  s.samples_target = static_cast<int>(t.integer("samples_target", s.samples_target, 1, 5000, "of each target"));
  s.curve = t.integers("curve", s.curve, 1, 5000, "further numbers of target samples; [] for none");
  s.trials = static_cast<int>(t.integer("trials", s.trials, 1, 100000, "repetitions with other draws"));
}

// How the target is adapted to, and over what it is judged.
void read_method(Config& t, Settings& s) {
  s.selection =
      parse_selection(t.one_of("selection", to_string(s.selection), {"random", "kmeans", "d_optimal", "a_optimal"},
                               "how the target's samples are chosen"));
  s.design = t.one_of("design", s.design, {"flat", "prior"}, "designs weigh all blocks alike, or as the prior does");
  s.method = t.one_of("method", s.method, {"adaproxy", "bayes", "finetune"}, "how the target is adapted to");
  if (s.method == "finetune" && !torch_compiled())
    throw Error(t.place("method") + ": method finetune trains with LibTorch, which this build is without; run " +
                "tools/fetch_torch.py and build again, or use bayes or adaproxy");
  read_fine_tune(t, s.fine_tune);
  s.prior = t.one_of("prior", s.prior, {"learnt", "stated", "flat"}, "bayes: where its hyper-parameters come from");
  s.split_sources = t.flag("split_sources", s.split_sources, "bayes: mean of the sources apart from deviations");
  s.norm = parse_norm(t.one_of("p", to_string(s.norm), {"1", "2", "inf"}, "adaproxy: norm of the penalty"));
  s.connected = t.flag("connected", s.connected, "designs choose among connected cells only (not random)");
  s.ablations = t.flag("ablations", s.ablations, "bayes: also without sources, without physical features");
  s.source_range = read_range(t, "source_official", s.source_range, "sources know only");
  s.test_range = read_range(t, "test_official", s.test_range, "SRCC over");
  s.trim = t.number("trim", s.trim, 0, 0.49, "share of the slowest and of the fastest left out of the SRCC");
}

}  // namespace

std::vector<Settings> read_tasks(Config& config, std::uint64_t seed) {
  Settings defaults;
  read_samples(config, defaults);
  read_method(config, defaults);
  std::vector<Settings> tasks;
  for (auto& table :
       config.tables("task", "a task: name, space, sources, targets, and any of the keys above for it alone")) {
    Settings s = defaults;
    read_own(table, s);
    read_samples(table, s);
    s.seed = static_cast<std::uint64_t>(
        table.integer("seed", static_cast<std::int64_t>(seed), 0, std::int64_t{1} << 62, "of all random draws"));
    read_method(table, s);
    for (const auto& other : tasks)
      if (other.name == s.name) throw Error(table.place("name") + ": there are two tasks '" + s.name + "'; rename one");
    tasks.push_back(std::move(s));
  }
  return tasks;
}

}  // namespace oneproxy::few_shot
