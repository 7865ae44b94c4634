#pragma once
// A predictor that covers a whole space: a table of what adds up over decisions, or an MLP on the one-hot code, which
// the scoring kernels run over a part of the space; or, of a small space, the table of every architecture's value.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "oneproxy/engine/device/quantity.h"
#include "oneproxy/engine/predictor/additive_predictor.h"
#include "oneproxy/engine/predictor/index_table.h"
#include "oneproxy/engine/predictor/mlp_predictor.h"
#include "oneproxy/engine/space/subspace.h"
#include "oneproxy/kernels/score/score_function.h"

namespace oneproxy {

using Predictor = std::variant<AdditivePredictor, MlpPredictor, IndexTable>;

// Whether the scoring kernels can run it.
inline bool has_kernels(const Predictor& model) { return !std::holds_alternative<IndexTable>(model); }

// From a kernel's score to the value and back, increasing: exp and log where the model predicts logarithms, the scale
// of a rate where it predicts one.
double value_of_score(const Predictor& model, double score);
double score_of_value(const Predictor& model, double value);

// A model of the time of one item, ms, as one of the rate, with unit and target left to the caller. Error: a network
// that does not predict logarithms.
Predictor as_rate(Predictor time_ms, const RateScale& scale);

// Which way the predicted quantity is better, where its record says so.
std::optional<Direction> recorded_direction(const Predictor& model);

// choices [n, n_decisions] -> values [n], fp64.
void predict(const Predictor& model, std::span<const std::uint8_t> choices, std::span<double> values);

// Leaves out the choices for which a table has no entry; no effect on other models. Error where none is left, or
// where a choice has an entry in some of the tables only.
void keep_predictable(const Predictor& model, SubSpace& part);

// The kernels' view of a model over a part of its space, with its memory. Scores: value_of_score turns them to values.
class PredictorKernel {
 public:
  PredictorKernel(const Predictor& model, const SubSpace& part);  // Error where there are no kernels for it
  ScoreFunction view() const { return view_; }

 private:
  Predictor model_;
  Dense last_;
  std::vector<double> table_weights_, table_bias_;  // over the part's digits
  ScoreFunction view_;

 public:
  PredictorKernel(const PredictorKernel&) = delete;  // the view points into this object
  PredictorKernel& operator=(const PredictorKernel&) = delete;
};

}  // namespace oneproxy
