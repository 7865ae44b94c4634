#include "experiments/kinds/device_features/task.h"

#include <algorithm>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy::device_features {
namespace {

constexpr std::size_t kMinSources = 3;

Case leave_out(const Task& task, const std::string& protocol, int n_devices, const std::vector<int>& targets,
               const std::string& what) {
  Case one{protocol, {}, targets, {}};
  for (int device = 0; device < n_devices; ++device)
    if (std::find(targets.begin(), targets.end(), device) == targets.end()) one.sources.push_back(device);
  if (one.sources.size() < kMinSources)
    throw Error("task " + task.settings.name + ": without " + what + " " +
                count_of(std::ssize(one.sources), "source device") + " are left, " + std::to_string(kMinSources) +
                " are needed at least; name more devices");
  return one;
}

int device_of(const Task& task, const std::string& name, const std::string& place) {
  std::vector<std::string> known;
  for (const auto& device : task.devices) known.push_back(device.name);
  const auto found = std::find(known.begin(), known.end(), name);
  if (found == known.end()) throw Error(place + unknown_name("device", name, "the devices of the task", known));
  return static_cast<int>(found - known.begin());
}

void add_families(Task& task, int n_devices) {
  const std::string place = "task " + task.settings.name + ": ";
  std::vector<char> covered(n_devices, task.settings.families.empty());
  for (const auto& family : task.settings.families) {
    std::vector<int> members;
    for (const auto& name : family.devices) {
      members.push_back(device_of(task, name, place + "family " + family.name + ": "));
      covered[members.back()] = 1;
    }
    task.cases.push_back(leave_out(task, "lofo", n_devices, members, "family " + family.name));
  }
  const auto missing = std::find(covered.begin(), covered.end(), 0);
  if (missing != covered.end())
    throw Error(place + "device " + task.devices[missing - covered.begin()].name +
                " is of no family; add it to one, or leave it out of devices");
}

void require_measurements(const Task& task, const Settings& settings) {
  const int most = settings.samples.back();
  for (const auto& device : task.devices)
    if (device.n_known() < std::max(most, settings.samples_source))
      throw Error("task " + task.settings.name + ": " + device.name + " has " +
                  count_of(device.n_known(), "measurement") + ", samples or samples_source asks for " +
                  std::to_string(std::max(most, settings.samples_source)));
}

// A source without a data sheet would make a feature that needs them useless; a target without one is passed over only
// where it is no device.
void require_data_sheets(const Task& task, const Settings& settings, int n_devices) {
  for (const auto& feature : settings.features) {
    if (!feature.method.settings().needs_data_sheet()) continue;
    for (int device = 0; device < n_devices; ++device)
      if (!task.sheets[device])
        throw Error("task " + task.settings.name + ": feature " + feature.name + " needs a data sheet of " +
                    task.devices[device].name + ", and data_sheets has none; add a [[device]] of that name");
  }
}

}  // namespace

std::vector<Task> open_tasks(const Store& store, const Settings& settings) {
  std::vector<Task> tasks;
  for (const auto& s : settings.tasks) {
    Task task;
    task.settings = s;
    task.loaded = std::make_shared<SpaceData>(store, s.space_reference, s.set, s.geometry, 0, settings.seed);
    task.features = std::make_shared<ArchitectureFeatures>(task.loaded->space);
    task.archs = std::make_shared<Architectures>(*task.features, task.loaded->data.rows().choices);
    const std::string place = "task " + s.name + ": ";
    const auto& data = task.loaded->data;
    const auto names = data.expand(s.devices, place + "devices");
    for (const auto& name : names) task.devices.push_back(data.series(name));
    const int n_devices = static_cast<int>(names.size());
    for (const auto& name : s.targets) {
      if (std::find(names.begin(), names.end(), name) != names.end())
        throw Error(place + "target " + name + " is among the devices already; leave it out of one of the lists");
      task.devices.push_back(data.series(name));
    }
    for (const auto& device : task.devices) task.sheets.push_back(find_data_sheet(settings.data_sheets, device.name));
    require_measurements(task, settings);
    require_data_sheets(task, settings, n_devices);
    for (int device = 0; settings.leave_devices_out && device < n_devices; ++device)
      task.cases.push_back(leave_out(task, "lodo", n_devices, {device}, names[device]));
    if (settings.leave_families_out) add_families(task, n_devices);
    if (!s.targets.empty()) {
      std::vector<int> targets;
      for (int i = n_devices; i < std::ssize(task.devices); ++i) targets.push_back(i);
      task.cases.push_back(leave_out(task, "targets", n_devices, targets, "the targets"));
    }
    tasks.push_back(std::move(task));
  }
  return tasks;
}

bool applies(const Feature& feature, const Task& task, int target, int samples) {
  const auto& method = feature.method.settings();
  return samples >= method.min_measurements() && (task.sheets[target] || !method.needs_data_sheet());
}

}  // namespace oneproxy::device_features
