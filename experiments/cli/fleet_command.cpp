#include "experiments/cli/fleet_command.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>

#include "experiments/cli/fleet_result.h"
#include "experiments/cli/quality_name.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/search/methods/auto.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kQuantiles[] = {0.25, 0.5};
constexpr std::size_t kShownProxies = 5;

using Network = FleetDevice::Network;

// The store's side of the question.
class Known {
 public:
  Known(const FleetOptions& options, std::shared_ptr<const ArchitectureFeatures> features)
      : options_(options), features_(std::move(features)), space_(features_->space()) {
    path_ = options.store.empty() ? shipped_store() : options.store;
    set_ = options.set.empty() ? space_.measured_set() : options.set;
    if (!file_exists(path_)) return;
    store_.emplace(path_);
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!has(store_->spaces(), space_.name()) || !has(store_->sets(space_.name()), set_)) return;
    data_.emplace(*store_, space_, set_);
    devices_ = data_->devices();
  }

  // All sources but the device itself; shared by all devices that the set does not have.
  const Sources& sources_of(const std::string& device) {
    const bool own = std::find(devices_.begin(), devices_.end(), device) != devices_.end();
    const std::string target = own ? device : "";
    if (!sources_ || target != target_) {
      sources_.emplace(
          load_sources(features_, {set_, options_.store, options_.sources, target, options_.seed}).sources);
      target_ = target;
    }
    return *sources_;
  }

  Objective quality() const {
    const std::string name = options_.quality.empty() ? quality_in(path_, space_) : options_.quality;
    auto quality = make_objective({space_, data_ ? &*data_ : nullptr, path_, "", Backend::cpu}, name, "--quality",
                                  Direction::maximise);
    quality.name = "quality";
    if (quality.label.empty()) quality.label = name;
    return quality;
  }
  const Measurements* data() const { return data_ ? &*data_ : nullptr; }
  const SearchSpace& space() const { return space_; }
  const std::string& store() const { return path_; }
  const std::string& set() const { return set_; }

 private:
  const FleetOptions& options_;
  std::shared_ptr<const ArchitectureFeatures> features_;
  const SearchSpace& space_;
  std::string path_, set_, target_;
  std::optional<Store> store_;
  std::optional<Measurements> data_;
  std::vector<std::string> devices_;
  std::optional<Sources> sources_;
};

std::vector<Network> search_networks(const FleetOptions& options, const Known& known, const FleetDevice& device) {
  Objective latency = predicted_objective(recorded_predictor(device.report, device.name), known.space(),
                                          "latency on " + device.name, "ms");
  latency.name = "latency_ms";
  if (auto posterior = recorded_posterior(device.report))
    latency.posterior = std::make_shared<Posterior>(std::move(*posterior));
  const SubSpace part = SubSpace::of(known.space());
  SearchProblem problem{part, known.data(), {known.quality(), std::move(latency)}};
  calibrate_for_space(problem.objectives);
  SearchQuestion question;
  question.seed = options.seed;
  auto limits = options.limits;
  if (limits.empty()) limits = limits_at(problem, kQuantiles, options.seed);
  for (const double limit : limits) question.limits.push_back({{std::nan(""), limit}});
  Config defaults = Config::load("", {});
  const auto method = auto_method().read(defaults);
  Evaluator evaluator(problem, question);
  const double confidence = problem.objectives[1].posterior ? options.confidence : 0;
  const auto found = search_with_confidence(*method, evaluator, confidence);
  std::vector<Network> networks;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    Network network{limits[i], std::nullopt, {std::nan(""), std::nan("")}};
    if (const auto* best = found.best_of(i)) {
      network.best = *best;
      network.kept = kept_limit(problem.objectives[1], best->choices, best->values[1], limits[i]);
    }
    networks.push_back(std::move(network));
  }
  return networks;
}

FleetDevice look_at(const FleetOptions& options, Known& known, MeasuredDevice measured) {
  FleetDevice device{measured.name, {}, {}, {}};
  const Sources& sources = known.sources_of(device.name);
  AdaptSettings settings{MethodChoice("bayes"), false, options.threshold, options.confidence, options.seed};
  settings.calibrate = true;
  device.proxies = proxy_fits(sources, measured.measured);
  device.report = adapt(sources, std::move(measured.measured), settings);
  std::stable_sort(device.proxies.begin(), device.proxies.end(),
                   [](const ProxyFit& a, const ProxyFit& b) { return a.srcc > b.srcc; });
  if (device.report.adapted()) device.networks = search_networks(options, known, device);
  return device;
}

std::string table_of_all(const std::vector<FleetDevice>& devices) {
  Table table({"device", "networks", "failed", "median [ms]", "best proxy", "its SRCC", "expected SRCC, adapted",
               "probability", "samples"});
  for (const auto& [name, report, proxies, networks] : devices) {
    std::vector<double> known;
    for (const double latency : report.measured.latency_ms)
      if (!std::isnan(latency)) known.push_back(latency);
    std::nth_element(known.begin(), known.begin() + std::ssize(known) / 2, known.end());
    table.row({name, std::to_string(report.n_known), std::to_string(report.measured.n_failed),
               brief(known[known.size() / 2]), proxies.empty() ? "-" : proxies[0].proxy,
               proxies.empty() ? "-" : fixed(proxies[0].srcc), fixed(report.expected.value),
               fixed(report.probability, 2), advice_on(report)});
  }
  return table.markdown();
}

std::string describe_device(const FleetDevice& device, const FleetOptions& options, const SearchSpace& space) {
  const auto& [name, report, proxies, networks] = device;
  std::string text = "\n## " + name + "\n\n";
  const auto& measured = report.measured;
  text += count_of(report.n_known, "network") + " measured";
  if (const auto repeated = measured.n_repeated(); repeated > 0)
    text += ", " + std::to_string(repeated) + " several times (medians)";
  if (measured.n_failed > 0)
    text += "; " + count_of(measured.n_failed, "line") + " left out: " + describe_failures(measured.failures);
  text += ". ";
  if (!report.adapted()) return text + "Not adapted: " + report.why_not_adapted + ".\n";
  text += "Expected SRCC of its own predictor " + fixed(report.expected.value) +
          " (10 % to 90 %: " + fixed(report.expected.low) + " to " + fixed(report.expected.high) +
          "), >= " + plain(options.threshold) + " with probability " + fixed(report.probability, 2) + ": " +
          advice_on(report) + ".\n";
  for (const auto& remark : report.remarks) text += remark.text + ".\n";
  for (const auto& [architecture, value, times] : report.outliers)
    text +=
        "A latency of " + brief(value) + " ms, " + brief(times) + " times the median, counts for next to nothing.\n";
  if (!proxies.empty()) {
    Table fits({"proxy", "SRCC over the measured", "90 % interval", "serves"});
    for (std::size_t i = 0; i < std::min(kShownProxies, proxies.size()); ++i)
      fits.row({proxies[i].proxy, fixed(proxies[i].srcc), fixed(proxies[i].low, 2) + " to " + fixed(proxies[i].high, 2),
                proxies[i].srcc >= options.threshold ? (proxies[i].low >= options.threshold ? "yes, surely" : "yes")
                                                     : "no"});
    text += "\n" + fits.markdown();
  }
  Table best({"limit [ms]", "predicted [ms]", "+-", "P(kept)", "quality", "network"});
  for (const auto& network : networks)
    best.row({brief(network.limit_ms), network.best ? brief(network.best->values[1]) : "-",
              brief(network.kept.deviation), fixed(network.kept.probability, 2),
              network.best ? brief(network.best->values[0]) : "-",
              network.best ? "`" + space.to_string(network.best->choices) + "`" : "none keeps it"});
  return text + "\n" + best.markdown();
}

std::string describe_cover(const FleetCover& cover, std::int64_t n_devices, const FleetOptions& options) {
  std::string text = "\n";
  const auto served = n_devices - std::ssize(cover.alone);
  if (served > 0)
    text += (cover.exact ? "Fewest proxies" : "Few proxies (greedy)") + std::string(" that serve ") +
            (cover.alone.empty() ? "all of them" : std::to_string(served) + " of them") +
            " as they are, SRCC >= " + plain(options.threshold) +
            " over the measured networks: " + join(cover.proxies) + ".\n";
  if (!cover.alone.empty())
    text += "No proxy serves " + join(cover.alone) + " as it is: use the device's own predictor.\n";
  return text;
}

std::string csv_of(const std::vector<FleetDevice>& devices, const SearchSpace& space) {
  std::string text =
      "device,n_measured,n_failed,best_proxy,proxy_srcc,proxy_srcc_low,proxy_srcc_high,expected_srcc,probability,"
      "more_measurements,limit_ms,arch,predicted_ms,deviation_ms,probability_kept,quality\n";
  for (const auto& [name, report, proxies, networks] : devices) {
    std::string start =
        csv_field(name) + "," + std::to_string(report.n_known) + "," + std::to_string(report.measured.n_failed) + ",";
    start += proxies.empty() ? ",,,"
                             : csv_field(proxies[0].proxy) + "," + exact(proxies[0].srcc) + "," +
                                   exact(proxies[0].low) + "," + exact(proxies[0].high);
    start += "," + exact(report.expected.value) + "," + exact(report.probability) + "," +
             (report.advice && report.advice->more >= 0 ? std::to_string(report.advice->more) : "");
    if (networks.empty()) text += start + ",,,,,,\n";
    for (const auto& network : networks) {
      text += start + "," + exact(network.limit_ms) + ",";
      text += network.best ? csv_field(space.to_string(network.best->choices)) + "," + exact(network.best->values[1]) +
                                 "," + exact(network.kept.deviation) + "," + exact(network.kept.probability) + "," +
                                 exact(network.best->values[0])
                           : ",,,,";
      text += "\n";
    }
  }
  return text;
}

void check_options(const FleetOptions& options) {
  if (!options.out.empty() && std::filesystem::path(options.out).extension() != ".csv")
    throw Error("--out " + options.out + ": is written as CSV; give it the ending .csv");
  if (!options.out.empty() && file_exists(options.out))
    throw Error(options.out + ": is there already; give another --out");
  for (const double limit : options.limits)
    if (!(limit > 0) || std::isinf(limit))
      throw Error("--limits " + plain(limit) + ": a limit is a positive number of milliseconds");
}

}  // namespace

std::string describe_fleet(const FleetOptions& options) {
  check_options(options);
  const auto features = std::make_shared<ArchitectureFeatures>(SearchSpace::load(options.space, options.geometry));
  const auto& space = features->space();
  auto file = read_device_measurements(space, options.measurements, measurement_form(options.form, options.unit, ""));
  warn_of_files(file.remarks);
  std::vector<std::string> names, left_out;
  for (const auto& one : file.devices) names.push_back(one.name);
  for (const auto& name : options.devices)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw Error("--devices: " + unknown_name("device", name, join(options.measurements), names));
  Known known(options, features);
  const Objective quality = known.quality();
  if (quality.is_stand_in)
    log_warning("the quality is " + quality.label + ", a stand-in for accuracy that nobody measured");
  for (const auto& [name, measured] : file.devices)  // errors before work
    if (!measured.unit_is_said)
      check_unit_beside_store(measured.latency_ms, known.store(), space, join(options.measurements) + ": " + name);
  std::vector<FleetDevice> devices;
  for (auto& one : file.devices) {
    check_interrupt();
    const bool wanted = options.devices.empty() ||
                        std::find(options.devices.begin(), options.devices.end(), one.name) != options.devices.end();
    if (!wanted || one.measured.n_known() == 0)
      left_out.push_back(one.name + (wanted ? " (no measurement succeeded)" : ""));
    else
      devices.push_back(look_at(options, known, std::move(one)));
  }
  if (devices.empty()) throw Error(join(options.measurements) + ": no device has a successful measurement");
  std::string text = "# " + count_of(std::ssize(devices), "device") + " of " + join(options.measurements) + " (" +
                     space.name() + ", quality " + quality.label + ")\n\n";
  for (const auto& remark : file.remarks) text += "- " + remark + "\n";
  if (!left_out.empty()) text += "- left out: " + join(left_out) + "\n";
  if (!file.remarks.empty() || !left_out.empty()) text += "\n";
  const FleetCover cover = cover_of(devices, options.threshold);
  text += table_of_all(devices);
  if (!devices[0].proxies.empty()) text += describe_cover(cover, std::ssize(devices), options);
  for (const auto& device : devices) text += describe_device(device, options, space);
  text += "\nLimits hold with probability " + plain(options.confidence) +
          " for a later measurement, where P(kept) is known. A predictor to search with: " + call_of("adapt", options) +
          " --measurements" + shell_words(options.measurements) + " --device " + shell_word(devices[0].name) +
          " --out " + shell_word(devices[0].name + ".h5") + "\n";
  const std::string spoken = text;
  if (!options.out.empty()) {
    write_file_atomically(options.out, csv_of(devices, space));
    text += options.out + "\n";
  }
  if (!options.results.empty())
    text += write_fleet_result(options, {known.store(), known.set(), spoken}, space, quality, devices, cover) + "\n";
  return text;
}

}  // namespace oneproxy
