// What users have, into a store: measurements of their own device from a CSV file, trained predictors from PyTorch.
#include <filesystem>
#include <set>

#include "experiments/cli/commands.h"
#include "experiments/cli/own_measurements.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/predictor/torch_predictor.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
std::string import_device(const ImportOptions& options) {
  check_device_name(options.device, "--device");
  check_device_name(options.set, "--set");
  const SearchSpace space = SearchSpace::load(options.space);
  const MeasuredArchitectures file =
      read_measurements(space, {options.file}, options.unit.empty() ? "ms" : options.unit);
  const std::int64_t known = file.n_known(), repeated = file.n_repeated(), failed = file.n_failed;
  if (known == 0) throw Error(options.file + ": has no successful measurement");
  if (failed > 0)
    log_warning(count_of(failed, "measurement") + " failed and " + (failed == 1 ? "is" : "are") + " left out");
  const std::string source =
      options.source.empty() ? std::filesystem::path(options.file).filename().string() : options.source;
  add_own_device({options.store, options.set, source, options.licence, options.precision, options.batch}, space,
                 options.device, file);

  // Only architectures that other devices know as well can be compared with them.
  std::string text = options.store + ": " + options.set + ":" + options.device + " has " +
                     count_of(known, "architecture") + " of " + space.name() +
                     (repeated ? " (" + std::to_string(repeated) + " measured several times: medians)" : "") + "\n";
  std::set<std::vector<std::uint8_t>> successes;
  for (std::int64_t i = 0; i < file.n(); ++i) {
    const auto row = file.choices.begin() + i * space.n_decisions();
    if (!file.repeats[i].empty()) successes.insert({row, row + space.n_decisions()});
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
  const std::string config = home_folder() + "/configs/" + space.name() + "/adaproxy.toml";
  if (!file_exists(config))  // of a space that does not ship
    return text + "See it beside the others:\n  oneproxy info " + shell_word(options.store) + "\n";
  return text + "Use it as a target, for example:\n  oneproxy run " + shell_word(config) + " --set " +
         shell_word("store=" + options.store) + " --set " +
         shell_word("targets=[\"" + options.set + ":" + options.device + "\"]") + "\n";
}

std::string import_predictor(const PredictorImport& options) {
  const std::filesystem::path file = options.file;
  const SearchSpace space = SearchSpace::load(options.space);
  MlpPredictor predictor = predictor_from_torch(read_torch_file(options.file), space, options.layout, options.file);
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
