#include "experiments/cli/own_measurements.h"

#include <filesystem>

#include "experiments/cli/metric_quantity.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

void check_store(const std::string& store) {
  std::error_code none;
  if (std::filesystem::equivalent(store, shipped_store(), none))
    throw Error(store +
                ": is the store that ships, which is never changed; name a file of your own, which begins as "
                "a copy of it");
}

H5Attributes attributes_of(const OwnMeasurements& into, const MeasuredArchitectures& measured) {
  return {{"source", into.source},
          {"licence", into.licence.empty() ? std::string("private") : into.licence},
          {"n_failed", measured.n_failed}};
}

}  // namespace

void check_device_name(const std::string& device, const std::string& option) {
  if (device.empty() || device == "all" || device.find_first_of("/:\"' ") != std::string::npos || device[0] == '.')
    throw Error(option + " '" + device + "': a device name has no blanks, quotes, '/' or ':', and is not \"all\"");
}

void add_own_device(const OwnMeasurements& into, const SearchSpace& space, const std::string& device,
                    const MeasuredArchitectures& measured) {
  check_device_name(device, "device");
  check_device_name(into.set, "set");
  check_store(into.store);
  if (measured.n_known() == 0) throw Error("device " + device + ": has no successful measurement");
  DeviceMeasurements added{device, space.n_decisions(), measured.choices, measured.latency_ms,
                           attributes_of(into, measured)};
  added.attributes["precision"] = into.precision;
  added.attributes["batch"] = into.batch;
  add_device(into.store, shipped_store(), space.name(), into.set, added);
}

void add_own_metric(const OwnMeasurements& into, const SearchSpace& space, const MeasuredArchitectures& measured) {
  const Quantity& quantity = measured.quantity;
  check_metric_name(quantity.name);
  check_plain_name(into.set, "set");
  check_store(into.store);
  if (measured.n_known() == 0) throw Error("metric " + quantity.name + ": has no value");
  MetricMeasurements added{quantity.name, space.n_decisions(), measured.choices, measured.latency_ms,
                           attributes_of(into, measured)};
  added.attributes["unit"] = quantity.unit;
  added.attributes["direction"] = to_string(quantity.direction);
  add_metric(into.store, shipped_store(), space.name(), into.set, added);
}

}  // namespace oneproxy
