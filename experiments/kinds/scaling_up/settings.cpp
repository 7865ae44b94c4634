#include "experiments/kinds/scaling_up/settings.h"

#include <cmath>
#include <limits>
#include <sstream>

#include "experiments/experiment.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::scaling_up {
namespace {

// "eyeriss: 5, 7, 9"
void read_limits(Config& t, Settings& s) {
  for (const auto& text :
       t.texts("limits_ms", {}, "limits of single devices, \"DEVICE: 5, 7, 9\"; others: limits_at")) {
    const auto colon = text.find(':');
    std::vector<double> limits;
    std::istringstream in(colon == std::string::npos ? "" : text.substr(colon + 1));
    for (std::string part; std::getline(in, part, ',');) {
      std::size_t end = 0;
      double limit = 0;
      try {
        limit = std::stod(part, &end);
      } catch (const std::exception&) {
        end = 0;
      }
      if (end == 0 || part.find_first_not_of(" \t", end) != std::string::npos || !(limit > 0) || !std::isfinite(limit))
        throw Error(t.location("limits_ms") + ": '" + part + "' in '" + text +
                    "' is no latency; write \"DEVICE: 5, 7\"");
      limits.push_back(limit);
    }
    if (limits.empty())
      throw Error(t.location("limits_ms") + ": '" + text + "' names no limit; write \"DEVICE: 5, 7\"");
    s.limits_ms[text.substr(0, colon)] = limits;
  }
}

// Of the cost of n devices alone.
void read_fleet(Config& t, FleetSettings& s) {
  s.n = t.integers("n", s.n, 1, 1000000, "numbers of devices, the first of the fleet");
  s.targets =
      t.texts("targets", s.targets, "real devices that the fleet begins with, sources aside; \"all\" of the set");
  s.generated = static_cast<int>(t.integer("generated", s.generated, 0, 1000000, "plausible devices after them"));
  s.proxy = t.text("proxy", s.proxy, "the one proxy, one of the sources; \"\": the one that is most like the others");
  s.samples_each = static_cast<int>(
      t.integer("samples_each", s.samples_each, 3, 1000000, "measurements for a predictor of its own"));
  s.samples_adaproxy =
      static_cast<int>(t.integer("samples_adaproxy", s.samples_adaproxy, 5, 1000000, "of AdaProxy, a device"));
  s.front_points = static_cast<int>(
      t.integer("front_points", s.front_points, 2, 100000, "limits at which a front is taken, that is then measured"));
  s.optimizer = t.flag("optimizer", s.optimizer, "also the neural optimizer, which needs LibTorch");
}

// Of the neural optimizer's experiment alone.
void read_rivals(Config& t, Settings& s) {
  s.trials = static_cast<int>(t.integer("trials", s.trials, 1, 1000, "repetitions with other draws"));
  s.evaluations = t.integers("evaluations", s.evaluations, 1, 10000000,
                             "of random and evolutionary search on the adapted predictor; [] for none");
  s.ablations =
      t.flag("ablations", s.ablations,
             "also an optimizer of independent decisions, one without labels, one trained on the sources alone");
  s.label_free_steps = t.integer("label_free_steps", s.label_free_steps, 1, 100000000,
                                 "of the training without labels, at most; they are slow on a small space");
}

// Who is judged, of the same.
void read_held_out(Config& t, Settings& s) {
  for (auto& family : t.tables("family", "devices that are left out together and judged; none: each device alone")) {
    const auto name = family.text("name", std::nullopt, "of the family, for people");
    s.held_out.push_back(family.texts("devices", {}, "its devices"));
    if (s.held_out.back().empty())
      throw Error(family.location("devices") + ": family " + name + " has no devices; name some");
  }
  const double none = -std::numeric_limits<double>::max();
  const double worst = t.number("worst_quality", none, none, std::numeric_limits<double>::max(),
                                "corner of the hypervolume; what is worse is on no front");
  if (worst > none) s.worst_quality = worst;
  read_limits(t, s);
}

void read_shared(Config& t, Settings& s, Kind kind) {
  s.set = t.text("set", s.set, "set of measurements in the store");
  s.geometry = t.text("geometry", s.geometry, "data set whose shapes the physical features follow; \"\" is the first");
  s.limits_at = t.numbers("limits_at", s.limits_at, 0, 1, "limits at these quantiles of the true latencies");
  s.limits_of_range = t.flag("limits_of_range", s.limits_of_range, "limits_at are shares of their range instead");
  s.samples_source =
      static_cast<int>(t.integer("samples_source", s.samples_source, 3, 1000000, "measurements of each source device"));
  s.samples_target = static_cast<int>(t.integer("samples_target", s.samples_target, 3, 5000, "of each target"));
  s.proposals = t.integers("proposals", s.proposals, 2, 10000, "of the optimizer, of which the best is taken");
  kind == Kind::neural_optimizer ? read_rivals(t, s) : read_fleet(t, s.fleet);
  s.method.read(t);
  read_optimizer(t, s.optimizer);
}

}  // namespace

void read_optimizer(Config& t, OptimizerSettings& settings) {
  auto& [data, training] = settings;
  data.devices = static_cast<int>(t.integer("devices", data.devices, 0, 1000000, "generated to train on"));
  data.generator.pca_share =
      t.number("pca_share", data.generator.pca_share, 0, 1, "of them along the sources' components");
  data.generator.mixture_share =
      t.number("mixture_share", data.generator.mixture_share, 0, 1, "of them mixtures; the rest: physics");
  data.limits = static_cast<int>(t.integer("limits", data.limits, 0, 100000, "limits to learn, a device and quality"));
  data.preferences =
      static_cast<int>(t.integer("preferences", data.preferences, 0, 100000, "preferences to learn, likewise"));
  data.temperature = t.number("temperature", data.temperature, 1e-6, 1e6,
                              "of the labels, in spreads of the quality: how much worse an answer may be");
  training.steps = t.integer("steps", training.steps, 1, 100000000, "of the optimizer's training");
  training.batch = t.integer("batch", training.batch, 1, 1000000, "examples a step");
  training.learning_rate = t.number("learning_rate", training.learning_rate, 1e-8, 1, "falls to 0 along a half cosine");
}

std::vector<Settings> read_tasks(Config& config, std::uint64_t seed, Kind kind) {
  Settings defaults;
  defaults.worst_quality = std::numeric_limits<double>::quiet_NaN();
  read_shared(config, defaults, kind);
  std::vector<Settings> tasks;
  for (auto& t : config.tables("task", "a task: name, space, qualities, and any of the keys above for it")) {
    Settings s = defaults;
    s.name = t.text("name", std::nullopt, "of the task, in the summary");
    s.space = s.space_reference = read_space(t);
    if (names_space_file(s.space)) s.space = SearchSpace::load(s.space).name();
    s.qualities = t.texts("qualities", {},
                          "what is maximised: metric:NAME, table:NAME, model:macs; the optimizer "
                          "learns all of them");
    s.sources =
        t.texts("sources", s.sources, "devices to learn from, those that are held out aside; \"all\" of the set");
    if (kind == Kind::neural_optimizer) read_held_out(t, s);
    read_shared(t, s, kind);
    if (kind == Kind::cost_of_n_devices) s.ablations = false;
    s.seed = s.optimizer.data.seed = s.optimizer.training.seed = seed;
    if (s.qualities.empty())
      throw Error(t.location("name") + ": task " + s.name + " needs qualities, for example \"model:macs\"");
    for (const auto& other : tasks)
      if (other.name == s.name) throw Error(t.location("name") + ": there are two tasks '" + s.name + "'; rename one");
    tasks.push_back(std::move(s));
  }
  return tasks;
}

}  // namespace oneproxy::scaling_up
