#include "oneproxy/engine/search/problem.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <unordered_map>

#include "oneproxy/engine/adapt/adaproxy/trial.h"
#include "oneproxy/engine/base/names.h"
#include "oneproxy/engine/base/streams.h"
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
  return {series.label, series.unit, series.stand_in, nullptr,
          [values, width](std::span<const std::uint8_t> choices, std::span<double> out) {
            for (std::size_t i = 0; i < out.size(); ++i) {
              const auto row = choices.subspan(i * width, width);
              const auto found = values->find(std::string(row.begin(), row.end()));
              out[i] = found == values->end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
            }
          }};
}

// The part of a space that a model covers.
SubSpace covered(const SpaceModel& model, const SearchSpace& space) {
  SubSpace part(space);
  keep_predictable(model, part);
  return part;
}

// A model by its definition in fp64: the numbers that an exhaustive search compares, to the bit. NaN where it has none.
struct Definition {
  Definition(std::shared_ptr<const SpaceModel> of, const SearchSpace& space)
      : model(std::move(of)),
        part(covered(*model, space)),
        kernel(*model, part),
        scorer(part.code(), std::vector<Model>{kernel.view()}, Backend::cpu, Precision::fp64) {}

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

  std::shared_ptr<const SpaceModel> model;
  SubSpace part;
  KernelModel kernel;
  Scorer scorer;
};

Objective modelled(SpaceModel model, const SearchSpace& space, const std::string& label, const std::string& unit,
                   bool stand_in, const std::string& checksum = "") {
  auto shared = std::make_shared<const SpaceModel>(std::move(model));
  if (!has_kernels(*shared))
    return {label,
            unit,
            stand_in,
            shared,
            [shared](std::span<const std::uint8_t> choices, std::span<double> values) {
              predict(*shared, choices, values);
            },
            checksum};
  auto definition = std::make_shared<const Definition>(shared, space);
  return {label,
          unit,
          stand_in,
          shared,
          [definition](std::span<const std::uint8_t> choices, std::span<double> values) {
            definition->evaluate(choices, values);
          },
          checksum};
}

}  // namespace

Objective make_objective(const ObjectiveSources& sources, const std::string& name, const std::string& key) {
  const std::string place = key + " = \"" + name + "\"";
  const auto colon = name.find(':');
  const std::string source = name.substr(0, colon), what = colon == std::string::npos ? "" : name.substr(colon + 1);
  const SearchSpace& space = sources.space;
  if (source == "model" && !what.empty()) {
    const auto& cost = cost_model(name);
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
    return std::visit(
        [&](const auto& table) {
          return modelled(table, space, table.target.empty() ? what : table.target, table.unit, false, checksum(table));
        },
        found);
  }
  if ((source != "device" && source != "metric" && source != "proxy") || what.empty())
    throw Error(place +
                " should be one of device:NAME (measured), metric:NAME, metric:SET:NAME, proxy:DEVICE (linear "
                "predictor of a device), predictor:NAME or FILE, table:NAME or FILE, model:macs");
  if (!sources.data)
    throw Error(place + ": the store " + sources.store + " has no measurements of space " + space.name() +
                "; import some, or use predictor:, table: or model:");
  if (source == "metric") return tabled(*sources.data, sources.data->quality(name));
  sources.data->expand({what}, key);
  const Series series = sources.data->device(what);
  if (source == "device") return tabled(*sources.data, series);
  return modelled(fit_proxy(*sources.data, series, sources.backend).predictor, space, "predicted latency on " + what,
                  "ms", false);
}

std::vector<std::int64_t> rows_of(const SearchProblem& problem) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < problem.data->n(); ++i)
    if (problem.part.is_whole() || !problem.part.digits(problem.data->rows().row(i)).empty()) rows.push_back(i);
  return rows;
}

std::vector<std::uint8_t> random_architectures(const SearchProblem& problem, std::int64_t n, std::uint64_t seed) {
  const Philox random = random_stream(seed, Draws::random_architectures, 0);
  std::vector<std::uint8_t> all;
  std::uint64_t draw = 0;
  const auto rows = problem.covers_space() ? std::vector<std::int64_t>{} : rows_of(problem);
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<std::uint8_t> choices;
    if (problem.covers_space()) {
      std::vector<std::uint32_t> digits;
      for (const auto radix : problem.part.radices())
        digits.push_back(static_cast<std::uint32_t>(random.below(draw++, radix)));
      choices = problem.part.choices(digits);
    } else if (!rows.empty()) {
      const auto row = problem.data->rows().row(rows[random.below(draw++, rows.size())]);
      choices.assign(row.begin(), row.end());
    }
    all.insert(all.end(), choices.begin(), choices.end());
  }
  return all;
}

}  // namespace oneproxy
