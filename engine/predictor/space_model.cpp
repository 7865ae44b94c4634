#include "oneproxy/engine/predictor/space_model.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "oneproxy/engine/space/cost.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

std::vector<std::size_t> offsets_of(std::span<const std::uint8_t> radices) {
  std::vector<std::size_t> offsets(radices.size());
  std::exclusive_scan(radices.begin(), radices.end(), offsets.begin(), std::size_t{0});
  return offsets;
}

std::size_t n_rows(const TablePredictor& table) {
  return std::accumulate(table.radices.begin(), table.radices.end(), std::size_t{0});
}

}  // namespace

TablePredictor as_table(const LinearPredictor& predictor, const SearchSpace& space) {
  TablePredictor table;
  table.space = space.name();
  table.radices = predictor.radices;
  table.weights = predictor.weights;
  table.bias = {predictor.bias};
  return table;
}

// Weights are differences from the network of first choices, one decision at a time: exact, because costs add up over
// the blocks at a given resolution.
TablePredictor cost_table(const SearchSpace& space, const std::string& name) {
  double Cost::*part = cost_model(name).part;
  TablePredictor table;
  table.space = space.name();
  table.radices.assign(space.radices().begin(), space.radices().end());
  table.target = cost_model(name).label;
  table.unit = cost_model(name).unit;
  const auto offsets = offsets_of(table.radices);
  const std::size_t rows = n_rows(table);
  const auto& digits = space.digits();
  const int n_tables = space.resolutions().empty() ? 1 : table.radices[0];
  for (int t = 0; t < n_tables; ++t) {
    std::vector<std::uint32_t> base(digits.size(), 0);
    if (n_tables > 1) base[0] = static_cast<std::uint32_t>(t);
    const auto cost = [&](std::span<const std::uint32_t> of) { return space.cost(space.choices_of(of)).*part; };
    std::vector<double> weights(rows, 0.0);
    const double first = cost(base);
    // A composite digit's decisions are told apart by its values, in each of which one more decision is new.
    for (std::size_t d = n_tables > 1 ? 1 : 0; d < digits.size(); ++d) {
      const auto& digit = digits[d];
      std::vector<char> known(rows, 0);
      for (int i = 0; i < digit.n_decisions; ++i) known[offsets[digit.first_decision + i] + digit.values[i]] = 1;
      for (std::uint32_t value = 0; value < digit.radix; ++value) {
        int unknown = -1, n_unknown = 0;
        double sum = 0;
        for (int i = 0; i < digit.n_decisions; ++i) {
          const std::size_t row = offsets[digit.first_decision + i] + digit.values[value * digit.n_decisions + i];
          if (known[row]) {
            sum += weights[row];
          } else {
            unknown = static_cast<int>(row);
            ++n_unknown;
          }
        }
        if (n_unknown != 1) continue;
        auto changed = base;
        changed[d] = value;
        weights[unknown] = cost(changed) - first - sum;
        known[unknown] = 1;
      }
    }
    table.weights.insert(table.weights.end(), weights.begin(), weights.end());
    table.bias.push_back(first);
  }
  return table;
}

double value_of_score(const SpaceModel& model, double score) {
  const auto* mlp = std::get_if<MlpPredictor>(&model);
  return mlp && mlp->log_target ? std::exp(score) : score;
}

double score_of_value(const SpaceModel& model, double value) {
  const auto* mlp = std::get_if<MlpPredictor>(&model);
  return mlp && mlp->log_target ? std::log(value) : value;
}

void predict(const SpaceModel& model, std::span<const std::uint8_t> choices, std::span<double> values) {
  std::visit([&](const auto& m) { m.predict(choices, values); }, model);
}

void keep_predictable(const SpaceModel& model, SubSpace& part) {
  const auto* table = std::get_if<TablePredictor>(&model);
  if (!table) return;
  const std::string why = table->target.empty() ? "the table" : table->target;
  if (table->n_tables() > 1)
    part.keep(
        0, [&](std::uint32_t value) { return std::isfinite(table->bias[value]); }, why);
  const auto offsets = offsets_of(table->radices);
  const auto& digits = part.space().digits();
  for (int d = 0; d < part.n_digits(); ++d) {
    const auto& digit = digits[d];
    part.keep(
        d,
        [&](std::uint32_t value) {
          int missing = 0, tables = 0;
          for (const auto t : table->n_tables() > 1 ? part.values(0) : std::vector<std::uint32_t>{0}) {
            const double* weights = table->weights.data() + t * n_rows(*table);
            bool whole = true;
            for (int i = 0; i < digit.n_decisions; ++i)
              whole = whole &&
                      std::isfinite(
                          weights[offsets[digit.first_decision + i] + digit.values[value * digit.n_decisions + i]]);
            missing += !whole;
            ++tables;
          }
          if (missing > 0 && missing < tables && d > 0)
            throw Error(why + ": value " + std::to_string(value) + " of " + digit.name +
                        " has entries for some resolutions only; fix the resolution");
          return missing == 0;
        },
        why);
  }
}

KernelModel::KernelModel(const SpaceModel& model, const SubSpace& part) : model_(model) {
  if (const auto* table = std::get_if<IndexTable>(&model_))
    throw Error("\"" + table->target + "\" is a table of every architecture of " + table->space +
                ", which no scoring kernel runs; use method = \"exhaustive\" or \"evolutionary\", without certify");
  if (const auto* mlp = std::get_if<MlpPredictor>(&model_)) {
    view_ = mlp->view(last_);
    return;
  }
  const auto& table = std::get<TablePredictor>(model_);
  const std::size_t rows = n_rows(table);
  std::vector<double> weights, bias;
  for (const auto t : table.n_tables() > 1 ? part.values(0) : std::vector<std::uint32_t>{0}) {
    weights.insert(weights.end(), table.weights.begin() + t * rows, table.weights.begin() + (t + 1) * rows);
    bias.push_back(table.bias[t]);
  }
  table_ = digit_table(part.code(), weights, bias);
  view_ = table_.view();
}

}  // namespace oneproxy
