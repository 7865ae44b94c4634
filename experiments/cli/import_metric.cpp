// A user's own metric (energy, memory, accuracy, throughput) from a CSV file into a store.
#include <filesystem>

#include "experiments/cli/commands.h"
#include "experiments/cli/metric_quantity.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/statistics.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::string import_metric(const ImportOptions& options) {
  check_metric_name(options.metric);
  check_plain_name(options.set, "--set");
  const SearchSpace space = SearchSpace::load(options.space);
  const auto store = file_exists(options.store) ? options.store : shipped_store();
  const Quantity quantity =
      metric_quantity(options.metric, options.unit, options.direction, options.set, store, space.name());
  const MeasuredArchitectures file =
      read_metric(space, {options.file}, quantity, measurement_form(options.form, "", ""));
  const std::int64_t known = file.n_known(), repeated = file.n_repeated();
  if (known == 0) throw Error(options.file + ": has no value of " + options.metric);
  warn_of_files(file);
  MetricMeasurements measured;
  measured.metric = options.metric;
  measured.n_decisions = space.n_decisions();
  measured.choices = file.choices;
  measured.values = file.latency_ms;
  measured.attributes = {
      {"unit", quantity.unit},
      {"direction", to_string(quantity.direction)},
      {"source", options.source.empty() ? std::filesystem::path(options.file).filename().string() : options.source},
      {"licence", options.licence.empty() ? std::string("private") : options.licence},
      {"n_failed", file.n_failed}};
  add_metric(options.store, shipped_store(), space.name(), options.set, measured);
  const std::string name = "metric:" + options.set + ":" + options.metric;
  return options.store + ": " + name + " [" + quantity.unit + ", " + to_string(quantity.direction) + "] has " +
         count_of(known, "architecture") + " of " + space.name() +
         (repeated ? " (" + std::to_string(repeated) + " measured several times: medians)" : "") +
         "\nUse it as an objective or as a target: \"" + name + "\" in " +
         (quantity.maximised() ? "quality, " : "latency, ") + "objectives, targets and --sources, with --store " +
         shell_word(options.store) + "\n";
}

}  // namespace oneproxy
