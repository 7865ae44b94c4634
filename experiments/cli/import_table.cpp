#include "experiments/cli/import_table.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "experiments/cli/new_file.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/data/layer_latency_file.h"
#include "oneproxy/engine/device/measurement_csv.h"
#include "oneproxy/engine/predictor/choice_table.h"
#include "oneproxy/engine/predictor/layer_table.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/engine/predictor/table_coverage.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/space/accuracy_model.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kShownEntries = 10;  // of those that are missing

bool is_yaml(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

// A folder stands for the *.yaml files in it.
std::vector<fs::path> files_of(const std::vector<std::string>& given) {
  std::vector<fs::path> files;
  for (const auto& one : given) {
    std::error_code error;
    if (!fs::is_directory(one, error)) {
      files.emplace_back(one);
      continue;
    }
    const std::size_t before = files.size();
    for (const auto& entry : fs::directory_iterator(one))
      if (is_yaml(entry.path())) files.push_back(entry.path());
    if (files.size() == before) throw Error(one + ": is a folder without a file *.yaml");
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
  }
  return files;
}

// "224_lookup_table.yaml" is of a network with an input of 224x224.
int resolution_of(const fs::path& file) {
  const std::string name = file.filename().string();
  const auto digits = name.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string::npos || digits > 6)
    throw Error(file.string() +
                ": the space decides the resolution; the name of a file should begin with its own, as "
                "224_lookup_table.yaml");
  return std::stoi(name.substr(0, digits));
}

double scale_of(const std::string& unit) { return unit == "s" || unit == "us" ? to_ms(unit) : 1; }

void scale_table(AdditivePredictor& table, double scale) {
  for (double& weight : table.weights) weight *= scale;
  for (double& bias : table.bias) bias *= scale;
}

AdditivePredictor read_table_files(const TableImport& options, const SearchSpace& space) {
  const auto files = files_of(options.files);
  const double scale = scale_of(options.unit);
  AdditivePredictor table;
  std::vector<std::string> sums;
  if (files.size() == 1 && files[0].extension() == ".csv") {
    const CsvTable csv = read_csv(files[0].string());
    table = table_of_choices(space, csv, scale);
    sums.push_back(csv.sha256);
  } else {
    std::vector<LayerLatencies> layers;
    for (const auto& file : files) {
      if (!is_yaml(file))
        throw Error(file.string() +
                    ": a table is one CSV file (*.csv) of decision,choice,value, or *.yaml files of "
                    "latencies of layers");
      layers.push_back({space.resolutions().empty() ? 0 : resolution_of(file), read_layer_latencies(file.string())});
      sums.push_back(layers.back().file.sha256);
    }
    auto read = table_of_layers(space, layers);
    for (const auto& remark : read.remarks) log_warning(remark);
    table = std::move(read.table);
    if (scale != 1) scale_table(table, scale);
  }
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.filename().string());
  table.record["source"] = options.source.empty() ? join(names) : options.source;
  table.record["licence"] = options.licence;
  table.record["files_sha256"] = join(sums);
  return table;
}

std::string share(ArchIndex part, ArchIndex whole) {
  return brief(100 * static_cast<double>(part) / static_cast<double>(whole)) + " %";
}

// What the table can not predict; refused where it can predict nothing.
std::string describe_gaps(const SearchSpace& space, const TableCoverage& coverage, const std::string& where) {
  const auto name = [&](const MissingEntry& entry) {
    const auto& decision = space.decisions()[entry.decision];
    return decision.name + "=" + decision.choices[entry.choice].operation.name;
  };
  std::string text;
  if (coverage.n_absent > 0)
    text += "  without a table: " + count_of(coverage.n_absent, "resolution") + " of " +
            std::to_string(space.resolutions().size()) + "\n";
  if (!coverage.missing.empty()) {
    Table rows({"choice without an entry", "networks that have it", "of the space"});
    for (std::size_t i = 0; i < std::min(kShownEntries, coverage.missing.size()); ++i) {
      const auto& entry = coverage.missing[i];
      rows.row({name(entry), to_decimal(entry.networks), share(entry.networks, coverage.networks)});
    }
    if (coverage.predicted == 0) {
      // A decision without any entry tells more than one that lacks some.
      const auto lost = [&](const MissingEntry& entry) {
        return std::count_if(coverage.missing.begin(), coverage.missing.end(),
                             [&](const MissingEntry& other) { return other.decision == entry.decision; });
      };
      const auto worst = std::max_element(coverage.missing.begin(), coverage.missing.end(),
                                          [&](const auto& a, const auto& b) { return lost(a) < lost(b); });
      throw Error(where + ": no network of space " + space.name() + " has an entry for all of its choices; " +
                  count_of(std::ssize(coverage.missing), "choice") + " have none, for example " + name(*worst));
    }
    text += rows.markdown();
    if (coverage.missing.size() > kShownEntries)
      text += "and " + count_of(std::ssize(coverage.missing) - static_cast<std::int64_t>(kShownEntries), "choice") +
              " more\n";
  }
  if (coverage.predicted < coverage.networks)
    text += "  predicts " + to_decimal(coverage.predicted) + " of " + to_decimal(coverage.networks) + " networks (" +
            share(coverage.predicted, coverage.networks) + "); a search leaves the others out\n";
  return text;
}

}  // namespace

std::string import_table(const TableImport& options) {
  require_new_file(options.out, options.force);
  const SearchSpace space = SearchSpace::load(options.space);
  AdditivePredictor table = read_table_files(options, space);
  table.unit = scale_of(options.unit) == 1 ? options.unit : "ms";
  table.target = options.target.empty() ? (options.name.empty() ? "own table" : options.name) : options.target;
  check_predictor(table, space, options.files.front());
  const TableCoverage coverage = table_coverage(space, table);
  const std::string gaps = describe_gaps(space, coverage, options.files.front());
  if (coverage.predicted < coverage.networks)
    table.record["networks_predicted"] = to_decimal(coverage.predicted) + " of " + to_decimal(coverage.networks);
  std::string text, objective;
  if (!options.out.empty()) {
    save_predictor(options.out, table);
    text = options.out + ": table";
    objective = "table:" + options.out;
  } else {
    add_predictor(options.store, shipped_store(), options.name, table);
    text = options.store + ": table " + options.name;
    objective = "table:" + options.name;
  }
  return text + " of " + space.name() + " (" + table.target + ", " + table.unit + ")\n" + gaps +
         "Search with it, for example:\n  oneproxy search --space " + shell_word(options.space) + " --latency " +
         shell_word(objective) + (options.out.empty() ? " --store " + shell_word(options.store) : "") + " --quality " +
         proposed_quality(space) + "\n";
}

}  // namespace oneproxy
