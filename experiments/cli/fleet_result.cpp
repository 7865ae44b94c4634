#include "experiments/cli/fleet_result.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "experiments/labels.h"
#include "oneproxy/engine/base/labelled_arrays.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/provenance.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/result_folder.h"
#include "oneproxy/engine/base/summary.h"
#include "oneproxy/engine/data/store.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
const std::string kTooFew = "fewer than " + std::to_string(kMinNetworksToRank) + " networks were measured on both";

// Every architecture that any device measured, once, and what each of them took.
struct AllMeasured {
  std::vector<std::uint8_t> choices;            // [n, n_decisions]
  std::vector<std::vector<double>> latency_ms;  // [device][n]; NaN where not measured
};

AllMeasured all_measured(const std::vector<FleetDevice>& devices, std::size_t decisions) {
  AllMeasured all;
  std::map<std::vector<std::uint8_t>, std::size_t> places;
  for (const auto& device : devices) {
    const auto& choices = device.report.measured.choices;
    for (std::size_t at = 0; at < choices.size(); at += decisions) {
      const std::vector<std::uint8_t> one(choices.begin() + at, choices.begin() + at + decisions);
      if (places.emplace(one, places.size()).second) all.choices.insert(all.choices.end(), one.begin(), one.end());
    }
  }
  for (const auto& device : devices) {
    const auto& measured = device.report.measured;
    auto& own = all.latency_ms.emplace_back(places.size(), kUnknown);
    for (std::int64_t i = 0; i < measured.n(); ++i) {
      const auto begin = measured.choices.begin() + i * static_cast<std::int64_t>(decisions);
      own[places.at({begin, begin + static_cast<std::int64_t>(decisions)})] = measured.latency_ms[i];
    }
  }
  return all;
}

std::vector<double> flat(const std::vector<std::vector<double>>& rows) {
  std::vector<double> all;
  for (const auto& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

// Of pairs of devices; over so few networks as to say nothing it is not known.
CorrelationMatrix alike(const AllMeasured& all) {
  auto srcc =
      spearman_matrix(std::vector<std::span<const double>>(all.latency_ms.begin(), all.latency_ms.end()), Backend::cpu);
  for (std::int64_t i = 0; i < srcc.size * srcc.size; ++i)
    if (srcc.n_pairs[i] < kMinNetworksToRank) srcc.value[i] = kUnknown;
  return srcc;
}

void write_devices(LabelledArrays& arrays, const std::vector<FleetDevice>& devices) {
  const std::vector<std::string> a_device = {"devices"};
  std::vector<std::string> advice;
  std::vector<std::int64_t> measured, failed;
  std::vector<double> expected, low, high, probability;
  for (const auto& [name, report, proxies, networks] : devices) {
    measured.push_back(report.n_known);
    failed.push_back(report.measured.n_failed);
    expected.push_back(report.expected.value);
    low.push_back(report.expected.low);
    high.push_back(report.expected.high);
    probability.push_back(report.probability);
    advice.push_back(advice_on(report));
  }
  arrays.write("n_measured", measured, a_device, {"measured networks", "1"});
  arrays.write("n_failed", failed, a_device, {"measurements that failed", "1"});
  arrays.write("expected_srcc", expected, a_device, {"expected SRCC of the device's own predictor", "1"});
  arrays.write("expected_srcc_low", low, a_device, {"10 % quantile of the expected SRCC", "1"});
  arrays.write("expected_srcc_high", high, a_device, {"90 % quantile of the expected SRCC", "1"});
  arrays.write("probability", probability, a_device, {"probability that it reaches the threshold", "1"});
  arrays.write("advice", advice, "devices", {"what to do about its measurements", ""});
}

void write_proxies(LabelledArrays& arrays, const std::vector<FleetDevice>& devices) {
  std::vector<std::string> proxies;
  for (const auto& device : devices)
    for (const auto& fit : device.proxies)
      if (std::find(proxies.begin(), proxies.end(), fit.proxy) == proxies.end()) proxies.push_back(fit.proxy);
  if (proxies.empty()) return;
  std::sort(proxies.begin(), proxies.end(), natural_less);
  const std::vector<double> none(devices.size() * proxies.size(), kUnknown);
  std::vector<double> srcc = none, low = none, high = none;
  for (std::size_t i = 0; i < devices.size(); ++i)
    for (const auto& fit : devices[i].proxies) {
      const auto at = i * proxies.size() + (std::find(proxies.begin(), proxies.end(), fit.proxy) - proxies.begin());
      srcc[at] = fit.srcc, low[at] = fit.low, high[at] = fit.high;
    }
  const std::vector<std::string> both = {"devices", "proxy"};
  arrays.axis("proxy", proxies, {"known device", ""});
  arrays.write("proxy_srcc", srcc, both, {"SRCC of the proxy's predictor with the measured networks", "1"});
  arrays.write("proxy_srcc_low", low, both, {"lower end of its 90 % interval", "1"});
  arrays.write("proxy_srcc_high", high, both, {"upper end of its 90 % interval", "1"});
}

// A row for each device and limit.
void write_networks(LabelledArrays& arrays, const std::vector<FleetDevice>& devices, const SearchSpace& space,
                    const Objective& quality) {
  std::vector<std::string> rows, names, architectures;
  std::vector<double> limit, latency, deviation, probability, good;
  for (const auto& device : devices)
    for (const auto& network : device.networks) {
      rows.push_back(device.name + " within " + brief(network.limit_ms) + " ms");
      names.push_back(device.name);
      limit.push_back(network.limit_ms);
      architectures.push_back(network.best ? space.to_string(network.best->choices) : "");
      good.push_back(network.best ? network.best->values[0] : kUnknown);
      latency.push_back(network.best ? network.best->values[1] : kUnknown);
      deviation.push_back(network.kept.deviation);
      probability.push_back(network.kept.probability);
    }
  if (rows.empty()) return;
  const std::vector<std::string> a_question = {"question"};
  arrays.axis("networks/question", rows, {"device and limit", ""});
  arrays.write("networks/device", names, "question", {"device", ""});
  arrays.write("networks/architecture", architectures, "question", {"best network; empty: none keeps the limit", ""});
  arrays.write("networks/limit_ms", limit, a_question, {"latency limit", "ms"});
  arrays.write("networks/latency_ms", latency, a_question, {"predicted latency", "ms"});
  arrays.write("networks/deviation_ms", deviation, a_question, {"standard deviation of one measurement", "ms"});
  arrays.write("networks/probability", probability, a_question, {"probability to keep the limit", "1"});
  arrays.write("networks/quality", good, a_question, {quality.label, quality.unit.empty() ? "1" : quality.unit});
}

// As people call the known devices.
void name_sources(LabelledArrays& arrays, const FleetResultOptions& result, const std::string& space) {
  if (!file_exists(result.store)) return;
  const Store store(result.store);
  const auto has = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!has(store.spaces(), space) || !has(store.sets(space), result.set)) return;
  for (const auto& device : store.devices(space, result.set))
    if (const auto name = store.long_name(space, result.set, device); !name.empty())
      arrays.set_attribute("/names", device, name);
}

void write_arrays(const std::string& path, const FleetOptions& options, const FleetResultOptions& result,
                  const SearchSpace& space, const Objective& quality, const std::vector<FleetDevice>& devices,
                  const AllMeasured& all, const CorrelationMatrix& srcc) {
  LabelledArrays arrays(path);
  label_space(arrays, space);
  const std::pair<const char*, std::string> attributes[] = {{"kind", "fleet"},
                                                            {"set", result.set},
                                                            {"sources", join(options.sources)},
                                                            {"quality", quality.label},
                                                            {"quality_unit", quality.unit},
                                                            {"method", "bayes"}};
  for (const auto& [name, value] : attributes) arrays.set_attribute("/", name, value);
  arrays.set_attribute("/", "threshold", options.threshold);
  arrays.set_attribute("/", "confidence", options.confidence);
  name_sources(arrays, result, space.name());

  std::vector<std::string> names;
  for (const auto& device : devices) names.push_back(device.name);
  arrays.axis("devices", names, {"measured device", ""});
  arrays.axis("with_device", names, {"the other device", ""});
  arrays.axis("architecture", architecture_strings(space, all.choices), {"measured architecture", ""});
  arrays.write("choices", all.choices, {"architecture", "decision"}, {"choice of each decision", "1"});
  arrays.write("latency_ms", flat(all.latency_ms), {"devices", "architecture"}, {"measured latency, median", "ms"});
  const std::vector<std::string> pairs = {"devices", "with_device"};
  arrays.write("srcc", srcc.value, pairs, {"Spearman's rank correlation (SRCC) over networks measured on both", "1"});
  arrays.write("n_pairs", srcc.n_pairs, pairs, {"networks measured on both", "1"});
  write_devices(arrays, devices);
  write_proxies(arrays, devices);
  write_networks(arrays, devices, space, quality);
  arrays.close();
}

void summarise_networks(Summary& summary, const FleetDevice& device, const SearchSpace& space) {
  for (const auto& network : device.networks) {
    const std::string of = "." + device.name + "." + brief(network.limit_ms);
    if (!network.best) {
      summary.set("arch" + of, kUnknown);
      summary.set_reason("arch" + of, "no network keeps the limit");
      continue;
    }
    summary.set("arch" + of, space.to_string(network.best->choices));
    summary.set("quality" + of, network.best->values[0]);
    summary.set("latency_ms" + of, network.best->values[1]);
    if (std::isnan(network.kept.probability)) continue;
    summary.set("latency_ms_deviation" + of, network.kept.deviation);
    summary.set("latency_ms_probability" + of, network.kept.probability);
  }
}

Summary summary_of(const FleetOptions& options, const SearchSpace& space, const std::vector<FleetDevice>& devices,
                   const FleetCover& cover, const CorrelationMatrix& srcc) {
  Summary summary;
  summary.set("n_devices", static_cast<std::int64_t>(devices.size()));
  summary.set("threshold", options.threshold);
  if (!devices[0].proxies.empty()) {
    if (!cover.proxies.empty()) summary.set("proxies", join(cover.proxies));
    summary.set("proxies_needed", static_cast<std::int64_t>(cover.proxies.size()));
    summary.set("proxies_exact", cover.exact);
    if (!cover.alone.empty()) summary.set("unserved", join(cover.alone));
  }
  for (std::int64_t i = 0; i < srcc.size; ++i)
    for (std::int64_t j = 0; j < i; ++j) {
      const std::string key = "srcc." + devices[i].name + "." + devices[j].name;
      const auto at = i * srcc.size + j;
      summary.set(key, srcc.value[at]);
      if (!std::isnan(srcc.value[at])) continue;
      summary.set_reason(key, srcc.n_pairs[at] < kMinNetworksToRank ? kTooFew : to_string(srcc.reason[at]));
    }
  for (const auto& device : devices) {
    const auto& report = device.report;
    const std::string of = "." + device.name;
    summary.set("n_measured" + of, report.n_known);
    summary.set("n_failed" + of, report.measured.n_failed);
    if (!device.proxies.empty()) {
      summary.set("best_proxy" + of, device.proxies[0].proxy);
      summary.set("best_proxy_srcc" + of, device.proxies[0].srcc);
      if (std::isnan(device.proxies[0].srcc))
        summary.set_reason("best_proxy_srcc" + of,
                           "the measured networks have no ranks: too few of them, or all equal");
    }
    summary.set("expected_srcc" + of, report.expected.value);
    if (!report.adapted()) {
      summary.set_reason("expected_srcc" + of, report.why_not_adapted);
      continue;
    }
    summary.set("expected_srcc_low" + of, report.expected.low);
    summary.set("expected_srcc_high" + of, report.expected.high);
    summary.set("probability" + of, report.probability);
    summary.set("advice" + of, advice_on(report));
    summarise_networks(summary, device, space);
  }
  return summary;
}

}  // namespace

std::string write_fleet_result(const FleetOptions& options, const FleetResultOptions& result, const SearchSpace& space,
                               const Objective& quality, const std::vector<FleetDevice>& devices,
                               const FleetCover& cover) {
  Provenance provenance;
  provenance.kind = "fleet";
  provenance.command = options.command;
  provenance.seed = static_cast<std::int64_t>(options.seed);
  std::string identity = space.name() + options.geometry + result.set + quality.label + join(options.sources) +
                         join(options.devices) + plain(options.threshold) + plain(options.confidence) +
                         std::to_string(options.seed);
  for (const double limit : options.limits) identity += " " + plain(limit);
  for (const auto& file : devices[0].report.measured.files) {
    provenance.data["measurements " + file.name] = file.sha256;
    identity += "# " + file.sha256 + "\n";
  }
  const std::string name = std::filesystem::path(options.measurements[0]).stem().string();
  const std::string path = ResultFolder::path_of(options.results, "fleet", name, identity);
  ResultFolder folder(path);
  const AllMeasured all = all_measured(devices, space.radices().size());
  const CorrelationMatrix srcc = alike(all);
  {
    Timer timer(provenance.timings, "run");
    write_arrays(folder.file("arrays.h5"), options, result, space, quality, devices, all, srcc);
  }
  folder.write("summary.json", summary_of(options, space, devices, cover, srcc).json());
  folder.write("report.md", result.spoken);
  folder.write("provenance.json", provenance.json());
  folder.finish();
  return path;
}

}  // namespace oneproxy
