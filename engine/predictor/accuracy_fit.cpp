#include "oneproxy/engine/predictor/accuracy_fit.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "oneproxy/engine/device/quantity.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Stage = AccuracyModel::Stage;

constexpr int kStages = 7, kLeast = 100;
// In the order of the columns of a stage.
constexpr double Stage::*kGains[] = {&Stage::first_expansion,   &Stage::first_kernel, &Stage::first_squeeze,
                                     &Stage::repeated,          &Stage::expansion,    &Stage::kernel,
                                     &Stage::squeeze_excitation};
constexpr int kColumns = kStages * std::size(kGains);

// What each gain is multiplied by in a network: the model's own gains of unit stages, so that the model is written
// once.
MatrixXd terms(const SearchSpace& space, double decay) {
  const auto places = layer_places(space);
  std::size_t rows = 0;
  for (const auto radix : space.radices()) rows += radix;
  MatrixXd all(rows, kColumns);
  for (int column = 0; column < kColumns; ++column) {
    AccuracyModel unit;
    unit.decay = decay;
    unit.stages.resize(kStages);
    unit.stages[column / std::size(kGains)].*kGains[column % std::size(kGains)] = 1;
    const auto gains = accuracy_gains(space, unit);
    for (std::size_t row = 0; row < rows; ++row) all(row, column) = gains[row];
  }
  // The first layer's own share of `repeated` follows from the other gains: it is the same in every network here.
  std::size_t row = 0;
  for (int d = 0; d < space.n_decisions(); ++d)
    for (const auto& choice : space.decisions()[d].choices) {
      if (places[d].stage >= 0 && places[d].position == 0 && choice.operation.kind == "mbconv")
        all(row, places[d].stage * std::size(kGains) + 3) -= 1;
      ++row;
    }
  return all;
}

// min |X w - y|^2 under w >= 0, by coordinates: convex, so that it ends at the optimum. Columns and y are centred.
VectorXd non_negative_least_squares(const MatrixXd& x, const VectorXd& y) {
  constexpr int kMost = 20000;
  constexpr double kStill = 1e-12;  // of the largest coefficient
  const MatrixXd gram = x.transpose() * x;
  const VectorXd target = x.transpose() * y;
  VectorXd w = VectorXd::Zero(x.cols());
  for (int pass = 0; pass < kMost; ++pass) {
    double moved = 0;
    for (Eigen::Index j = 0; j < w.size(); ++j) {
      if (gram(j, j) <= 1e-9 * static_cast<double>(x.rows())) continue;  // a term that does not occur
      const double next = std::max(0.0, w[j] + (target[j] - gram.row(j).dot(w)) / gram(j, j));
      moved = std::max(moved, std::abs(next - w[j]));
      w[j] = next;
    }
    if (moved <= kStill * std::max(1.0, w.maxCoeff())) break;
  }
  return w;
}

}  // namespace

AccuracyModel fit_accuracy_model(const SearchSpace& space, std::span<const std::uint8_t> choices,
                                 std::span<const double> accuracy) {
  const auto places = layer_places(space);
  if (std::none_of(places.begin(), places.end(), [](const LayerPlace& place) { return place.stage == 0; }))
    throw Error("the accuracy model is learnt on a space of seven stages; " + space.name() + " has fewer");
  const std::size_t width = space.n_decisions();
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < accuracy.size(); ++i)
    if (!std::isnan(accuracy[i])) known.push_back(i);
  if (std::ssize(known) < kLeast)
    throw Error("the accuracy model has " + std::to_string(known.size()) + " accuracies of space " + space.name() +
                "; it needs " + std::to_string(kLeast) + " at least");
  const auto n = static_cast<Eigen::Index>(known.size());
  VectorXd y(n);
  for (Eigen::Index i = 0; i < n; ++i) y[i] = accuracy[known[i]];
  const double mean = y.mean();
  y.array() -= mean;
  if (!(y.norm() > 1e-12 * std::abs(mean)))
    throw Error("all accuracies of space " + space.name() + " are equal; a model needs some that differ");

  AccuracyModel best;
  double least = 0;
  for (int step = 0; step <= 14; ++step) {
    const double decay = 0.30 + 0.05 * step;
    const MatrixXd all = terms(space, decay);
    MatrixXd x = MatrixXd::Zero(n, kColumns);
    for (Eigen::Index i = 0; i < n; ++i) {
      std::size_t row = 0;
      for (std::size_t d = 0; d < width; row += space.radices()[d], ++d)
        x.row(i) += all.row(static_cast<Eigen::Index>(row + choices[known[i] * width + d]));
    }
    const Eigen::RowVectorXd centre = x.colwise().mean();
    x.rowwise() -= centre;
    const VectorXd w = non_negative_least_squares(x, y);
    const double squares = (x * w - y).squaredNorm();
    if (step > 0 && squares >= least) continue;
    least = squares;
    best.decay = decay;
    best.intercept = mean - centre.dot(w);
    best.stages.assign(kStages, {});
    for (int column = 0; column < kColumns; ++column)
      best.stages[column / std::size(kGains)].*kGains[column % std::size(kGains)] = w[column];
  }
  for (int s = 0; s < kStages; ++s)  // what terms() took off
    best.intercept -= best.gain(s, 0, {"", "mbconv", 3, 1});
  best.space = space.name();
  return best;
}

AdditivePredictor accuracy_table(const SearchSpace& space, const AccuracyModel& model) {
  require_accuracy_model(space);
  AdditivePredictor table;
  table.space = space.name();
  table.radices.assign(space.radices().begin(), space.radices().end());
  table.target = "accuracy, carried over from " + model.space;
  table.unit = model.unit;
  table.weights = accuracy_gains(space, model);
  table.bias = {model.intercept};
  table.record["direction"] = to_string(Direction::maximise);
  return table;
}

}  // namespace oneproxy
