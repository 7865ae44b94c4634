#include "experiments/cli/next_problem.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "experiments/cli/metric_quantity.h"
#include "experiments/cli/quality_name.h"
#include "oneproxy/engine/base/log.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/base/read_file.h"
#include "oneproxy/engine/base/resources.h"
#include "oneproxy/engine/base/unit_number.h"
#include "oneproxy/engine/front_loop/loop_question.h"
#include "oneproxy/engine/search/objective.h"
#include "oneproxy/engine/space/accuracy_model.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::string store_of(const NextOptions& options) { return options.store.empty() ? shipped_store() : options.store; }
std::string set_of(const NextOptions& options, const SearchSpace& space) {
  return options.set.empty() ? space.measured_set() : options.set;
}

void check_column_name(const std::string& name, const std::string& option) {
  check_metric_name(name);
  for (const char* column : {"quality", "gain"})
    if (name == column)
      throw Error(option + " " + name + ": is a column of the networks to measure already; call the metric otherwise");
}

void check_direction(const Quantity& quantity) {
  if (quantity.maximised() && !quantity.is_rate())
    throw Error(
        quantity.name + " in " + quantity.unit +
        " is maximised and no rate: the loop makes what is measured small, and rates (images/s) large; measure " +
        "what is better when it is less");
}

std::vector<Quantity> measured_columns(const NextOptions& options, const SearchSpace& space) {
  std::vector<Quantity> columns = {latency_quantity()};
  const auto quantity = [&](const std::string& name, const std::string& unit, const std::string& direction) {
    return metric_quantity(name, unit, direction, options.set, store_of(options), space.name());
  };
  if (options.metric.empty()) {
    if (!options.direction.empty())
      throw Error("--direction " + options.direction + " is of a --metric; without one the measurements are latencies");
  } else {
    check_column_name(options.metric, "--metric");
    columns[0] = quantity(options.metric, options.unit, options.direction);
    check_direction(columns[0]);
  }
  if (options.also.empty()) {
    if (!options.also_limits.empty() || !options.also_unit.empty() || !options.also_direction.empty())
      throw Error("--also-limits, --also-unit and --also-direction are of a second quantity; name it with --also");
    return columns;
  }
  check_column_name(options.also, "--also");
  if (options.also == options.metric) throw Error("--also " + options.also + " is the --metric itself; name another");
  columns.push_back({quantity(options.also, options.also_unit, options.also_direction)});
  check_direction(columns[1]);
  return columns;
}

// In pairs; one limit of either goes with all of the other.
std::vector<std::vector<double>> limits_of(const NextOptions& options, const std::vector<MeasuredColumn>& columns) {
  const auto first = values_in_unit(options.limits, columns[0].quantity.unit, "--limits");
  const auto second = columns.size() > 1
                          ? values_in_unit(options.also_limits, columns[1].quantity.unit, "--also-limits")
                          : std::vector<double>{};
  for (const auto* all : {&first, &second})
    for (const double limit : *all)
      if (!(limit > 0) || std::isinf(limit))
        throw Error((all == &first ? "--limits " : "--also-limits ") + plain(limit) +
                    ": a limit is a positive number, in the unit of what is measured");
  if (first.size() > 1 && second.size() > 1 && first.size() != second.size())
    throw Error("--limits has " + std::to_string(first.size()) + " limits, --also-limits " +
                std::to_string(second.size()) + "; give as many of both, or one of either");
  std::vector<std::vector<double>> limits;
  const auto of = [](const std::vector<double>& all, std::size_t i) {
    return all.empty() ? std::numeric_limits<double>::quiet_NaN() : all[all.size() == 1 ? 0 : i];
  };
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    limits.push_back({of(first, i)});
    if (columns.size() > 1) limits.back().push_back(of(second, i));
  }
  return limits;
}

// The measurements of the store on the set, where it has them.
class Known {
 public:
  Known(const NextOptions& options, const SearchSpace& space) {
    if (!file_exists(store_of(options))) return;
    store_.emplace(store_of(options));
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    const std::string set = set_of(options, space);
    if (has(store_->spaces(), space.name()) && has(store_->sets(space.name()), set)) data_.emplace(*store_, space, set);
  }
  const Measurements* data() const { return data_ ? &*data_ : nullptr; }

 private:
  std::optional<Store> store_;
  std::optional<Measurements> data_;
};

}  // namespace

NextProblem next_problem(const NextOptions& options) {
  NextProblem problem;
  auto features = std::make_shared<ArchitectureFeatures>(SearchSpace::load(options.space, options.geometry));
  problem.features = features;
  const auto& space = problem.space();
  problem.columns = measured_columns(options, space);
  problem.form = measurement_form(options.form, options.metric.empty() ? options.unit : "", "");
  problem.settings = {.batch = options.batch,
                      .floor = options.floor,
                      .limits = limits_of(options, problem.columns),
                      .stop_gain = options.stop_gain,
                      .repeats = options.repeats,
                      .budget = options.budget,
                      .seed = options.seed};
  const Known known(options, space);
  const ObjectiveSources where{space, known.data(), store_of(options), "", Backend::cpu};
  auto quality = loop_quality(where, options.quality, "--quality",
                              options.quality.empty() ? quality_in(store_of(options), space) : "");
  problem.quality = options.quality.empty() ? kAccuracyModel : options.quality;
  if (quality.is_stand_in)
    log_warning("the quality is " + problem.quality + ": " + quality.label +
                ", a stand-in for accuracy that nobody measured; docs/search.md says how well it ranks");
  SubSpace part = SubSpace::of(space);
  for (const auto& text : options.fix) part.fix(text);
  auto candidates = loop_candidates(quality, std::move(part), features->physics().additive(), known.data(),
                                    options.seed, "--quality");
  std::vector<MeasuredObjective> measured;
  for (std::size_t i = 0; i < problem.columns.size(); ++i) {
    const auto& names = i == 0 ? options.sources : options.also_sources;
    auto sources = load_sources(features, {set_of(options, space), options.store, names, "", options.seed}).sources;
    measured.push_back(measured_objective(problem.columns[i], std::move(sources), options.seed));
  }
  problem.loop = {features, std::move(measured), std::move(quality), std::move(candidates)};
  return problem;
}

}  // namespace oneproxy
