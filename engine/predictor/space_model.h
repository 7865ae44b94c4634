#pragma once
// A predictor that covers a whole space: a table of what adds up over decisions, or an MLP on the one-hot code, which
// the scoring kernels run over a part of the space; or, of a small space, the table of every architecture's value.
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "oneproxy/engine/predictor/additive_predictor.h"
#include "oneproxy/engine/predictor/index_table.h"
#include "oneproxy/engine/predictor/mlp_predictor.h"
#include "oneproxy/engine/space/subspace.h"
#include "oneproxy/kernels/score/models.h"

namespace oneproxy {

using SpaceModel = std::variant<AdditivePredictor, MlpPredictor, IndexTable>;

// Whether the scoring kernels can run it.
inline bool has_kernels(const SpaceModel& model) { return !std::holds_alternative<IndexTable>(model); }

// From a kernel's score to the value and back: exp and log where the model predicts logarithms.
double value_of_score(const SpaceModel& model, double score);
double score_of_value(const SpaceModel& model, double value);

// choices [n, n_decisions] -> values [n], fp64.
void predict(const SpaceModel& model, std::span<const std::uint8_t> choices, std::span<double> values);

// Leaves out the choices for which a table has no entry; no effect on other models. Error where none is left, or
// where a choice has an entry in some of the tables only.
void keep_predictable(const SpaceModel& model, SubSpace& part);

// The kernels' view of a model over a part of its space, with its memory. Scores are values but for exp.
class KernelModel {
 public:
  KernelModel(const SpaceModel& model, const SubSpace& part);  // Error where there are no kernels for it
  Model view() const { return view_; }

 private:
  SpaceModel model_;
  Dense last_;
  std::vector<double> table_weights_, table_bias_;  // over the part's digits
  Model view_;

 public:
  KernelModel(const KernelModel&) = delete;  // the view points into this object
  KernelModel& operator=(const KernelModel&) = delete;
};

}  // namespace oneproxy
