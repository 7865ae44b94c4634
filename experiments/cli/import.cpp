// What users have, into a store: measurements of their own device from a CSV file, trained predictors from PyTorch or
// ONNX.
#include <algorithm>
#include <filesystem>
#include <set>

#include "experiments/cli/commands.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/predictor/onnx_predictor.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

void check_device_name(const std::string& device) {
  if (device.empty() || device == "all" || device.find_first_of("/:\"' ") != std::string::npos || device[0] == '.')
    throw Error("--device '" + device + "': a device name has no blanks, quotes, '/' or ':', and is not \"all\"");
}

}  // namespace

namespace {

// One device into the store; how many architectures it has in common with the store's other sets.
std::string add_measured(const ImportOptions& options, const SearchSpace& space, const std::string& device,
                         const MeasuredArchitectures& file) {
  DeviceMeasurements measured;
  measured.device = device;
  measured.n_decisions = space.n_decisions();
  measured.choices = file.choices;
  measured.latency_ms = file.latency_ms;
  const std::int64_t known = file.n_known(), repeated = file.n_repeated();
  measured.attributes = {
      {"source", options.source.empty() ? std::filesystem::path(options.file).filename().string() : options.source},
      {"licence", options.licence.empty() ? std::string("private") : options.licence},
      {"precision", options.precision},
      {"batch", options.batch},
      {"n_failed", file.n_failed}};
  add_device(options.store, shipped_store(), space.name(), options.set, measured);

  // Only architectures that other devices know as well can be compared with them.
  std::string text = options.store + ": " + options.set + ":" + device + " has " + count_of(known, "architecture") +
                     " of " + space.name() +
                     (repeated ? " (" + std::to_string(repeated) + " measured several times: medians)" : "") + "\n";
  std::set<std::vector<std::uint8_t>> successes;
  for (std::int64_t i = 0; i < file.n(); ++i) {
    const auto row = file.choices.begin() + i * measured.n_decisions;
    if (!file.repeats[i].empty()) successes.insert({row, row + measured.n_decisions});
  }
  const Store store(options.store);
  for (const auto& set : store.sets(space.name())) {
    if (set == options.set) continue;
    const auto rows = store.rows(space.name(), set);
    std::int64_t common = 0;
    for (std::int64_t i = 0; i < rows.n; ++i) {
      const auto row = rows.row(i);
      common += successes.contains({row.begin(), row.end()});
    }
    text += "  in common with set " + set + ": " + std::to_string(common) + "\n";
  }
  return text;
}

// Names in a store have no blanks, quotes, '/' or ':'.
std::string name_for_store(std::string name) {
  for (char& c : name)
    if (std::string("/:\"' ").find(c) != std::string::npos) c = '_';
  check_device_name(name);
  return name;
}

// What is to be imported, under the names that it gets in the store.
std::vector<MeasuredDevice> measured_devices(const ImportOptions& options, const SearchSpace& space) {
  const auto form = measurement_form(options.form, options.unit, options.device);
  std::vector<MeasuredDevice> devices;
  if (!options.device.empty()) {
    devices.push_back({options.device, read_measurements(space, {options.file}, form)});
  } else {
    auto file = read_device_measurements(space, {options.file}, form);
    warn_of_files(file.remarks);
    std::vector<std::string> names;
    for (const auto& one : file.devices) names.push_back(one.name);
    for (const auto& name : options.devices)
      if (std::find(names.begin(), names.end(), name) == names.end())
        throw Error("--devices: " + unknown_name("device", name, options.file, names));
    const auto& wanted = options.devices;
    for (auto& one : file.devices)
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), one.name) != wanted.end())
        devices.push_back({name_for_store(one.name), std::move(one.measured)});
  }
  const auto store = file_exists(options.store) ? options.store : shipped_store();
  std::set<std::string> names;
  for (const auto& [name, measured] : devices) {  // all of them before the store is changed
    const std::string where = options.device.empty() ? options.file + ": " + name : options.file;
    if (measured.n_known() == 0) throw Error(where + ": has no successful measurement");
    if (!names.insert(name).second)
      throw Error(options.file + ": two devices are called '" + name + "' in a store; name them apart");
    if (!measured.unit_is_said) check_unit_beside_store(measured.latency_ms, store, space, where);
  }
  return devices;
}

}  // namespace

std::string import_device(const ImportOptions& options) {
  if (!options.device.empty()) check_device_name(options.device);
  check_device_name(options.set);
  const SearchSpace space = SearchSpace::load(options.space);
  const auto devices = measured_devices(options, space);
  std::string text;
  std::vector<std::string> targets;
  for (const auto& [name, measured] : devices) {
    if (devices.size() > 1 && measured.n_failed > 0) log_warning("device " + name + ":");
    warn_of_files(measured);
    text += add_measured(options, space, name, measured);
    targets.push_back("\"" + options.set + ":" + name + "\"");
  }
  const std::string config = home_folder() + "/configs/" + space.name() + "/adaproxy.toml";
  if (!file_exists(config))  // of a space that does not ship
    return text + "See it beside the others:\n  oneproxy info " + shell_word(options.store) + "\n";
  return text + "Use it as a target, for example:\n  oneproxy run " + shell_word(config) + " --set " +
         shell_word("store=" + options.store) + " --set " + shell_word("targets=[" + join(targets, ", ") + "]") + "\n";
}

std::string import_predictor(const PredictorImport& options) {
  const std::filesystem::path file = options.file;
  const SearchSpace space = SearchSpace::load(options.space);
  MlpPredictor predictor = predictor_from_file(options.file, space, options.layout);
  predictor.target = options.target;
  predictor.unit = options.unit;
  predictor.record["source"] = options.source.empty() ? file.filename().string() : options.source;
  predictor.record["licence"] = options.licence;
  const std::string name = options.name.empty() ? file.stem().string() : options.name;
  add_predictor(options.store, shipped_store(), name, predictor);
  std::string widths = std::to_string(predictor.first_width);
  for (const auto& layer : predictor.layers) widths += "-" + std::to_string(layer.outputs);
  return options.store + ": predictor " + name + " of " + space.name() + " (" + options.target + ", " + options.unit +
         "): " + std::to_string(predictor.rows.size() / predictor.first_width) + " choices-" + widths + "\n";
}

}  // namespace oneproxy
