// What users have, into a store: measurements of their own device from a CSV file, trained predictors from PyTorch.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>

#include "engine/base/log.h"
#include "engine/base/resources.h"
#include "engine/data/csv.h"
#include "engine/data/store.h"
#include "engine/predictor/library.h"
#include "engine/predictor/torch_predictor.h"
#include "engine/report/table.h"
#include "engine/space/space.h"
#include "experiments/commands.h"
#include "kernels/error.h"

namespace oneproxy {
namespace {

// A latency in ms; NaN for a failed measurement (empty, nan, or -1 as some tools write it).
double parse_latency(const std::string& text, const std::string& place) {
  if (text.empty() || text == "-1" || text == "-1.0") return std::numeric_limits<double>::quiet_NaN();
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end != '\0')
    throw Error(place + ": latency_ms = '" + text + "' is not a number; write milliseconds, or nothing for a failure");
  if (std::isnan(value)) return value;
  if (!(value > 0) || std::isinf(value))
    throw Error(place + ": latency_ms = '" + text + "' should be positive; write nothing for a failed measurement");
  return value;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void check_device_name(const std::string& device) {
  if (device.empty() || device == "all" || device.find_first_of("/:\"' ") != std::string::npos || device[0] == '.')
    throw Error("--device '" + device + "': a device name has no blanks, quotes, '/' or ':', and is not \"all\"");
}

}  // namespace

std::string import_device(const ImportOptions& options) {
  check_device_name(options.device);
  check_device_name(options.set);
  const SearchSpace space = SearchSpace::load(options.space);
  const CsvTable table = read_csv(options.file);
  for (const char* needed : {"arch", "latency_ms"})
    if (table.column(needed) < 0)
      throw Error(options.file + ": has no column '" + needed +
                  "'; the header should be arch,latency_ms[,repeat], latencies in milliseconds");
  for (const auto& column : table.columns)
    if (column != "arch" && column != "latency_ms" && column != "repeat")
      throw Error(options.file + ": unknown column '" + column + "'; the header should be arch,latency_ms[,repeat]");

  // Repeated measurements of an architecture become their median.
  std::map<std::vector<std::uint8_t>, std::vector<double>> repeats;
  std::int64_t failed = 0;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    std::vector<std::uint8_t> choices;
    try {
      choices = space.parse(table.rows[i][table.column("arch")]);
    } catch (const Error& error) {
      throw Error(table.place(i) + ": " + error.what());
    }
    const double latency = parse_latency(table.rows[i][table.column("latency_ms")], table.place(i));
    auto& values = repeats[choices];
    if (std::isnan(latency))
      ++failed;
    else
      values.push_back(latency);
  }
  DeviceMeasurements measured;
  measured.device = options.device;
  measured.n_decisions = space.n_decisions();
  std::int64_t known = 0, repeated = 0;
  for (const auto& [choices, values] : repeats) {
    measured.choices.insert(measured.choices.end(), choices.begin(), choices.end());
    measured.latency_ms.push_back(values.empty() ? std::numeric_limits<double>::quiet_NaN() : median(values));
    known += !values.empty();
    repeated += values.size() > 1;
  }
  if (known == 0) throw Error(options.file + ": has no successful measurement");
  if (failed > 0) log_warning(std::to_string(failed) + " measurements failed and are left out");
  measured.attributes = {
      {"source", options.source.empty() ? std::filesystem::path(options.file).filename().string() : options.source},
      {"licence", options.licence.empty() ? std::string("private") : options.licence},
      {"precision", options.precision},
      {"batch", options.batch},
      {"n_failed", failed}};
  add_device(options.store, shipped_store(), options.space, options.set, measured);

  // Only architectures that other devices know as well can be compared with them.
  std::string text = options.store + ": " + options.set + ":" + options.device + " has " + std::to_string(known) +
                     " architectures of " + options.space +
                     (repeated ? " (" + std::to_string(repeated) + " measured several times: medians)" : "") + "\n";
  const Store store(options.store);
  for (const auto& set : store.sets(options.space)) {
    if (set == options.set) continue;
    const auto rows = store.rows(options.space, set);
    std::int64_t common = 0;
    for (std::int64_t i = 0; i < rows.n; ++i) {
      const auto row = rows.row(i);
      const auto found = repeats.find({row.begin(), row.end()});
      common += found != repeats.end() && !found->second.empty();
    }
    text += "  in common with set " + set + ": " + std::to_string(common) + "\n";
  }
  return text + "Use it as a target, for example:\n  oneproxy run " + home_folder() + "/configs/" + options.space +
         "/adaproxy.toml --set 'store=" + options.store + "' --set 'targets=[\"" + options.set + ":" + options.device +
         "\"]'\n";
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
  return options.store + ": predictor " + name + " of " + options.space + " (" + options.target + ", " + options.unit +
         "): " + std::to_string(predictor.rows.size() / predictor.first_width) + " choices-" + widths + "\n";
}

}  // namespace oneproxy
