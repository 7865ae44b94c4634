#include "experiments/kinds/front_loop/settings.h"

#include <algorithm>

#include "experiments/experiment.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::front_loop {
namespace {

// Takes what `s` holds already for the defaults.
void read_common(Config& t, Settings& s) {
  s.set = t.text("set", s.set, "set of measurements in the store");
  s.geometry = t.text("geometry", s.geometry, "data set whose shapes the physical features follow; \"\" is the first");
  s.proxy = t.text("proxy", s.proxy, "device whose predictor AdaProxy adapts; \"\": the first of the sources");
  s.samples_source = static_cast<int>(
      t.integer("samples_source", s.samples_source, 0, 1000000, "measurements of each source device; 0: all"));
  s.trials =
      static_cast<int>(t.integer("trials", s.trials, 1, 100000, "repetitions with other draws of what is known"));
  s.within =
      t.number("within", s.within, 0, 1e15, "regret at a given limit that counts as none, in the quality's unit");
}

// Counts ascending, each once: they are keys of the summary.
std::vector<std::int64_t> counts(Config& t, const std::string& key, const std::vector<std::int64_t>& usual,
                                 std::int64_t least, const std::string& meaning) {
  auto found = t.integers(key, usual, least, 1000, meaning);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty()) throw Error(t.location(key) + ": " + key + " needs a value");
  return found;
}

std::vector<double> quantiles(Config& t, const std::string& key, const std::vector<double>& usual,
                              const std::string& meaning) {
  auto found = t.numbers(key, usual, 0, 1, meaning);
  if (found.empty()) throw Error(t.location(key) + ": " + key + " needs a value");
  return found;
}

void read_file(Config& t, Settings& s) {
  s.measured = counts(t, "measured", s.measured, 1, "numbers of measurements that are reported");
  s.limits_measured = counts(t, "limits_measured", s.limits_measured, 1, "the same of the loop that is given limits");
  s.plans = counts(t, "plans", s.plans, 3, "measurements of a plan, after which its front is measured");
  s.limits = quantiles(t, "limits", s.limits, "quantiles of the target's latencies that the loop is given as limits");
  s.regret_limits =
      quantiles(t, "regret_limits", s.regret_limits, "quantiles of the target's latencies at which fronts are judged");
  s.repeats = counts(t, "repeats", s.repeats, 1,
                     "measurements of each answer of a loop with limits on a device that scatters; each a loop");
  s.batch = static_cast<int>(t.integer("batch", s.batch, 1, 100, "measurements of a round of the loop"));
  s.floor = t.number("floor", s.floor, 0, 0.99, "quantile of the quality below which a network counts for nothing");
  s.stop_gain = t.number("stop_gain", s.stop_gain, 0, 1, "expected gain, as a share, at which the loop would stop");
  const auto adapt = AdaProxySettings::read(t);
  s.norm = adapt.norm;
  s.budget = adapt.budget;
}

void read_own(Config& t, Settings& s) {
  s.name = t.text("name", std::nullopt, "of the task, in the summary");
  s.space = s.space_reference = read_space(t);
  if (names_space_file(s.space)) s.space = SearchSpace::load(s.space).name();
  s.targets = t.texts("targets", {"all"}, "devices whose front is looked for; \"all\" of the set");
  s.sources = t.texts("sources", {"all"}, "devices that are known: \"all\" of the set but the target, or these");
  s.qualities =
      t.texts("qualities", {}, "what is maximised, one front each: metric:SET:NAME, model:macs, model:accuracy");
  if (s.qualities.empty())
    throw Error(t.location("qualities") + ": a task needs a quality: qualities = [\"model:macs\"]");
  const auto over =
      t.one_of("over", "rows", {"rows", "space"},
               "networks are rows of the set, whose latencies are the truth; or of the whole space, where a fit to all "
               "of the target's latencies is, and a measurement has one of its residuals");
  s.over = over == "space" ? Over::space : Over::rows;
}

}  // namespace

std::vector<Settings> read_tasks(Config& config, std::uint64_t seed) {
  Settings defaults;
  read_common(config, defaults);
  read_file(config, defaults);
  defaults.seed = seed;
  std::vector<Settings> tasks;
  for (auto& table : config.tables("task",
                                   "a task: name, space, qualities, targets, sources, over, and set, geometry, proxy, "
                                   "samples_source, trials, within for it alone")) {
    Settings s = defaults;
    read_own(table, s);
    read_common(table, s);
    for (const auto& other : tasks)
      if (other.name == s.name)
        throw Error(table.location("name") + ": there are two tasks '" + s.name + "'; rename one");
    tasks.push_back(std::move(s));
  }
  return tasks;
}

}  // namespace oneproxy::front_loop
