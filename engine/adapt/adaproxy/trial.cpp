#include "oneproxy/engine/adapt/adaproxy/trial.h"

#include <cmath>
#include <limits>

#include "oneproxy/engine/base/streams.h"
#include "oneproxy/engine/predictor/linear_fit.h"
#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/rank/rank.h"

namespace oneproxy {

std::vector<double> predict_rows(const Measurements& data, const AdditivePredictor& predictor, Backend backend) {
  std::vector<double> predicted(data.n());
  predictor.predict(data.rows().choices, predicted, backend);
  return predicted;
}

ProxyModel fit_proxy(const Measurements& data, const Series& proxy, Backend backend) {
  ProxyModel model;
  model.predictor = fit_linear(data.space(), data.rows().choices, proxy.values);
  model.predicted_ms = predict_rows(data, model.predictor, backend);
  double n = 0, mean = 0, squares = 0;
  for (std::int64_t i = 0; i < data.n(); ++i) {
    if (std::isnan(proxy.values[i])) continue;
    const double step = model.predicted_ms[i] - mean;
    mean += step / ++n;
    squares += step * (model.predicted_ms[i] - mean);
  }
  model.deviation = std::sqrt(squares / n);
  return model;
}

std::vector<std::int64_t> measurement_order(std::int64_t n_rows, std::uint64_t seed, int trial) {
  return random_permutation(n_rows, random_stream(seed, Draws::measurement_order, trial));
}

void require_samples(const Measurements& data, const Series& target, SampleBudget budget) {
  if (target.n_known() >= budget.total()) return;
  throw Error("device " + target.name + " has " + std::to_string(target.n_known()) +
              " measurements for architectures of set " + data.set() + ", samples_train + samples_validation ask for " +
              std::to_string(budget.total()) + "; lower them or measure more");
}

Trial adapt_trial(const Measurements& data, const ProxyModel& proxy, const Series& target, SampleBudget budget,
                  Norm norm, std::span<const std::int64_t> order) {
  require_samples(data, target, budget);
  TrainingSamples training;
  ValidationSamples validation;
  Trial trial;
  for (const auto row : order) {
    if (static_cast<int>(trial.measured.size()) == budget.total()) break;
    const double latency = target.values[row];
    if (std::isnan(latency)) continue;
    const bool train = static_cast<int>(trial.measured.size()) < budget.training;
    Samples& samples = train ? static_cast<Samples&>(training) : validation;
    samples.add(data.rows().row(row), latency);
    trial.measured.push_back(row);
  }
  ONEPROXY_ASSERT(static_cast<int>(trial.measured.size()) == budget.total());  // the order held every row
  trial.adapted = adapt_adaproxy(proxy.predictor, proxy.deviation, training, validation, norm);
  return trial;
}

Agreement agreement(std::span<const double> predicted, const Series& target, std::span<const std::int64_t> measured,
                    Backend backend) {
  std::vector<double> unseen = target.values;
  for (const auto row : measured) unseen[row] = std::numeric_limits<double>::quiet_NaN();
  return {spearman(predicted, target.values, backend).value, spearman(predicted, unseen, backend).value};
}

}  // namespace oneproxy
