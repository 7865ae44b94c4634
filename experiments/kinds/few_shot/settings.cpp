#include "experiments/kinds/few_shot/settings.h"

#include <algorithm>

#include "experiments/experiment.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::few_shot {
namespace {

// Each reader takes what `s` holds already for the defaults.
std::vector<std::int64_t> read_range(Config& t, const char* key, const std::vector<std::int64_t>& range,
                                     const std::string& help) {
  const auto read = t.integers(key, range, 0, std::int64_t{1} << 40,
                               help + " this range of the published numbering [first, last]; [] for all");
  if (!read.empty() && (read.size() != 2 || read[0] >= read[1]))
    throw Error(t.location(key) + ": " + key + " should be [first, last], first below last");
  return read;
}

void read_own(Config& t, Settings& s) {
  s.name = t.text("name", std::nullopt, "of the task, in the summary");
  s.space = s.space_reference = read_space(t);
  if (names_space_file(s.space)) s.space = SearchSpace::load(s.space).name();
  s.sources = t.texts("sources", {}, "devices with many measurements; \"all\" of the set but the target, or \"none\"");
  s.targets = t.texts("targets", {}, "devices or metrics (metric:NAME) to adapt to; \"all\" devices of the set");
  s.published_names = t.texts("published_names", {}, "methods whose published SRCC stands beside ours");
  s.published_srcc = t.numbers("published_srcc", {}, -1, 1, "their published mean SRCC");
  if (s.published_names.size() != s.published_srcc.size())
    throw Error(t.location("published_srcc") + ": task " + s.name + " names " +
                std::to_string(s.published_names.size()) + " published methods and gives " +
                std::to_string(s.published_srcc.size()) + " values; give one each");
  if (s.sources.empty() || s.targets.empty())
    throw Error(t.location("sources") + ": task " + s.name +
                " needs sources and targets; name devices, or \"all\" (or \"none\" as sources)");
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
  s.design.selection = parse_selection(
      t.one_of("selection", to_string(s.design.selection), selection_names(), "how the target's samples are chosen"));
  const bool flat = s.design.scales == DesignScales::flat;
  const auto scales = t.one_of("design", flat ? "flat" : "prior", {"flat", "prior"},
                               "designs weigh all blocks the same, or as the prior does");
  s.design.scales = scales == "prior" ? DesignScales::prior : DesignScales::flat;
  s.design.connected_only =
      t.flag("connected", s.design.connected_only, "designs choose among connected cells only (not random)");
  s.method.read(t);
  s.ablations = t.flag("ablations", s.ablations, "also the method without some of its parts, where it has parts");
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
    if (s.without_sources() && s.one_proxy())
      throw Error(table.location("sources") + ": task " + s.name +
                  " has sources = \"none\" and proxies = \"one\"; name sources, or leave proxies out");
    s.seed = static_cast<std::uint64_t>(
        table.integer("seed", static_cast<std::int64_t>(seed), 0, std::int64_t{1} << 62, "of all random draws"));
    read_method(table, s);
    for (const auto& other : tasks)
      if (other.name == s.name)
        throw Error(table.location("name") + ": there are two tasks '" + s.name + "'; rename one");
    tasks.push_back(std::move(s));
  }
  return tasks;
}

}  // namespace oneproxy::few_shot
