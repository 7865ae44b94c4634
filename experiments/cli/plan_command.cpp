#include <filesystem>

#include "experiments/cli/adapt_command.h"
#include "experiments/cli/metric_quantity.h"
#include "experiments/cli/new_file.h"
#include "oneproxy/engine/adapt/workflow/plan.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::string shell_words(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& one : all) text += " " + shell_word(one);
  return text;
}

std::string call_of(const std::string& command, const DeviceOptions& options) {
  const DeviceOptions usual;
  std::string text = "oneproxy " + command + " --space " + shell_word(options.space);
  if (options.geometry != usual.geometry) text += " --geometry " + shell_word(options.geometry);
  if (options.set != usual.set) text += " --set " + shell_word(options.set);
  if (options.store != usual.store) text += " --store " + shell_word(options.store);
  if (options.sources != usual.sources) text += " --sources" + shell_words(options.sources);
  if (options.metric != usual.metric) text += " --metric " + shell_word(options.metric);
  text += form_words(options.form);
  return text;
}

std::string plan_measurements(const PlanOptions& options) {
  const PlanSettings settings{options.k, parse_selection(options.selection), options.reference, options.seed};
  const std::string column = options.metric.empty() ? "latency_ms" : options.metric;
  if (!options.metric.empty()) check_metric_name(options.metric);
  require_new_file(options.out, options.force, ", and may hold measurements");
  const auto features = std::make_shared<ArchitectureFeatures>(SearchSpace::load(options.space, options.geometry));
  const auto& space = features->space();
  const auto [sources, left_out, unknown] = load_sources(
      features,
      {options.set.empty() ? space.measured_set() : options.set, options.store, options.sources, "", options.seed});
  const auto form = measurement_form(options.form, "", "");
  std::vector<std::uint8_t> measured;
  if (!options.measured.empty()) measured = read_architectures(space, options.measured, form);
  write_plan(plan(sources, settings, measured), space, options.out, column);

  std::vector<std::string> files;
  for (const auto& file : options.measured)
    if (has_values(file, {column, column, "", Direction::minimise}, form))
      files.push_back(file);  // others name architectures alone
  files.push_back(options.out);
  return options.out + ": " + count_of(options.k, "architecture") + " of " + space.name() + " (" + options.selection +
         ", " + count_of(std::ssize(sources.devices), "source device") +
         ")\nMeasure them in this order, one may stop anywhere; fill in " + column + ", a line for each repeat.\n" +
         (options.reference > 0 ? "The first comes again and again, to show whether the device drifts. Then:\n"
                                : "Measure in one go: devices drift (--reference 5 lets `adapt` see it). Then:\n") +
         "  " + call_of("adapt", options) + " --measurements" + shell_words(files) +
         (options.metric.empty() ? "" : " --unit UNIT --direction DIRECTION") +
         (options.reference > 0 ? " --drift" : "") + "\n";
}

}  // namespace oneproxy
