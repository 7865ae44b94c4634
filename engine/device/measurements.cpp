#include "oneproxy/engine/device/measurements.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/numbers.h"
#include "oneproxy/engine/device/value_range.h"
#include "oneproxy/engine/space/accuracy_model.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr std::string_view kModel = "model:", kMetric = "metric:";

std::string_view as_key(std::span<const std::uint8_t> row) {
  return {reinterpret_cast<const char*>(row.data()), row.size()};
}

}  // namespace

std::int64_t Series::n_known() const {
  return std::count_if(values.begin(), values.end(), [](double v) { return !std::isnan(v); });
}

Measurements::Measurements(const Store& store, const SearchSpace& space, const std::string& set,
                           std::vector<std::int64_t> selection)
    : store_(store), space_(space), set_(set), selection_(std::move(selection)), rows_(store.rows(space.name(), set)) {
  if (rows_.n_decisions != space.n_decisions())
    throw Error(store.path() + ": set " + set + " has " + std::to_string(rows_.n_decisions) + " decisions, space " +
                space.name() + " has " + std::to_string(space.n_decisions()));
  for (std::int64_t i = 0; i < rows_.n; ++i)
    if (const auto fault = space.fault(rows_.row(i)); !fault.empty())
      throw Error(store.path() + ": row " + std::to_string(i) + " of set " + set + " has " + fault);
  if (selection_.empty()) return;
  SetRows selected{static_cast<std::int64_t>(selection_.size()), rows_.n_decisions, {}, {}};
  for (const auto i : selection_) {
    const auto row = rows_.row(i);
    selected.choices.insert(selected.choices.end(), row.begin(), row.end());
    if (!rows_.official_index.empty()) selected.official_index.push_back(rows_.official_index[i]);
  }
  rows_ = std::move(selected);
}

std::vector<double> Measurements::selected(std::vector<double> values) const {
  if (selection_.empty()) return values;
  std::vector<double> result;
  for (const auto i : selection_) result.push_back(values[i]);
  return result;
}

std::vector<std::string> Measurements::devices() const { return store_.devices(space_.name(), set_); }

std::vector<double> Measurements::joined(const std::string& set, const std::string& name,
                                         const std::vector<double>& values) const {
  const SetRows other = store_.rows(space_.name(), set);
  std::unordered_map<std::string_view, std::int64_t> row_of;
  for (std::int64_t i = 0; i < other.n; ++i) row_of.emplace(as_key(other.row(i)), i);
  std::vector<double> result(rows_.n, std::numeric_limits<double>::quiet_NaN());
  std::int64_t common = 0;
  for (std::int64_t i = 0; i < rows_.n; ++i) {
    if (const auto found = row_of.find(as_key(rows_.row(i))); found != row_of.end()) {
      result[i] = values[found->second];
      ++common;
    }
  }
  if (common == 0)
    throw Error(set + ":" + name + " has no architecture in common with set " + set_ + " of space " + space_.name() +
                "; measure architectures of that set (`oneproxy export` lists them)");
  return result;
}

Series Measurements::model(const std::string& name) const {
  if (name == kAccuracyModel) return accuracy();
  const CostMeasure& model = cost_measure(name);
  Series series{{name, model.label, model.unit, Direction::minimise}, true, {}};
  for (std::int64_t i = 0; i < rows_.n; ++i) series.values.push_back(space_.cost(rows_.row(i)).*model.part);
  return series;
}

Series Measurements::accuracy() const {
  const AccuracyModel& model = shipped_accuracy_model();
  Series series{
      {kAccuracyModel, "accuracy, carried over from " + model.space, model.unit, Direction::maximise}, true, {}};
  require_accuracy_model(space_);
  series.values = accuracies(space_, model, rows_.choices);
  return series;
}

Series Measurements::device(const std::string& name) const {
  if (name.rfind(kModel, 0) == 0) return model(name);
  const auto colon = name.find(':');
  const std::string set = colon == std::string::npos ? set_ : name.substr(0, colon);
  const std::string device = colon == std::string::npos ? name : name.substr(colon + 1);
  Column column = store_.latency(space_.name(), set, device);
  for (std::size_t i = 0; i < column.values.size(); ++i)
    if (!std::isnan(column.values[i]))
      check_latency(column.values[i], store_.path() + ": latency of device " + device + " in row " + std::to_string(i) +
                                          " of set " + set);
  Series series{{name, name, "ms", Direction::minimise}, false, {}};
  series.values = set == set_ ? selected(std::move(column.values)) : joined(set, device, column.values);
  return series;
}

Series Measurements::metric(const std::string& name) const {
  std::vector<std::string> valid;
  for (const auto& model : cost_measures()) valid.push_back(model.name);
  if (has_accuracy_model(space_)) valid.push_back(kAccuracyModel);
  for (const auto& set : store_.sets(space_.name()))
    for (const auto& metric : store_.metrics(space_.name(), set))
      valid.push_back("metric:" + (set == set_ ? "" : set + ":") + metric);
  if (name.rfind(kMetric, 0) != 0 || std::find(valid.begin(), valid.end(), name) == valid.end())
    throw Error(unknown_name("quality", name, "set " + set_ + " of space " + space_.name(), valid));
  const std::string rest = name.substr(kMetric.size());
  const auto colon = rest.find(':');
  const std::string set = colon == std::string::npos ? set_ : rest.substr(0, colon);
  const std::string metric = colon == std::string::npos ? rest : rest.substr(colon + 1);
  Column column = store_.metric(space_.name(), set, metric);
  const std::string unit = column.text("unit");
  const std::string label = column.text("description").empty() ? metric : column.text("description");
  const bool minimised = column.text("direction").starts_with("minimi");
  Series series{{name, label, unit, minimised ? Direction::minimise : Direction::maximise}, false, {}};
  series.values = set == set_ ? selected(std::move(column.values)) : joined(set, metric, column.values);
  return series;
}

Series Measurements::series(const std::string& name) const {
  if (name.rfind(kMetric, 0) != 0) return device(name);
  Series found = metric(name);
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    double& value = found.values[i];
    if (std::isnan(value)) continue;
    if (!(value > 0))
      throw Error(store_.path() + ": " + name + " is " + brief(value) + " " + found.unit + " in row " +
                  std::to_string(i) + "; a predictor is adapted to values above 0: choose another metric");
    check_value(value, found.unit, store_.path() + ": " + name + " in row " + std::to_string(i));
    value = as_additive(found, value);
  }
  if (!found.is_rate()) return found;
  found.unit = additive_unit(found);
  found.label += ", as the time of one item";
  found.direction = Direction::minimise;
  return found;
}

Series Measurements::quality(const std::string& name) const {
  if (name.rfind(kModel, 0) == 0) {
    Series series = model(name);
    series.label += " (stand-in for accuracy)";
    series.direction = Direction::maximise;
    return series;
  }
  Series series = metric(name);
  if (!series.maximised()) throw Error(name + " is to be minimised; a quality is maximised: choose another metric");
  return series;
}

std::vector<std::string> Measurements::expand(const std::vector<std::string>& names, const std::string& key) const {
  std::vector<std::string> result;
  auto add = [&](const std::string& name) {
    if (std::find(result.begin(), result.end(), name) == result.end()) result.push_back(name);
  };
  for (const auto& name : names) {
    if (name == "all") {
      for (const auto& device : devices()) add(device);
      continue;
    }
    const auto known = devices();
    const bool plain = name.find(':') == std::string::npos;
    if (plain && std::find(known.begin(), known.end(), name) == known.end())
      throw Error(key + ": " + unknown_name("device", name, "set " + set_ + " of space " + space_.name(), known));
    if (!plain) name.rfind(kMetric, 0) == 0 ? metric(name) : device(name);  // throws where it does not exist
    add(name);
  }
  if (result.empty()) throw Error(key + " names no device; write device names or \"all\"");
  return result;
}

}  // namespace oneproxy
