#include "oneproxy/engine/search/objective.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <unordered_map>

#include "oneproxy/engine/adapt/adaproxy/trial.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/unit_number.h"
#include "oneproxy/engine/predictor/accuracy_fit.h"
#include "oneproxy/engine/predictor/cost_table.h"
#include "oneproxy/engine/predictor/library.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/score/scorer.h"

namespace oneproxy {
namespace {

// Looks values up by architecture; what no row holds is not known.
Objective tabled(const Measurements& data, const Series& series) {
  auto values = std::make_shared<std::unordered_map<std::string, double>>();
  for (std::int64_t i = 0; i < data.n(); ++i) {
    const auto row = data.rows().row(i);
    values->emplace(std::string(row.begin(), row.end()), series.values[i]);
  }
  const std::size_t width = data.space().n_decisions();
  return {{"", series.label, series.unit, series.direction},
          series.is_stand_in,
          nullptr,
          [values, width](std::span<const std::uint8_t> choices, std::span<double> out) {
            for (std::size_t i = 0; i < out.size(); ++i) {
              const auto row = choices.subspan(i * width, width);
              const auto found = values->find(std::string(row.begin(), row.end()));
              out[i] = found == values->end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
            }
          }};
}

// The part of a space that a model covers.
SubSpace covered(const Predictor& model, const SearchSpace& space) {
  SubSpace part(space);
  keep_predictable(model, part);
  return part;
}

// A model by its definition in fp64: the numbers that an exhaustive search compares, to the bit. NaN where it has none.
struct Definition {
  Definition(std::shared_ptr<const Predictor> of, const SearchSpace& space)
      : model(std::move(of)),
        part(covered(*model, space)),
        kernel(*model, part),
        scorer(part.code(), std::vector<ScoreFunction>{kernel.view()}, Backend::cpu, Precision::fp64) {}

  void evaluate(std::span<const std::uint8_t> choices, std::span<double> values) const {
    const std::size_t width = part.space().n_decisions();
    std::vector<std::uint32_t> digits;
    std::vector<std::size_t> places;
    std::fill(values.begin(), values.end(), std::numeric_limits<double>::quiet_NaN());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto own = part.digits(choices.subspan(i * width, width));
      if (!own.empty()) places.push_back(i);
      digits.insert(digits.end(), own.begin(), own.end());
    }
    std::vector<double> scores(places.size());
    scorer.score_list(digits, scores);
    for (std::size_t i = 0; i < places.size(); ++i) values[places[i]] = value_of_score(*model, scores[i]);
  }

  std::shared_ptr<const Predictor> model;
  SubSpace part;
  PredictorKernel kernel;
  Scorer scorer;
};

Objective modelled(Predictor model, const SearchSpace& space, const std::string& label, const std::string& unit,
                   bool is_stand_in, const std::string& checksum = "") {
  auto shared = std::make_shared<const Predictor>(std::move(model));
  const Direction direction = recorded_direction(*shared).value_or(Direction::minimise);
  Objective objective{{"", label, unit, direction}, is_stand_in, shared, nullptr, checksum};
  if (has_kernels(*shared)) {
    auto definition = std::make_shared<const Definition>(shared, space);
    objective.evaluate = [definition](std::span<const std::uint8_t> choices, std::span<double> values) {
      definition->evaluate(choices, values);
    };
  } else {
    objective.evaluate = [shared](std::span<const std::uint8_t> choices, std::span<double> values) {
      predict(*shared, choices, values);
    };
  }
  return objective;
}

// The last part of what an objective is, without the ending of a file.
std::string short_name(const std::string& what) {
  const auto last = what.substr(what.rfind(':') + 1);
  const std::filesystem::path path(last);
  return path.extension() == ".h5" ? path.stem().string() : last;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? "" : std::string(text.substr(first, last - first + 1));
}

}  // namespace

std::string why_no_kernels(const Objective& objective) {
  if (objective.is_computed) return "is a function that is called for every architecture";
  if (!objective.model) return "is known on the rows of a set only";
  return has_kernels(*objective.model) ? "" : "is a table of every architecture";
}

Objective find_objective(const ObjectiveSources& sources, const std::string& name, const std::string& key) {
  const std::string place = key + " = \"" + name + "\"";
  const auto colon = name.find(':');
  const std::string source = name.substr(0, colon), what = colon == std::string::npos ? "" : name.substr(colon + 1);
  const SearchSpace& space = sources.space;
  if (name == kAccuracyModel) {
    const auto table = accuracy_table(space, shipped_accuracy_model());
    return modelled(table, space, table.target, table.unit, true, checksum(table));
  }
  if (source == "model" && !what.empty()) {
    const auto& cost = cost_measure(name);
    return modelled(cost_table(space, name), space, cost.label, cost.unit, true);
  }
  const bool is_file = std::filesystem::path(what).extension() == ".h5";
  const auto reference = is_file ? (std::filesystem::path(sources.folder) / what).string() : what;
  if (source == "predictor" && !what.empty()) {
    const auto predictor = find_predictor(reference, sources.store, space);
    return modelled(predictor, space, predictor.target.empty() ? what : predictor.target, predictor.unit, false,
                    checksum(predictor));
  }
  if (source == "table" && !what.empty()) {
    auto found = find_table(reference, sources.store, space);
    auto objective = std::visit(
        [&](const auto& table) {
          return modelled(table, space, table.target.empty() ? what : table.target, table.unit, false, checksum(table));
        },
        found);
    if (auto posterior = find_posterior(reference, sources.store, space)) {
      objective.checksum += " " + checksum(*posterior);
      objective.posterior = std::make_shared<const Posterior>(std::move(*posterior));
    }
    return objective;
  }
  if ((source != "device" && source != "metric" && source != "proxy") || what.empty())
    throw Error(place +
                " should be one of device:NAME (measured), metric:NAME, metric:SET:NAME, proxy:DEVICE or "
                "proxy:metric:NAME (linear predictor of what is measured), predictor:NAME or FILE, table:NAME or FILE, "
                "model:macs, model:accuracy");
  if (!sources.data)
    throw Error(place + ": the store " + sources.store + " has no measurements of space " + space.name() +
                "; import some, or use predictor:, table: or model:");
  if (source == "metric") return tabled(*sources.data, sources.data->metric(name));
  if (what.starts_with("metric:")) {
    const Series metric = sources.data->metric(what);
    Objective objective = modelled(fit_proxy(*sources.data, metric, sources.backend).predictor, space,
                                   "predicted " + metric.label, metric.unit, false);
    objective.direction = metric.direction;
    return objective;
  }
  sources.data->expand({what}, key);
  const Series series = sources.data->device(what);
  if (source == "device") return tabled(*sources.data, series);
  return modelled(fit_proxy(*sources.data, series, sources.backend).predictor, space, "predicted latency on " + what,
                  "ms", false);
}

Objective make_objective(const ObjectiveSources& sources, const std::string& what, const std::string& key,
                         std::optional<Direction> direction) {
  Objective objective = find_objective(sources, what, key);
  const bool recorded = objective.model && recorded_direction(*objective.model);
  if (!direction && !recorded && what.rfind("predictor:", 0) == 0)
    throw Error(key + " = \"" + what + "\": nothing says which way a predictor is better; write \"min " + what +
                "\" or \"max " + what + "\"");
  const bool is_known = recorded || what.rfind("metric:", 0) == 0;
  if (direction && is_known && *direction != objective.direction)
    throw Error(key + " = \"" + what + "\" is to be " + to_string(objective.direction) + ", as its " +
                (recorded ? "file" : "store") + " says; choose another one, or name it in `objectives`");
  if (direction) objective.direction = *direction;
  objective.name = short_name(what);
  return objective;
}

Objective predicted_objective(Predictor model, const SearchSpace& space, const std::string& label,
                              const std::string& unit) {
  return modelled(std::move(model), space, label, unit, false);
}

ObjectiveText parse_objective(const std::string& text, const std::string& where) {
  const auto fail = [&](const std::string& why) {
    return Error(where + ": objective \"" + text + "\" " + why + "; write for example \"min table:energy <= 40, 50\"");
  };
  ObjectiveText objective;
  std::string rest = trimmed(text);
  for (const auto& [word, direction] :
       {std::pair<std::string, Direction>{"min ", Direction::minimise}, {"max ", Direction::maximise}})
    if (rest.starts_with(word)) {
      objective.direction = direction;
      rest = trimmed(rest.substr(word.size()));
      break;
    }
  const auto sign = rest.find_first_of("<>=");
  objective.what = trimmed(rest.substr(0, sign));
  objective.name = short_name(objective.what);
  if (objective.what.empty() || objective.what == "min" || objective.what == "max") throw fail("names nothing");
  if (sign == std::string::npos) return objective;
  const std::string comparison = rest.substr(sign, 2);
  if (comparison != "<=" && comparison != ">=") throw fail("has a limit without <= or >=");
  const Direction side = comparison == "<=" ? Direction::minimise : Direction::maximise;
  if (objective.direction && *objective.direction != side)
    throw fail(
        "is limited on the side where it is better: a limit is <= of what is minimised, >= of what is maximised");
  objective.direction = side;
  std::vector<UnitNumber> limits;
  std::string_view numbers = std::string_view(rest).substr(sign + 2);
  for (bool more = true; more;) {
    const auto comma = numbers.find(',');
    more = comma != std::string_view::npos;
    try {
      limits.push_back(parse_unit_number(numbers.substr(0, comma), ""));
    } catch (const Error&) {
      throw fail("has the limit '" + trimmed(numbers.substr(0, comma)) + "', which is no number");
    }
    if (more) numbers.remove_prefix(comma + 1);
  }
  objective.limit_unit = common_unit(limits, where);
  for (const auto& limit : limits) objective.limits.push_back(limit.value);
  return objective;
}

}  // namespace oneproxy
