#include "oneproxy/engine/predictor/predictor.h"

#include <cmath>
#include <numeric>

#include "oneproxy/engine/base/attribute_reader.h"
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
  if (const auto* table = std::get_if<AdditivePredictor>(&model)) return table->rate ? table->rate->rate(score) : score;
  const auto* mlp = std::get_if<MlpPredictor>(&model);
  return mlp && mlp->log_target ? std::exp(score) : score;
}

double score_of_value(const Predictor& model, double value) {
  if (const auto* table = std::get_if<AdditivePredictor>(&model))
    return table->rate ? table->rate->score(value) : value;
  const auto* mlp = std::get_if<MlpPredictor>(&model);
  return mlp && mlp->log_target ? std::log(value) : value;
}

Predictor as_rate(Predictor time_ms, const RateScale& scale) {
  if (auto* table = std::get_if<IndexTable>(&time_ms)) {
    for (double& value : table->values) value = scale.rate(-value);
  } else if (auto* sum = std::get_if<AdditivePredictor>(&time_ms)) {
    for (double& weight : sum->weights) weight = -weight;
    for (double& bias : sum->bias) bias = -bias;
    sum->rate = scale;
  } else {
    auto& mlp = std::get<MlpPredictor>(time_ms);  // log(1000 / time) = log(1000) - log(time)
    if (!mlp.log_target) throw Error("a network that does not predict logarithms is no predictor of a rate");
    mlp.output_offset = std::log(1000.0) - mlp.output_offset;
    mlp.output_scale = -mlp.output_scale;
  }
  return time_ms;
}

std::optional<Direction> recorded_direction(const Predictor& model) {
  const auto text = std::visit([](const auto& m) { return attribute_text(m.record, "direction"); }, model);
  if (text.empty()) return std::nullopt;
  return parse_direction(text, "direction");
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
