#include "experiments/kinds/limits_kept/settings.h"

#include <algorithm>

#include "experiments/experiment.h"
#include "experiments/kinds/confidence_key.h"
#include "oneproxy/engine/space/space_file.h"

namespace oneproxy::limits_kept {
namespace {

// Takes what `s` holds already for the defaults.
void read_common(Config& t, Settings& s) {
  s.set = t.text("set", s.set, "set of measurements in the store");
  s.geometry = t.text("geometry", s.geometry, "data set whose shapes the physical features follow; \"\" is the first");
  s.samples_source = static_cast<int>(
      t.integer("samples_source", s.samples_source, 0, 1000000, "measurements of each source device; 0: all"));
  s.samples_target = static_cast<int>(t.integer("samples_target", s.samples_target, 3, 5000, "of each target"));
  s.trials = static_cast<int>(t.integer("trials", s.trials, 1, 100000, "repetitions with other draws"));
  s.confidences = t.numbers("confidences", s.confidences, 0, 1, "with which limits are to hold, each beside none");
  for (const double confidence : s.confidences) {
    check_confidence(confidence, t.location("confidences"));
    if (confidence == 0) throw Error(t.location("confidences") + ": 0 is always shown; leave it out");
  }
  s.limits = t.numbers("limits", s.limits, 0, 1, "quantiles of the target's latencies");
  if (s.confidences.empty() || s.limits.empty())
    throw Error(t.location("limits") + ": limits and confidences need a value each");
  s.method.read(t);
}

void read_own(Config& t, Settings& s) {
  s.name = t.text("name", std::nullopt, "of the task, in the summary");
  s.space = s.space_reference = read_space(t);
  if (names_space_file(s.space)) s.space = SearchSpace::load(s.space).name();
  s.targets = t.texts("targets", {"all"}, "devices to adapt to; \"all\" of the set");
  s.sources =
      t.texts("sources", {"all"}, "devices with many measurements: \"all\" of the set but the target, \"none\"");
  s.quality = t.text("quality", std::nullopt, "what searches maximise: metric:NAME, metric:SET:NAME, model:macs");
  const auto over =
      t.one_of("over", "rows", {"rows", "space"},
               "searched: rows of the set, whose latencies are the truth; or the whole space, where a fit "
               "to all of the target's latencies, with its residuals, is");
  s.over = over == "space" ? Over::space : Over::rows;
}

}  // namespace

std::vector<Settings> read_tasks(Config& config, std::uint64_t seed) {
  Settings defaults;
  read_common(config, defaults);
  std::vector<Settings> tasks;
  for (auto& table :
       config.tables("task", "a task: name, space, quality, targets, and any of the keys above for it alone")) {
    Settings s = defaults;
    read_own(table, s);
    read_common(table, s);
    s.seed = seed;
    for (const auto& other : tasks) {
      if (other.name == s.name)
        throw Error(table.location("name") + ": there are two tasks '" + s.name + "'; rename one");
      if (other.confidences != s.confidences)
        throw Error(table.location("confidences") + ": the summary is over all tasks: they have the same confidences");
    }
    tasks.push_back(std::move(s));
  }
  return tasks;
}

}  // namespace oneproxy::limits_kept
