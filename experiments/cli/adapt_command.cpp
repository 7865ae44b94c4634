#include "experiments/cli/adapt_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "experiments/cli/adapt_result.h"
#include "experiments/cli/metric_quantity.h"
#include "experiments/cli/new_file.h"
#include "experiments/cli/quality_name.h"
#include "oneproxy/engine/adapt/workflow/adapt.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr int kMoreToAdapt = 10;  // architectures advised where too few or equal ones say nothing

std::string architecture(const AdaptReport& report, std::int64_t i) {
  const auto& space = report.features->space();
  const std::size_t decisions = space.radices().size();
  return space.to_string(std::span(report.measured.choices).subspan(i * decisions, decisions));
}

// "throughput [images/s, maximised]"
std::string in_words(const Quantity& quantity) {
  return quantity.label + " [" + quantity.unit + ", " + to_string(quantity.direction) + "]";
}

std::string range_of(const DriftSeen& drift) {
  return "the device drifted from " + fixed(drift.min_factor, 2) + " to " + fixed(drift.max_factor, 2) +
         " times its middle speed while it was measured";
}

void warn_of_measurements(const AdaptReport& report) {
  const auto& quantity = report.quantity();
  for (const auto& [i, min, max] : report.scattered)
    log_warning("repeats of " + architecture(report, i) + " range from " + brief(min) + " to " + brief(max) + " " +
                quantity.unit + ": the device is unsteady; the median counts");
  warn_of_files(report.measured);
  if (report.drift && report.drift->notable && !report.drift->divided_out)
    log_warning(range_of(*report.drift) + "; --drift divides that out");
}

void warn_of_adaptation(const AdaptReport& report) {
  for (const auto& [i, value, times_median] : report.outliers)
    log_warning(architecture(report, i) + (report.quantity().name == "latency_ms" ? " took " : " has ") + plain(value) +
                " " + report.quantity().unit + ", " + brief(times_median) +
                " times the median: it counts for next to nothing; measure it again");
  for (const auto& remark : report.remarks) log_warning(remark.text);
}

// more.csv, or the first of more2.csv, more3.csv, ... that is not there.
std::string free_file() {
  std::string file = "more.csv";
  for (int i = 2; file_exists(file); ++i) file = "more" + std::to_string(i) + ".csv";
  return file;
}

// What gives `more` architectures beyond those measured.
std::string call_for_more(const AdaptOptions& options, int more) {
  return call_of("plan", options) + " --k " + std::to_string(more) + (options.drift ? " --reference 5" : "") +
         " --measured" + shell_words(options.measurements) + " --out " + free_file();
}

void check_options(const AdaptOptions& options) {
  if (!options.out.empty() && std::filesystem::path(options.out).extension() != ".h5")
    throw Error("--out " + options.out + ": give it the ending .h5, by which a file is told from a name in a store");
  if (!options.archs.empty() && options.predictions.empty())
    throw Error("--archs " + options.archs + " says what to predict; give --predictions FILE.csv to write it to");
  if (options.metric.empty() && !options.direction.empty())
    throw Error("--direction " + options.direction + " is of a --metric; without one the measurements are latencies");
  if (!options.metric.empty()) check_metric_name(options.metric);
  if (options.into.empty() != options.name.empty())
    throw Error("--into STORE and --name NAME belong together: a predictor has a name in a store");
  require_new_file(options.out, options.force);
  require_new_file(options.predictions, options.force);
}

// What the device is called: in the store, in its file, in a file of several data sheets.
std::string device_name(const AdaptOptions& options) {
  if (!options.device.empty()) return options.device;
  return !options.name.empty() ? options.name : std::filesystem::path(options.out).stem().string();
}

// A method that needs no measurement is asked without a file.
MeasuredArchitectures measurements_of(const AdaptOptions& options, const AdaptSettings& settings,
                                      const SearchSpace& space) {
  if (!options.measurements.empty()) {
    const std::string store = options.store.empty() ? shipped_store() : options.store;
    if (!options.metric.empty())
      return read_measurements(
          space, options.measurements,
          metric_quantity(options.metric, options.unit, options.direction, options.set, store, space.name()),
          measurement_form(options.form, "", options.device));
    auto measured =
        read_measurements(space, options.measurements, measurement_form(options.form, options.unit, options.device));
    if (!measured.unit_is_said) check_unit_beside_store(measured.latency_ms, store, space, join(options.measurements));
    return measured;
  }
  const auto& method = settings.method.settings();
  if (method.min_measurements() > 0 || !method.needs_data_sheet())
    throw Error("--measurements is missing: method " + settings.method.kind().name +
                " adapts to measurements; `oneproxy plan` says which to make, --method data_sheet does without");
  return {};
}

// Whether it is one of a method's own.
bool has_key(const AdaptationMethodKind& method, const std::string& key) {
  Config config = Config::defaults();
  method.default_settings()->read(config);
  const auto& keys = config.keys();
  return std::any_of(keys.begin(), keys.end(), [&](const ConfigKey& one) { return one.name == key; });
}

MethodChoice method_of(const AdaptOptions& options) {
  MethodChoice method(options.method);
  for (const auto& text : options.method_keys) {
    const auto key = text.substr(0, text.find('='));
    if (has_key(method.kind(), key)) continue;
    std::string owners;
    for (const auto& other : adaptation_methods())
      if (has_key(other, key)) owners += (owners.empty() ? "" : ", ") + other.name;
    throw Error(key + " is no key of method " + options.method +
                (owners.empty() ? "; `oneproxy list few_shot` shows the keys of all methods"
                                : ": it belongs to --method " + owners));
  }
  method.require_available("--method " + options.method);
  Config config = Config::load("", options.method_keys);
  method.settings().read(config);
  config.finish();
  return method;
}

// Writes the predictor where it is asked for; what it is, and how to search with it.
std::string write_predictor(const Predictor& model, const Quantity& quantity, const Device& device,
                            const Posterior* posterior, const AdaptOptions& options, const SearchSpace& space) {
  const bool network = std::holds_alternative<MlpPredictor>(model), indexed = !has_kernels(model);
  std::string form = "network";
  if (const auto* table = std::get_if<AdditivePredictor>(&model))
    form = table->n_tables() == 1
               ? "one weight a choice"
               : "one weight a choice, a table for each of " + std::to_string(table->n_tables()) + " resolutions";
  if (indexed) form = quantity.label + " of each of " + to_decimal(space.size()) + " architectures";
  const std::string kind = network ? "predictor:" : "table:";
  // A metric is known on the rows of a set only, which `exhaustive` looks at.
  auto search = [&](const std::string& predictor, const std::string& quality, const std::string& store) {
    return ". Search with it, for example:\n  oneproxy search --space " + shell_word(space.reference()) +
           (store.empty() ? "" : " --store " + shell_word(store)) +
           (quantity.name == "latency_ms"
                ? " --latency " + shell_word(kind + predictor) + " --quality " + shell_word(quality)
                : " --quality " + shell_word(quality) + " --objective " + shell_word(kind + predictor)) +
           (indexed || quality.starts_with("metric:") ? " --method exhaustive" : "") + "\n";
  };
  std::string text;
  if (!options.out.empty()) {
    save_predictor(options.out, model, &device, posterior);
    const std::string quality = quality_in(options.store.empty() ? shipped_store() : options.store, space);
    text += options.out + ": " + form +
            search(options.out, quality, quality.starts_with("metric:") ? options.store : std::string());
  }
  if (!options.into.empty()) {
    std::vector<std::string> names;
    if (file_exists(options.into))
      names = network ? predictor_names(options.into, space.name()) : table_names(options.into, space.name());
    add_predictor(options.into, shipped_store(), options.name, model, &device, posterior);
    if (std::find(names.begin(), names.end(), options.name) != names.end())
      log_info(options.into + ": " + kind + options.name + " of " + space.name() + " was there and is replaced");
    text += options.into + ": " + kind + options.name + ", " + form +
            search(options.name, quality_in(options.into, space), options.into);
  }
  return text;
}

// What a limit on the prediction is worth, and how to make one that holds.
std::string about_limits(Posterior posterior) {
  posterior.calibrate_for_space();
  const auto& calibration = posterior.calibration;
  return "limits: a network predicted to be just within one keeps it with probability " +
         fixed(calibration.probability(0), 2) + "; `oneproxy search --confidence 0.9` stays " +
         fixed(calibration.spreads(0.9), 2) + " standard deviations of a measurement within, " +
         (calibration.n_devices > 0 ? "as errors at the answers of searches on " +
                                          std::to_string(calibration.n_devices) + " source devices ask for\n"
                                    : "which is stated: to learn it takes 3 source devices\n");
}

std::string write_predictions(const AdaptReport& report, const AdaptOptions& options) {
  const auto& space = report.features->space();
  const std::size_t decisions = space.radices().size();
  const auto& quantity = report.quantity();
  const bool latencies = quantity.name == "latency_ms";
  const auto [choices, values, deviation, measured] =
      predict(report, options.archs.empty() ? report.measured.choices : read_architectures(space, {options.archs}, {}));
  auto number = [](double value) { return std::isnan(value) ? std::string() : plain(value); };
  OutputFile out(options.predictions);
  out.write(latencies ? std::string("arch,latency_ms,deviation_ms,measured_ms\n")
                      : "arch," + quantity.name + "," + quantity.name + "_deviation," + quantity.name + "_measured\n");
  for (std::size_t i = 0; i < values.size(); ++i)
    out.write(csv_field(space.to_string(std::span(choices).subspan(i * decisions, decisions))) + "," +
              number(values[i]) + "," + number(deviation[i]) + "," + number(measured[i]) + "\n");
  out.finish();
  return options.predictions + ": predicted " + (latencies ? "latencies" : in_words(quantity)) + " of " +
         count_of(std::ssize(values), "architecture") +
         (report.adapted() && !values.empty() && !std::isnan(deviation[0])
              ? ", with the standard deviation of what a measurement without noise would be"
              : "") +
         "\n";
}

// How well the predictor will rank, and what to do next.
std::string outlook(const AdaptReport& report, const AdaptOptions& options) {
  if (!report.adapted()) return "Not adapted (see the warning): measure more architectures.\n";
  if (!report.advice)
    return "Method " + report.method +
           " does not know how well it will rank: keep some measurements back and compare.\n";
  const auto& [value, low, high, draws] = report.expected;
  const auto& advice = *report.advice;
  const std::string text = "expected SRCC with the device's " +
                           (report.quantity().name == "latency_ms" ? "latencies" : report.quantity().label) + ": " +
                           fixed(value) + " (10 % to 90 %: " + fixed(low) + " to " + fixed(high) +
                           ")\nSRCC >= " + plain(report.threshold) + " with probability " +
                           fixed(report.probability, 2) + ": ";
  if (advice.stop) return text + "stop measuring\n";
  if (advice.more > 0)
    return text + "measure " + std::to_string(advice.more) + " more (" + call_for_more(options, advice.more) + ")\n";
  return text + "not to be had with " + std::to_string(kMaxAdvised) + " more, which would give " +
         fixed(advice.reachable) + ": the measurements are noisy; repeat them and look at the spread\n";
}

}  // namespace

std::string adapt_to_measurements(const AdaptOptions& options) {
  check_options(options);
  AdaptSettings settings{method_of(options), options.drift, options.threshold, options.confidence, options.seed};
  settings.calibrate = !(options.out.empty() && options.into.empty());
  if (!options.data_sheet.empty()) settings.data_sheet = read_data_sheet(options.data_sheet, device_name(options));
  const auto features = std::make_shared<ArchitectureFeatures>(SearchSpace::load(options.space, options.geometry));
  const auto& space = features->space();
  const std::string set = options.set.empty() ? space.measured_set() : options.set;
  const auto [sources, target_left_out, target_unknown] = load_sources(
      features, {set, options.store, options.sources, options.device, options.seed, options.source_sheets});
  if (target_unknown)
    log_info("--device " + options.device + " is not in set " + set + " of " + options.space +
             ": all sources are used");
  if (target_left_out) log_warning(options.device + " is the target: it is left out of the sources");
  const auto raw = measurements_of(options, settings, space);
  const auto report = adapt(sources, raw, settings);
  warn_of_measurements(report);
  if (!report.adapted() &&
      !(options.out.empty() && options.into.empty() && options.predictions.empty() && options.results.empty()))
    throw Error(join(options.measurements) + ": " + report.why_not_adapted +
                ": nothing is written; measure more architectures (" + call_for_more(options, kMoreToAdapt) + ")");
  warn_of_adaptation(report);

  std::string text = (options.measurements.empty() ? "no measurements" : join(options.measurements)) + ": " +
                     count_of(report.n_known, "architecture") + " of " + space.name() + ", " +
                     count_of(std::ssize(report.sources), "source device") + ", " +
                     (report.prior.empty() ? "method " + report.method : "prior " + report.prior) + "\n";
  if (report.drift && report.drift->divided_out) text += range_of(*report.drift) + "; divided out\n";
  text += outlook(report, options);
  if (!options.predictions.empty()) text += write_predictions(report, options);
  const std::string device = device_name(options);
  if (!options.out.empty() || !options.into.empty()) {
    const auto posterior = recorded_posterior(report);
    if (posterior) text += about_limits(*posterior);
    text += write_predictor(recorded_predictor(report, device), report.quantity(), measured_device(report, device),
                            posterior ? &*posterior : nullptr, options, space);
  }
  if (options.results.empty()) return text;
  const AdaptResultOptions result{options.results, device.empty() ? "device" : device, set, options.command, text};
  return text + write_adapt_result(result, sources, raw, report, settings) + "\n";
}

}  // namespace oneproxy
