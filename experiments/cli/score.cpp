// Values of predictors for a file of architectures, or for architectures of a space by index.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "experiments/cli/commands.h"
#include "experiments/cli/new_file.h"
#include "experiments/cli/score_shards.h"
#include "experiments/cli/score_table.h"
#include "experiments/cli/score_top.h"
#include "oneproxy/engine/base/interrupt.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/progress.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/sha256.h"
#include "oneproxy/engine/data/csv.h"
#include "oneproxy/engine/score/reduce_range.h"
#include "oneproxy/engine/search/problem.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {
namespace {
constexpr std::uint64_t kMaxRows = 100000000;  // of a file that anyone could read
constexpr std::uint64_t kMaxArchsFile = std::uint64_t{1} << 34;
constexpr std::uint64_t kChunk = std::uint64_t{1} << 16;  // architectures scored and written at a time

// A model over the part of the space that it covers.
struct ScoredColumn {
  std::string name, label, unit, checksum;
  std::optional<Direction> better;  // where it is known
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
  const bool unknown = full.starts_with("predictor:") && !recorded_direction(*objective.model);
  ScoredColumn column{name,
                      objective.label,
                      objective.unit,
                      objective.checksum,
                      unknown ? std::nullopt : std::optional(objective.direction),
                      objective.model,
                      std::make_unique<SubSpace>(sources.space),
                      nullptr,
                      nullptr};
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

// What is scored: architectures by their place.
class Architectures {
 public:
  virtual ~Architectures() = default;
  virtual std::uint64_t size() const = 0;
  virtual ScoreRows rows(std::span<const std::uint64_t> places) const = 0;  // without values
  virtual std::vector<std::string> kept() const { return {}; }              // columns of a file
  // [n] values of places from `first` on, where that takes no architecture one by one; empty where it does.
  virtual std::vector<double> values(const ScoredColumn&, std::uint64_t, std::uint64_t) const { return {}; }
};

class ListedArchitectures : public Architectures {
 public:
  ListedArchitectures(const SearchSpace& space, const ScoreOptions& options) : table_(read_csv(options.archs)) {
    if (table_.column("arch") < 0)
      throw Error(options.archs + ": has no column 'arch' with the space's strings, for example " +
                  space.to_string(space.choices(0)));
    for (const auto& name : options.predictors)
      if (table_.column(name) >= 0)
        throw Error(options.archs + ": has a column '" + name + "' already; remove it or score another predictor");
    for (std::size_t i = 0; i < table_.rows.size(); ++i) {
      try {
        choices_.push_back(space.parse(table_.rows[i][table_.column("arch")]));
      } catch (const Error& error) {
        throw Error(table_.location(i) + ": " + error.what());
      }
    }
  }
  std::uint64_t size() const override { return choices_.size(); }
  std::vector<std::string> kept() const override { return table_.columns; }
  ScoreRows rows(std::span<const std::uint64_t> places) const override {
    ScoreRows rows;
    for (const auto place : places) {
      rows.choices.push_back(choices_[place]);
      rows.kept.push_back(table_.rows[place]);
    }
    return rows;
  }

 private:
  CsvTable table_;
  std::vector<std::vector<std::uint8_t>> choices_;
};

ArchIndex whole_number(const std::string& text, const std::string& option) {
  const auto digits = whole_digits(text);
  if (!digits) throw Error(option + " " + text + ": should be a whole number, for example 1000000 or 1e6");
  return from_decimal(*digits);
}

class RangeOfArchitectures : public Architectures {
 public:
  RangeOfArchitectures(const SearchSpace& space, const ScoreOptions& options) : part_(SubSpace::of(space)) {
    const std::string where = part_.is_whole() ? "space " + space.name() : part_.describe();
    const ArchIndex begin = whole_number(options.begin, "--begin");
    if (begin >= part_.size())
      throw Error("--begin " + options.begin + " is beyond " + where + " of " + to_decimal(part_.size()));
    const ArchIndex left = part_.size() - begin;
    const ArchIndex count = options.count.empty() ? left : whole_number(options.count, "--count");
    if (count > left)
      throw Error("--count " + to_decimal(count) + " from " + options.begin + ": " + where + " has " +
                  to_decimal(part_.size()) + " architectures; give a smaller --count");
    if (options.top > 0 ? count >> 63 != 0 : count > kMaxRows)
      throw Error("--count " + to_decimal(count) + " from " + options.begin + ": " + where + " has " +
                  to_decimal(part_.size()) + " architectures, a file takes at most " + std::to_string(kMaxRows) +
                  "; give a smaller --count, keep the best with --top, or search with `oneproxy search`");
    run_ = {begin, static_cast<std::uint64_t>(count), options.shuffled, options.seed};
    radices_.assign(part_.radices().begin(), part_.radices().end());
    if (run_.shuffled) split_ = split_digits(radices_);
  }
  std::uint64_t size() const override { return run_.count; }
  ScoreRows rows(std::span<const std::uint64_t> places) const override {
    ScoreRows rows;
    for (const auto place : places) rows.choices.push_back(part_.choices(index_at(run_, place, split_)));
    return rows;
  }
  std::vector<double> values(const ScoredColumn& column, std::uint64_t first, std::uint64_t n) const override {
    // A part that the model narrows has other indices.
    if (!column.scorer || column.part->size() != part_.size()) return {};
    std::vector<double> scores(n);
    column.scorer->score({run_.begin + first, n, run_.shuffled, run_.seed}, scores);
    for (auto& score : scores) score = value_of_score(*column.model, score);
    return scores;
  }

 private:
  SubSpace part_;
  IndexRange run_;
  std::vector<std::uint32_t> radices_;
  DigitSplit split_;
};

std::vector<std::uint64_t> places_from(std::uint64_t first, std::uint64_t n) {
  std::vector<std::uint64_t> places(n);
  std::iota(places.begin(), places.end(), first);
  return places;
}

bool maximised(const ScoredColumn& column, const std::string& direction) {
  if (!direction.empty()) return direction == "max";
  if (!column.better)
    throw Error("--top: nothing says which way " + column.name + " is better; say it with --direction min or max");
  return *column.better == Direction::maximise;
}

// The best of places [begin, end) by a column.
TopScores best_of(const Architectures& all, const Interval& part, const ScoredColumn& column,
                  const ScoreOptions& options) {
  TopScores top(static_cast<std::size_t>(options.top), maximised(column, options.direction));
  Progress progress("looking for the best", static_cast<std::int64_t>(part.length()), "architectures");
  for (std::uint64_t first = part.begin; first < part.end; first += kChunk) {
    check_interrupt();
    const auto n = std::min(part.end - first, kChunk);
    auto values = all.values(column, first, n);
    if (values.empty()) values = values_of(column, all.rows(places_from(first, n)).choices);
    for (std::uint64_t i = 0; i < n; ++i) top.add(first + i, values[i]);
    progress.advance(static_cast<std::int64_t>(n));
  }
  return top;
}

// The rows of a shard, or the best of them.
ScoredPart score_part(const Architectures& all, const Interval& part, const std::vector<ScoredColumn>& columns,
                      const ScoreOptions& options) {
  ScoredPart scored;
  if (options.top > 0) {
    auto top = best_of(all, part, columns.front(), options);
    for (const auto place : top.places()) scored.places.push_back(static_cast<std::int64_t>(place));
    scored.values.push_back(top.values());
    return scored;
  }
  scored.values.resize(columns.size());
  Progress progress("score", static_cast<std::int64_t>(part.length()), "architectures");
  for (std::uint64_t first = part.begin; first < part.end; first += kChunk) {
    check_interrupt();
    const auto n = std::min(part.end - first, kChunk);
    const auto choices = all.rows(places_from(first, n)).choices;
    for (std::size_t p = 0; p < columns.size(); ++p) {
      const auto values = values_of(columns[p], choices);
      scored.values[p].insert(scored.values[p].end(), values.begin(), values.end());
    }
    progress.advance(static_cast<std::int64_t>(n));
  }
  return scored;
}

// What shards have scored, as if one process had.
class MergedScores {
 public:
  MergedScores(const Shards& shards, const std::string& identity, std::uint64_t n, const ScoreOptions& options,
               const std::vector<ScoredColumn>& columns)
      : parts_(load_parts(shards, identity, options.top > 0 ? 1 : columns.size())) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const auto& file = shards.files[i];
      const Interval part = part_of(file.shard, n);
      const std::size_t rows = options.top > 0 ? parts_[i].places.size() : part.length();
      for (const auto& values : parts_[i].values)
        if (values.size() != rows)
          throw Error(file.path + ": has " + std::to_string(values.size()) + " values for " + std::to_string(rows) +
                      " rows; run shard " + to_string(file.shard) + " again");
      for (const auto place : parts_[i].places)
        if (static_cast<std::uint64_t>(place) < part.begin || static_cast<std::uint64_t>(place) >= part.end)
          throw Error(file.path + ": holds row " + std::to_string(place) + ", which is none of its own; run shard " +
                      to_string(file.shard) + " again");
      begins_.push_back(part.begin);
    }
  }
  std::vector<std::uint64_t> best_places(std::int64_t k, bool maximise) const {
    TopScores top(static_cast<std::size_t>(k), maximise);
    for (const auto& part : parts_)
      for (std::size_t i = 0; i < part.places.size(); ++i)
        top.add(static_cast<std::uint64_t>(part.places[i]), part.values[0][i]);
    return top.places();
  }
  std::vector<double> values(std::size_t column, std::uint64_t first, std::uint64_t n) const {
    std::vector<double> values;
    for (std::uint64_t place = first; place < first + n; ++place) {
      const auto part = std::upper_bound(begins_.begin(), begins_.end(), place) - begins_.begin() - 1;
      values.push_back(parts_[part].values[column][place - begins_[part]]);
    }
    return values;
  }

 private:
  std::vector<ScoredPart> parts_;
  std::vector<std::uint64_t> begins_;
};

// All that decides the values and which they are, a line each.
std::string identity_of(const ScoreOptions& options, const SearchSpace& space, std::uint64_t n,
                        const std::string& data_checksum, const std::vector<ScoredColumn>& columns) {
  std::string text = "space = " + space.name() + "\nfirst architecture = " + space.to_string(space.choices(0)) +
                     "\nsize = " + to_decimal(space.size()) + "\narchitectures = " + std::to_string(n) + "\n";
  if (!options.archs.empty()) text += "archs = " + sha256_hex(read_file(options.archs, kMaxArchsFile)) + "\n";
  text += "begin = " + options.begin + "\n";
  if (options.shuffled) text += "shuffled, seed = " + std::to_string(options.seed) + "\n";
  if (options.top > 0) text += "top = " + std::to_string(options.top) + " " + options.direction + "\n";
  text += "precision = " + options.precision + "\n";
  if (!data_checksum.empty()) text += "data = " + data_checksum + "\n";
  for (const auto& column : columns) text += "predictor = " + column.name + " " + column.checksum + "\n";
  return text;
}

void require_names(const std::vector<std::string>& predictors) {
  std::set<std::string> seen = {"arch", "index", "choices", "decision"};
  for (const auto& name : predictors)
    if (!seen.insert(name).second)
      throw Error("--predictor " + name + ": a column of this name is there already; name each predictor once");
}

}  // namespace

std::string merge_scores(Shards shards, const std::string& out, bool force) {
  ScoreOptions options = score_options_of(shards.run.options);
  if (!out.empty()) options.out = out;
  options.force = force;
  options.merged = std::move(shards);
  return score_architectures(options);
}

std::string score_architectures(const ScoreOptions& options) {
  require_score_format(options.out);
  const bool is_part = !options.shard.is_whole();
  const std::string file = is_part ? shard_path(options.out, options.shard) : options.out;
  require_new_file(file, options.force);
  require_names(options.predictors);
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

  const auto start = std::chrono::steady_clock::now();
  std::unique_ptr<Architectures> all;
  if (options.archs.empty())
    all = std::make_unique<RangeOfArchitectures>(space, options);
  else
    all = std::make_unique<ListedArchitectures>(space, options);
  const std::string identity =
      identity_of(options, space, all->size(), opened ? opened->checksum(space.name()) : "", columns);
  if (is_part) {
    save_part(file, about_shard(options.shard, {"score", text_of(options), identity}), identity,
              score_part(*all, part_of(options.shard, all->size()), columns, options));
    log_info("shard " + to_string(options.shard) + " is done; when all are, join them: oneproxy merge " + options.out +
             ".shard-*-of-" + std::to_string(options.shard.count) + ".h5");
    return file + "\n";
  }
  std::optional<MergedScores> merged;
  if (options.merged) {
    if (options.merged->run.identity != identity)
      throw Error(options.merged->files.front().path + ": its settings or data are not what they were: " +
                  first_difference(identity, options.merged->run.identity) +
                  " then; merge where the files are that the shards used");
    merged.emplace(*options.merged, identity, all->size(), options, columns);
  }
  std::optional<std::vector<std::uint64_t>> best;
  if (options.top > 0)
    best = merged ? merged->best_places(options.top, maximised(columns.front(), options.direction))
                  : best_of(*all, {0, all->size()}, columns.front(), options).places();
  const std::uint64_t n = best ? best->size() : all->size();

  ScoreTableInfo info{space, all->kept()};
  for (const auto& column : columns) {
    info.names.push_back(column.name);
    info.units.push_back(column.unit);
    info.labels.push_back(column.label);
  }
  info.precision = options.precision;
  info.backend = to_string(backend);
  info.n_rows = static_cast<std::int64_t>(n);
  const auto table = make_score_table(options.out, info);
  Progress progress("score", info.n_rows, "architectures");
  std::uint64_t without = 0;
  for (std::uint64_t first = 0; first < n; first += kChunk) {
    check_interrupt();
    const auto size = std::min(n - first, kChunk);
    const auto places =
        best ? std::vector(best->begin() + first, best->begin() + first + size) : places_from(first, size);
    ScoreRows rows = all->rows(places);
    for (std::size_t p = 0; p < columns.size(); ++p)
      rows.values.push_back(merged && !best ? merged->values(p, first, size) : values_of(columns[p], rows.choices));
    for (std::uint64_t i = 0; i < size; ++i)
      without += std::any_of(rows.values.begin(), rows.values.end(),
                             [&](const auto& values) { return std::isnan(values[i]); });
    table->add(rows);
    progress.advance(static_cast<std::int64_t>(size));
  }
  table->finish();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (without > 0)
    log_warning(std::to_string(without) + " architectures have a choice that a table has no entry for: left empty");
  log_info(std::to_string(all->size()) + " architectures by " + std::to_string(columns.size()) + " predictors in " +
           fixed(seconds, 2) + " s" + (best ? ", the " + std::to_string(n) + " best by " + columns[0].name : ""));
  if (!table->form().empty()) log_info(options.out + ": " + table->form());
  return options.out + "\n";
}

}  // namespace oneproxy
