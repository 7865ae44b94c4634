// Values of predictors for a file of architectures, or for architectures of a space by index.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "experiments/cli/commands.h"
#include "oneproxy/engine/base/atomic_path.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/report/table.h"
#include "oneproxy/engine/score/reduce_range.h"
#include "oneproxy/engine/search/problem.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {
namespace {
constexpr std::uint64_t kMaxRows = 100000000;             // of a CSV that anyone could read
constexpr std::uint64_t kChunk = std::uint64_t{1} << 16;  // architectures scored and written at a time

// A model over the part of the space that it covers.
struct ScoredColumn {
  std::string name;
  std::shared_ptr<const Predictor> model;
  std::unique_ptr<SubSpace> part;
  std::unique_ptr<PredictorKernel> kernel;  // with the scorer: none for a table by index
  std::unique_ptr<Scorer> scorer;
};

ScoredColumn make_column(const ObjectiveSources& sources, const std::string& name, Precision precision) {
  // A bare name is a predictor of the store or a file.
  const std::string full = name.find(':') == std::string::npos ? "predictor:" + name : name;
  const auto objective = find_objective(sources, full, "--predictor");
  if (!objective.model)
    throw Error("--predictor " + name + ": measurements are no predictor; use predictor:, table:, proxy: or model:");
  ScoredColumn column{name, objective.model, std::make_unique<SubSpace>(sources.space), nullptr, nullptr};
  keep_predictable(*column.model, *column.part);
  if (!has_kernels(*column.model)) return column;
  column.kernel = std::make_unique<PredictorKernel>(*column.model, *column.part);
  column.scorer = std::make_unique<Scorer>(column.part->code(), std::vector<ScoreFunction>{column.kernel->view()},
                                           sources.backend, precision);
  return column;
}

// choices: [n] architectures -> values [n]; NaN where the model has no entry.
std::vector<double> values_of(const ScoredColumn& column, const std::vector<std::vector<std::uint8_t>>& architectures) {
  std::vector<double> values(architectures.size(), std::nan(""));
  if (!column.scorer) {
    std::vector<std::uint8_t> choices;
    for (const auto& own : architectures) choices.insert(choices.end(), own.begin(), own.end());
    predict(*column.model, choices, values);
    return values;
  }
  std::vector<std::uint32_t> digits;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < architectures.size(); ++i) {
    const auto own = column.part->digits(architectures[i]);
    if (!own.empty()) places.push_back(i);
    digits.insert(digits.end(), own.begin(), own.end());
  }
  std::vector<double> scores(places.size());
  column.scorer->score_list(digits, scores);
  for (std::size_t i = 0; i < places.size(); ++i) values[places[i]] = value_of_score(*column.model, scores[i]);
  return values;
}

}  // namespace

std::string score_architectures(const ScoreOptions& options) {
  const SearchSpace space = SearchSpace::load(options.space);
  const std::string store = options.store.empty() ? shipped_store() : options.store;
  const Backend backend = options.backend == "cuda" || (options.backend == "auto" && cuda_device_count() > 0)
                              ? Backend::cuda
                              : Backend::cpu;
  require_backend(backend);
  std::optional<Store> opened;
  std::optional<Measurements> data;  // for proxy:DEVICE
  if (std::any_of(options.predictors.begin(), options.predictors.end(),
                  [](const auto& name) { return name.rfind("proxy:", 0) == 0; })) {
    opened.emplace(store);
    data.emplace(*opened, space, space.measured_set());
  }
  std::vector<ScoredColumn> columns;
  for (const auto& name : options.predictors)
    columns.push_back(
        make_column({space, data ? &*data : nullptr, store, "", backend}, name, parse_precision(options.precision)));
  for (const auto& column : columns) {
    if (!column.scorer) log_info(column.name + ": looked up");
    for (const auto& path : column.scorer ? column.scorer->paths() : std::vector<std::string>{})
      log_info(column.name + ": scored by " + path);
  }

  std::uint64_t n = 0, without = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto append = [&](std::string& text, const std::vector<std::vector<double>>& values, std::size_t i) {
    bool missing = false;
    for (const auto& column : values) {
      text += "," + exact(column[i]);
      missing = missing || std::isnan(column[i]);
    }
    without += missing;
    text += "\n";
  };
  const auto score = [&](const std::vector<std::vector<std::uint8_t>>& architectures) {
    std::vector<std::vector<double>> values;
    for (const auto& column : columns) values.push_back(values_of(column, architectures));
    n += architectures.size();
    return values;
  };
  std::string names;
  for (const auto& column : columns) names += "," + csv_field(column.name);
  if (!options.archs.empty()) {
    const CsvTable table = read_csv(options.archs);
    if (table.column("arch") < 0)
      throw Error(options.archs + ": has no column 'arch' with the space's strings, for example " +
                  space.to_string(space.choices(0)));
    for (const auto& column : columns)
      if (table.column(column.name) >= 0)
        throw Error(options.archs + ": has a column '" + column.name +
                    "' already; remove it or score another predictor");
    std::vector<std::vector<std::uint8_t>> architectures;
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      try {
        architectures.push_back(space.parse(table.rows[i][table.column("arch")]));
      } catch (const Error& error) {
        throw Error(table.location(i) + ": " + error.what());
      }
    }
    const auto values = score(architectures);
    OutputFile out(options.out);
    std::string text;
    for (std::size_t c = 0; c < table.columns.size(); ++c) text += (c ? "," : "") + csv_field(table.columns[c]);
    text += names + "\n";
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      for (std::size_t c = 0; c < table.columns.size(); ++c) text += (c ? "," : "") + csv_field(table.rows[i][c]);
      append(text, values, i);
    }
    out.write(text);
    out.finish();
  } else {
    const SubSpace part = SubSpace::of(space);
    const std::string where = part.is_whole() ? "space " + space.name() : part.describe();
    const ArchIndex begin = from_decimal(options.begin);
    if (begin >= part.size())
      throw Error("--begin " + options.begin + " is beyond " + where + " of " + to_decimal(part.size()));
    const ArchIndex count = options.count.empty() ? part.size() - begin : from_decimal(options.count);
    if (count > part.size() - begin || count > kMaxRows)
      throw Error("--count " + to_decimal(count) + " from " + options.begin + ": " + where + " has " +
                  to_decimal(part.size()) + " architectures, a file takes at most " + std::to_string(kMaxRows) +
                  "; give a smaller --count, or search with `oneproxy search`");
    const IndexRange run{begin, static_cast<std::uint64_t>(count), options.shuffled, options.seed};
    const auto radices = part.radices();
    const DigitSplit split = run.shuffled ? split_digits(radices) : DigitSplit{};
    OutputFile out(options.out);
    out.write("index,arch" + names + "\n");
    Progress progress("score", static_cast<std::int64_t>(run.count), "architectures");
    for (std::uint64_t first = 0; first < run.count; first += kChunk) {
      check_interrupt();
      std::vector<std::vector<std::uint8_t>> architectures;
      for (std::uint64_t i = first; i < std::min(run.count, first + kChunk); ++i)
        architectures.push_back(part.choices(index_at(run, i, split)));
      const auto values = score(architectures);
      std::string text;
      for (std::size_t i = 0; i < architectures.size(); ++i) {
        text += to_decimal(space.index(architectures[i])) + "," + csv_field(space.to_string(architectures[i]));
        append(text, values, i);
      }
      out.write(text);
      progress.advance(static_cast<std::int64_t>(architectures.size()));
    }
    out.finish();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (without > 0)
    log_warning(std::to_string(without) + " architectures have a choice that a table has no entry for: left empty");
  log_info(std::to_string(n) + " architectures by " + std::to_string(columns.size()) + " predictors in " +
           fixed(seconds, 2) + " s");
  return options.out + "\n";
}

}  // namespace oneproxy
