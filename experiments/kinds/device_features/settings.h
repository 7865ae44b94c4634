#pragma once
// The keys of kind device_features: which descriptions of a device are compared, and on which devices.
#include <cstdint>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/device/data_sheet.h"

namespace oneproxy::device_features {

// A description of a device from which its latencies are predicted: an adaptation method with its keys.
struct Feature {
  std::string name;
  MethodChoice method;
  int trials = 0;
};

struct Family {
  std::string name;
  std::vector<std::string> devices;
};

struct TaskSettings {
  std::string name, space, space_reference, set, geometry;
  std::vector<std::string> devices;  // sources of each other
  std::vector<std::string> targets;  // further ones, predicted from all devices
  std::vector<Family> families;      // none: no family is left out
};

struct Settings {
  std::vector<int> samples;  // of the target; 0: before anything is measured
  int trials = 0, samples_source = 0;
  DesignSettings design;
  bool leave_devices_out = true, leave_families_out = true;
  std::vector<DataSheet> data_sheets;
  std::vector<Feature> features;
  std::vector<TaskSettings> tasks;
  std::uint64_t seed = 1;
};

// Errors: no feature or no task, names twice, a device of two families, a method that this build is without.
Settings read_settings(Config& config, std::uint64_t seed);

}  // namespace oneproxy::device_features
