#include "experiments/kinds/device_features/settings.h"

#include <algorithm>

#include "experiments/experiment.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/space/space_file.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::device_features {
namespace {

template <class Named>
void require_new(const std::vector<Named>& known, const std::string& name, const std::string& what,
                 const Config& table) {
  for (const auto& other : known)
    if (other.name == name)
      throw Error(table.location("name") + ": there are two " + what + " '" + name + "'; rename one");
}

std::vector<DataSheet> read_sheets(Config& config) {
  const auto file = config.name_or_file("data_sheets", ".toml", "data sheets of the devices: a file (*.toml), or none");
  if (file.ends_with(".toml")) return read_data_sheets(file);
  if (file.empty() || file == "none") return {};  // empty: the keys are listed
  throw Error(config.location("data_sheets") + ": data_sheets = \"" + file +
              "\" should be a file (*.toml) with a [[device]] each, or \"none\"");
}

Feature read_feature(Config& table, int trials) {
  Feature feature;
  feature.name = table.text("name", std::nullopt, "of the feature, in the summary");
  feature.trials = static_cast<int>(table.integer("trials", trials, 1, trials, "repetitions, at most the file's"));
  feature.method.read(table);
  return feature;
}

TaskSettings read_task(Config& table) {
  TaskSettings task;
  task.name = table.text("name", std::nullopt, "of the task, in the summary");
  task.space = task.space_reference = read_space(table);
  if (names_space_file(task.space)) task.space = SearchSpace::load(task.space).name();
  task.set = table.text("set", "help", "set of measurements in the store");
  task.geometry = table.text("geometry", "", "data set whose shapes the physical features follow; \"\" is the first");
  task.devices = table.texts("devices", {"all"}, "devices, each predicted from the others; \"all\" of the set");
  task.targets = table.texts("targets", {}, "devices of other sets or metrics (\"metric:SET:NAME\"), only predicted");
  for (auto& entry : table.tables("family", "devices that are left out together: name, devices")) {
    Family family;
    family.name = entry.text("name", std::nullopt, "of the family");
    require_new(task.families, family.name, "families", entry);
    family.devices = entry.texts("devices", {}, "its devices");
    if (family.devices.empty())
      throw Error(entry.location("devices") + ": family " + family.name + " has no devices; name some");
    for (const auto& device : family.devices)
      for (const auto& other : task.families)
        if (std::count(other.devices.begin(), other.devices.end(), device))
          throw Error(entry.location("devices") + ": device " + device + " is of family " + other.name + " and of " +
                      family.name + "; leave it in one");
    entry.finish();
    task.families.push_back(std::move(family));
  }
  return task;
}

}  // namespace

Settings read_settings(Config& config, std::uint64_t seed) {
  Settings s;
  s.seed = seed;
  for (const auto k : config.integers("samples", {0, 3, 5, 10, 20}, 0, 5000, "measurements of the target"))
    s.samples.push_back(static_cast<int>(k));
  std::sort(s.samples.begin(), s.samples.end());
  s.samples.erase(std::unique(s.samples.begin(), s.samples.end()), s.samples.end());
  if (s.samples.empty())
    throw Error(config.location("samples") + ": samples = [] predicts nothing; name a number of measurements");
  s.trials = static_cast<int>(config.integer("trials", 10, 1, 100000, "repetitions with other draws"));
  s.samples_source =
      static_cast<int>(config.integer("samples_source", 1000, 0, 1000000, "measurements of each source; 0: all"));
  s.design.selection = parse_selection(config.one_of("selection", "a_optimal", {"random", "d_optimal", "a_optimal"},
                                                     "how the target's samples are chosen"));
  s.design.scales = config.one_of("design", "flat", {"flat", "prior"},
                                  "designs weigh all blocks the same, or as the stated prior does") == "prior"
                        ? DesignScales::prior
                        : DesignScales::flat;
  const auto left_out =
      config.one_of("leave_out", "both", {"both", "devices", "families"},
                    "what is left out of the sources: each device, each family, or one then the other");
  s.leave_devices_out = left_out != "families";
  s.leave_families_out = left_out != "devices";
  s.data_sheets = read_sheets(config);
  for (auto& table : config.tables("feature", "a description of a device: name, method, and keys of the method")) {
    auto feature = read_feature(table, s.trials);
    require_new(s.features, feature.name, "features", table);
    s.features.push_back(std::move(feature));
  }
  for (auto& table : config.tables("task", "devices of a space: name, space, and the keys below it")) {
    auto task = read_task(table);
    require_new(s.tasks, task.name, "tasks", table);
    s.tasks.push_back(std::move(task));
  }
  return s;
}

}  // namespace oneproxy::device_features
