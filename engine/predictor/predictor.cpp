#include "oneproxy/engine/predictor/predictor.h"

#include <cmath>
#include <numeric>

#include "oneproxy/engine/predictor/digit_weights.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

std::vector<std::size_t> offsets_of(std::span<const std::uint8_t> radices) {
  std::vector<std::size_t> offsets(radices.size());
  std::exclusive_scan(radices.begin(), radices.end(), offsets.begin(), std::size_t{0});
  return offsets;
}

}  // namespace

double value_of_score(const Predictor& model, double score) {
  const auto* mlp = std::get_if<MlpPredictor>(&model);
  return mlp && mlp->log_target ? std::exp(score) : score;
}

double score_of_value(const Predictor& model, double value) {
  const auto* mlp = std::get_if<MlpPredictor>(&model);
  return mlp && mlp->log_target ? std::log(value) : value;
}

void predict(const Predictor& model, std::span<const std::uint8_t> choices, std::span<double> values) {
  std::visit([&](const auto& m) { m.predict(choices, values); }, model);
}

void keep_predictable(const Predictor& model, SubSpace& part) {
  const auto* table = std::get_if<AdditivePredictor>(&model);
  if (!table) return;
  const std::string why = table->target.empty() ? "the table" : table->target;
  if (table->n_tables() > 1)
    part.restrict_digit(
        0, [&](std::uint32_t value) { return std::isfinite(table->bias[value]); }, why);
  const auto offsets = offsets_of(table->radices);
  const auto& digits = part.space().digits();
  for (int d = 0; d < part.n_digits(); ++d) {
    const auto& digit = digits[d];
    part.restrict_digit(
        d,
        [&](std::uint32_t value) {
          int missing = 0, tables = 0;
          for (const auto t : table->n_tables() > 1 ? part.values(0) : std::vector<std::uint32_t>{0}) {
            const double* weights = table->table().weights_of(t);
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

PredictorKernel::PredictorKernel(const Predictor& model, const SubSpace& part) : model_(model) {
  if (const auto* table = std::get_if<IndexTable>(&model_))
    throw Error("\"" + table->target + "\" is a table of every architecture of " + table->space +
                ", which no scoring kernel runs; use method = \"exhaustive\" or \"evolutionary\", without certify");
  if (const auto* mlp = std::get_if<MlpPredictor>(&model_)) {
    view_ = mlp->view(last_);
    return;
  }
  const auto& table = std::get<AdditivePredictor>(model_);
  const std::size_t rows = table.table().width();
  std::vector<double> weights;
  for (const auto t : table.n_tables() > 1 ? part.values(0) : std::vector<std::uint32_t>{0}) {
    weights.insert(weights.end(), table.weights.begin() + t * rows, table.weights.begin() + (t + 1) * rows);
    table_bias_.push_back(table.bias[t]);
  }
  table_weights_ = digit_weights(part.code(), weights);
  view_ = AdditiveTable<double>{table_weights_, table_bias_};
}

}  // namespace oneproxy
